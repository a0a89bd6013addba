"""How well blurs are found from the picture alone: real photographs, known kernels, noise of one grey level.

Run as `python -m benchmarks.blind_deconvolution [PHOTOGRAPH...]`; without photographs the bundled one is used. For each blur: the largest
normalised cross-correlation of the kernel found with the true one, over all shifts; PSNR of the blurred picture, of the one restored
blindly and of the one restored by the same deconvolution with the true kernel; and the error ratio of Levin et al. (CVPR 2009), the
squared error of the one over that of the other. Pictures are registered by whole pixels first, since where a blur sits cannot be known,
and 16 pixels of their border are left out.
"""

import argparse
from importlib.resources import files
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from benchmarks import harness
from jaxrestore.classical.blind_deconvolution import blind_deconvolution
from jaxrestore.classical.tv_deconvolution import tv_deconvolution
from jaxrestore.data.images import read_image, to_float
from jaxrestore.ops.blur_kernels import motion_kernel, trajectory_kernel
from jaxrestore.ops.color import rgb_to_gray
from jaxrestore.ops.fourier import correlate_valid

NOISE = 1.0
RIM, SHIFTS = 16, 6
SIDE = 232


def kernels() -> dict[str, tuple[np.ndarray, int]]:
    """Name -> kernel and the size that is searched for."""
    made = {"line of 11": (np.asarray(motion_kernel(15, 11.0, 30.0)), 17)}
    for seed, size in ((1, 17), (2, 17), (3, 21), (4, 13)):
        # A hand: velocity is a random walk, position its sum.
        points = np.cumsum(np.cumsum(np.random.default_rng(seed).normal(size=(60, 2)), axis=0), axis=0)
        points -= points.mean(axis=0)
        points *= 0.38 * size / np.abs(points).max()
        fine = np.stack([np.interp(np.linspace(0, 59, 2000), np.arange(60), points[:, axis]) for axis in (0, 1)], axis=1)
        made[f"hand {seed}"] = (np.asarray(trajectory_kernel(size, fine.astype(np.float32), np.ones(2000, np.float32))), size + 2)
    return made


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    size = (64, 64)
    correlation = np.fft.irfft2(np.fft.rfft2(a, size) * np.conj(np.fft.rfft2(b, size)), size)
    return float(np.max(correlation) / np.sqrt(np.sum(np.square(a)) * np.sum(np.square(b))))


def decibels(restored: np.ndarray, sharp: np.ndarray) -> float:
    """PSNR after the best shift."""
    inner = slice(RIM, -RIM)
    restored = np.clip(restored, 0.0, 1.0)
    shifted = (np.roll(restored, (i, j), (0, 1)) for i in range(-SHIFTS, SHIFTS + 1) for j in range(-SHIFTS, SHIFTS + 1))
    return float(-10.0 * np.log10(min(np.mean(np.square(x[inner, inner] - sharp[inner, inner])) for x in shifted)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path, nargs="*", default=[Path(str(files("jaxrestore.cli") / "assets" / "coffee.jpg"))])
    rows = []
    for path in parser.parse_args().photographs:
        picture = to_float(read_image(path).color)
        grey = picture if picture.shape[-1] == 1 else np.asarray(rgb_to_gray(jnp.asarray(picture)))
        top, left = (max(0, (side - SIDE) // 2) for side in grey.shape[:2])
        grey = grey[top : top + SIDE, left : left + SIDE]
        for name, (psf, size) in kernels().items():
            reach = psf.shape[0] // 2
            blurred = np.asarray(correlate_valid(jnp.asarray(grey), jnp.asarray(psf[::-1, ::-1].copy())))
            blurred = blurred + np.random.default_rng(0).normal(0.0, NOISE / 255.0, blurred.shape).astype(np.float32)
            sharp = grey[reach:-reach, reach:-reach]
            restored, found = blind_deconvolution(blurred, size=size, sigma=NOISE)
            known = tv_deconvolution(blurred, psf=psf, sigma=NOISE)
            scores = [decibels(np.asarray(x), sharp) for x in (blurred, restored, known)]
            row = [
                path.stem,
                name,
                similarity(psf, np.asarray(found)),
                *scores,
                scores[1] - scores[0],
                10 ** ((scores[2] - scores[1]) / 10),
            ]
            print(row, flush=True)
            rows.append(row)
    columns = ["photograph", "blur", "kernel similarity", "blurred dB", "blind dB", "true kernel dB", "gain dB", "error ratio"]
    notes = "`python -m benchmarks.blind_deconvolution`: crops of at most 232x232, noise of one grey level; what is measured is said there."
    harness.write("blind_deconvolution", "Blind deconvolution", notes, columns, rows, harness.machine())


if __name__ == "__main__":
    main()
