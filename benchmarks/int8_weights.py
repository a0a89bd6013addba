"""What kernels in eight bits cost: PSNR lost on real images, the file's size, and time.

Run as `python -m benchmarks.int8_weights SET12 DNCNN_WEIGHTS IMDN_WEIGHTS SET5`: folders of images, and files with the authors' weights of
DnCNN (sigma 25) and IMDN. The package's own colour denoiser is measured beside them.
"""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks import harness

COLUMNS = ("network", "images", "PSNR, 32 bits", "PSNR, 8 bits", "lost, dB", "file, MiB", "in 8 bits", "time in 8 bits / 32 bits")


def main():
    harness.use_threads(1)
    import numpy as np

    import jaxrestore
    from jaxrestore.data.images import find_images, read_image, to_float
    from jaxrestore.ops.resize import imresize

    set12, dncnn, imdn, set5 = sys.argv[1:]
    random = np.random.default_rng(0)

    def noisy(folder):
        for path in find_images(folder):
            clean = to_float(read_image(path).color)
            yield clean, (clean + random.normal(0, 25 / 255, clean.shape)).astype(np.float32)

    def small(scale):
        for path in find_images(set5):
            clean = to_float(read_image(path).color)
            clean = clean[: clean.shape[0] // scale * scale, : clean.shape[1] // scale * scale]
            shrunk = np.round(255 * np.clip(np.asarray(imresize(clean, 1 / scale)), 0, 1)) / 255
            yield clean, shrunk.astype(np.float32)

    def score(network, pairs, convention):
        restored = [(clean, np.clip(np.asarray(network(degraded)), 0, 1)) for clean, degraded in pairs]
        return float(np.mean([jaxrestore.psnr(x, clean, convention=convention) for clean, x in restored]))

    rows = []
    for name, weights, pairs, convention in (
        ("DnCNN, sigma 25", dncnn, list(noisy(set12)), "gray"),
        ("drunet_color_blind_light.bsds400, sigma 25", None, list(noisy(set5)), "rgb"),
        ("IMDN x4", imdn, list(small(4)), "luma+border4+round8"),
    ):
        source = jaxrestore.load_weights(weights or name.split(",")[0])
        with tempfile.TemporaryDirectory() as folder:
            networks, sizes = [], []
            for int8 in (False, True):
                file = Path(folder) / f"{int8}.jaxexport"
                jaxrestore.export_network(source, file, int8_weights=int8)
                networks.append(jaxrestore.load_exported(file))
                sizes.append(file.stat().st_size / 2**20)
        scores = [score(network, pairs, convention) for network in networks]
        image = pairs[0][1][:128, :128]
        ways = {key: lambda n=n, image=image: n(image).block_until_ready() for key, n in zip(("float", "int8"), networks, strict=True)}
        turns = harness.take_turns(ways, rounds=5, clock=time.process_time)
        ratio = harness.ratio(turns["int8"], turns["float"])
        folder_name = Path(set12 if weights == dncnn else set5).name
        rows.append(
            [
                name,
                f"{folder_name}, {convention}",
                *(f"{s:.3f}" for s in scores),
                f"{scores[0] - scores[1]:.3f}",
                *map("{:.2f}".format, sizes),
                ratio,
            ]
        )
    harness.write(
        "int8_weights",
        "Kernels in eight bits: what they cost",
        "A scale for each output channel, chosen to err least; computed with as 32-bit numbers, so that the time stays. PSNR in dB by the"
        " convention named beside the images; noise of the same seed for both. Processor time of one core, 5 rounds.",
        COLUMNS,
        rows,
        harness.machine(),
    )


if __name__ == "__main__":
    main()
