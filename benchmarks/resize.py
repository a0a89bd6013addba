"""MATLAB-bicubic x1/4 of 16x256x256x3: `imresize` against NumPy, image by image.

Run as `python -m benchmarks.resize`. It prints images per second and the ratio, from the medians of interleaved rounds.

Nearly all super-resolution code has one of two NumPy forms: a loop over output rows, each a product of its weights with the rows under the
kernel, or one gather of all those rows and a weighted sum; both compute the weights for every image. A third form, two matrix products
with the matrices made beforehand, shows what NumPy can do (set OPENBLAS_NUM_THREADS=1: these products are too small for threads).
"""

import time
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

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
    seconds = {name: [] for name in forms}
    for _ in range(ROUNDS):
        for name, form in forms.items():
            start = time.perf_counter()
            form()
            seconds[name].append(time.perf_counter() - start)
    ours = np.median(seconds["jaxrestore"])
    print(f"bicubic x1/4 of {images.shape} on {jax.devices()[0].device_kind}, largest difference {difference:.1e}")
    for name, values in seconds.items():
        print(f"{name:20s} {len(images) / np.median(values):8.0f} images/s   jaxrestore is {np.median(values) / ours:6.1f}x as fast")


if __name__ == "__main__":
    main()
