"""The median filter of a 512x512 image beside SciPy's and scikit-image's, on the CPU.

Run as `python -m benchmarks.median`. All three give the same numbers; how long they take depends little on the image.
"""

from benchmarks import harness

SIZES = (3, 5, 7, 9, 15)


def main():
    harness.use_threads(1)
    import jax
    import numpy as np
    import scipy.ndimage
    import skimage
    from skimage.filters import median as skimage_median

    from jaxrestore.ops.median import median_filter

    picture = skimage.data.camera().astype(np.float32) / 255
    noisy = np.clip(picture + np.random.default_rng(0).normal(0, 0.05, picture.shape), 0, 1).astype(np.float32)
    image = jax.device_put(noisy[..., None])
    rows = []
    for size in SIZES:
        ways = {
            "ours": lambda size=size: median_filter(image, size).block_until_ready(),
            "scipy": lambda size=size: scipy.ndimage.median_filter(noisy, size),
            "scikit-image": lambda size=size: skimage_median(noisy, np.ones((size, size))),
        }
        if not np.array_equal(np.asarray(ways["ours"]())[..., 0], ways["scipy"]()):
            raise SystemExit(f"{size}x{size}: the results differ")
        seconds = harness.take_turns(ways, rounds=5)
        rows.append((f"{size}x{size}", *(harness.ratio(seconds[name], seconds["ours"]) for name in ("scipy", "scikit-image"))))
    harness.write(
        "median",
        "Median filter of a 512x512 grey image, one CPU core",
        "Time of the others in units of ours, median of 5 interleaved rounds [least-most]: above 1 ours is faster. Results are equal.",
        ("window", "SciPy / ours", "scikit-image / ours"),
        rows,
        harness.machine() | {"scipy": scipy.__version__, "scikit-image": skimage.__version__},
    )


if __name__ == "__main__":
    main()
