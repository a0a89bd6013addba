"""Richardson-Lucy on a 512x512 image: `richardson_lucy` against scikit-image, the same numbers in the same number of iterations.

Run as `python -m benchmarks.richardson_lucy --threads 1`. scikit-image computes in the image's type, here float32 and float64; it has the
kernel's spectrum made anew in each convolution, and six Fourier transforms in an iteration where four suffice.
"""

import argparse

from benchmarks import harness

ITERATIONS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    harness.use_threads(arguments.threads)

    import jax
    import numpy as np
    from skimage.restoration import richardson_lucy as reference

    from jaxrestore.classical.richardson_lucy import richardson_lucy
    from jaxrestore.ops.blur_kernels import motion_kernel

    rows = []
    for dtype in ("float32", "float64"):
        with jax.enable_x64(dtype == "float64"):
            image = np.random.default_rng(0).random((512, 512)).astype(dtype)
            for size in (9, 25):
                psf = np.asarray(motion_kernel(size, size - 4.0, 30.0), dtype)
                ours = jax.device_put(image[..., None])

                def call(border: str, ours=ours, psf=psf) -> np.ndarray:
                    return np.asarray(richardson_lucy(ours, psf=psf, iterations=ITERATIONS, border=border))[..., 0]

                ways = {
                    "scikit-image": lambda image=image, psf=psf: reference(image, psf, num_iter=ITERATIONS, clip=False),
                    "same": lambda call=call: call("zeros"),
                    "open": lambda call=call: call("open"),
                }
                difference = float(np.max(np.abs(ways["same"]() - ways["scikit-image"]())))
                seconds = harness.take_turns(ways, arguments.rounds)
                ratios = (harness.ratio(seconds[name], seconds["scikit-image"]) for name in ("same", "open"))
                rows.append([dtype, f"{size}x{size}", *ratios, difference])
    notes = (
        f"512x512, {ITERATIONS} iterations; ratios of time to scikit-image's, below 1 is faster; median [least-most] of "
        f"{arguments.rounds} interleaved rounds. The same border as scikit-image's (zeros), and the open border of photographs."
    )
    columns = ["type", "psf", "same border", "open border", "largest difference"]
    harness.write(f"richardson_lucy_cpu_{arguments.threads}", "Richardson-Lucy", notes, columns, rows, harness.machine())


if __name__ == "__main__":
    main()
