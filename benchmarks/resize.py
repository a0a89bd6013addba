"""MATLAB-bicubic x1/4 of 16x256x256x3: `imresize` against NumPy, image by image.

Run as `python -m benchmarks.resize`.

Nearly all super-resolution code has one of two NumPy forms: a loop over output rows, each a product of its weights with the rows under the
kernel, or one gather of all those rows and a weighted sum; both compute the weights for every image. A third form, two matrix products
with the matrices made beforehand, shows what NumPy can do (set OPENBLAS_NUM_THREADS=1: these products are too small for threads).
"""

import statistics
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.harness import machine, ratio, take_turns, write
from jaxrestore.ops.resize import imresize, resize_taps

ROUNDS = 15


def shrink_by_rows(image, scale):
    for _ in range(2):  # rows, then columns of the transposed result
        taps = resize_taps(len(image), round(len(image) * scale), scale)
        rows = [np.tensordot(w, image[i], 1) for w, i in zip(taps.weights.astype(np.float32), taps.indices, strict=True)]
        image = np.stack(rows).transpose(1, 0, 2)
    return image


def shrink_by_gathering(image, scale):
    for _ in range(2):
        taps = resize_taps(len(image), round(len(image) * scale), scale)
        image = np.sum(taps.weights.astype(np.float32)[..., None, None] * image[taps.indices], axis=1).transpose(1, 0, 2)
    return image


@cache
def shrinking_matrix(length, scale):
    return resize_taps(length, round(length * scale), scale).matrix(length).astype(np.float32)


def shrink_by_matrices(image, scale):
    for _ in range(2):
        image = np.tensordot(shrinking_matrix(len(image), scale), image, 1).transpose(1, 0, 2)
    return image


def main():
    images = np.random.default_rng(0).random((16, 256, 256, 3), np.float32)
    on_device = jax.device_put(images)
    forms = {
        "jaxrestore": lambda: imresize(on_device, 1 / 4).block_until_ready(),
        "NumPy, row by row": lambda: np.stack([shrink_by_rows(x, 1 / 4) for x in images]),
        "NumPy, gathered": lambda: np.stack([shrink_by_gathering(x, 1 / 4) for x in images]),
        "NumPy, matrices": lambda: np.stack([shrink_by_matrices(x, 1 / 4) for x in images]),
    }
    results = {name: form() for name, form in forms.items()}
    difference = max(float(jnp.max(jnp.abs(results["jaxrestore"] - r))) for r in results.values())
    seconds = take_turns(forms, ROUNDS)
    rows = [(name, len(images) / statistics.median(times), ratio(times, seconds["jaxrestore"])) for name, times in seconds.items()]
    notes = f"The last column is a way's time / jaxrestore's. The results differ by at most {difference:.1e}."
    write("resize", "MATLAB-bicubic x1/4 of 16 images of 256x256x3", notes, ("way", "images/s", "time / ours"), rows, machine())


if __name__ == "__main__":
    main()
