"""What the choice of forms in `nn.conv` brings on the CPU: each convolution against the compiler's own, forward and gradients.

python -m benchmarks.convolution [--threads 1] [--rounds 9]
"""

import argparse
from collections.abc import Callable
from functools import partial

from benchmarks.harness import machine, ratio, take_turns, use_threads, write


def cases() -> dict[str, tuple[tuple, tuple, Callable, Callable]]:
    """Name -> shape of the image, shape of the kernel, our form, the plain one."""
    import jax
    from jax import lax

    from jaxrestore.nn import conv_forms as forms
    from jaxrestore.nn.conv import convolve, convolve_transposed
    from jaxrestore.nn.conv_window import Window, plain

    def convolution(
        image: tuple, side: int, features: int, stride: int = 1, padding: int | None = None, dilation: int = 1, groups: int = 1
    ):
        p = dilation * (side - 1) // 2 if padding is None else padding
        window = Window((stride,) * 2, ((p, p), (p, p)), (dilation,) * 2, groups)
        ours = partial(convolve, strides=(stride,) * 2, padding=(p, p), dilation=(dilation,) * 2, groups=groups)
        return image, (side, side, image[-1] // groups, features), ours, partial(plain, window=window)

    def transposed(image: tuple, side: int, features: int, stride: int, padding: int, extra: int = 0):
        sides = ((side - 1 - padding, side - 1 - padding + extra),) * 2
        ours = partial(convolve_transposed, strides=(stride,) * 2, padding=(padding,) * 2, output_padding=(extra,) * 2)
        return image, (side, side, image[-1], features), ours, partial(forms.transposed_plain, strides=(stride,) * 2, padding=sides)

    def looped(convolve_one: Callable, image: jax.Array, kernel: jax.Array) -> jax.Array:
        return lax.scan(lambda x, k: (jax.nn.relu(convolve_one(x, k)), None), image, jax.numpy.stack([kernel] * 4))[0]

    def inside_scan(image: tuple, side: int, features: int):
        shape, kernel, ours, plain = convolution(image, side, features)
        return shape, kernel, partial(looped, ours), partial(looped, plain)

    large, middle, patches = (1, 128, 128, 64), (1, 96, 96, 64), (16, 32, 32, 64)
    return {
        "3x3, 64 to 64": convolution(large, 3, 64),
        "3x3, 64 to 64, patches": convolution(patches, 3, 64),
        "3x3, 64 to 64, four in a scan": inside_scan((1, 48, 48, 64), 3, 64),
        "5x5, 64 to 64": convolution(large, 5, 64),
        "3x3, 1 to 64": convolution((1, 128, 128, 1), 3, 64),
        "3x3, 3 to 64": convolution((1, 128, 128, 3), 3, 64),
        "3x3, 64 to 3": convolution(large, 3, 3),
        "9x9, 1 to 64": convolution((1, 128, 128, 1), 9, 64),
        "1x1, 64 to 64": convolution(large, 1, 64),
        "1x1, 64 to 256, patches": convolution(patches, 1, 256),
        "1x1 stride 2, 64 to 64": convolution(large, 1, 64, stride=2),
        "depthwise 3x3, 64": convolution(large, 3, 64, groups=64),
        "depthwise 3x3, 64, patches": convolution(patches, 3, 64, groups=64),
        "depthwise 3x3 stride 2, 64": convolution(large, 3, 64, stride=2, groups=64),
        "depthwise 5x5, 64": convolution(large, 5, 64, groups=64),
        "depthwise 7x7, 64": convolution(large, 7, 64, groups=64),
        "4 groups 3x3, 64 to 64": convolution(middle, 3, 64, groups=4),
        "32 groups 3x3, 64 to 64": convolution((1, 48, 48, 64), 3, 64, groups=32),
        "4x4 stride 2, 64 to 64": convolution(large, 4, 64, stride=2, padding=1),
        "3x3 dilation 2, 64 to 64": convolution(middle, 3, 64, dilation=2),
        "4x4 full padding, 64 to 64": convolution((1, 48, 48, 64), 4, 64, padding=3),
        "transposed 2x2 stride 2, 64 to 64": transposed((1, 64, 64, 64), 2, 64, 2, 0),
        "transposed 4x4 stride 2, 64 to 64": transposed((1, 48, 48, 64), 4, 64, 2, 1),
        "transposed 3x3 stride 2, 64 to 64": transposed((1, 48, 48, 64), 3, 64, 2, 1, 1),
        "transposed 9x9 stride 3, 56 to 1": transposed((1, 96, 96, 56), 9, 1, 3, 4, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="measure the cases whose name contains this")
    options = parser.parse_args()
    use_threads(options.threads)

    import jax
    import jax.numpy as jnp
    import numpy as np

    facts, rows = machine(), []
    generator = np.random.default_rng(0)
    for name, (image, kernel, ours, plain) in cases().items():
        if options.only not in name:
            continue
        x, k = (jnp.asarray(0.1 * generator.standard_normal(shape, np.float32)) for shape in (image, kernel))
        result = jax.jit(plain)(x, k)
        difference = float(jnp.abs(jax.jit(ours)(x, k) - result).max() / jnp.abs(result).max())
        assert difference < 1e-5, f"{name}: the forms differ by {difference:.1e}"
        both = {"ours": ours, "plain": plain}
        forward = take_turns({label: partial(_run, jax.jit(form), x, k) for label, form in both.items()}, options.rounds, warm_up=2)
        backward = {label: jax.jit(lambda x, k, g, form=form: jax.vjp(form, x, k)[1](g)) for label, form in both.items()}
        gradients = take_turns({label: partial(_run, f, x, k, result) for label, f in backward.items()}, options.rounds, warm_up=2)
        ratios = [ratio(seconds["ours"], seconds["plain"]) for seconds in (forward, gradients)]
        rows.append((name, *ratios, 1e3 * min(forward["ours"]), 1e3 * min(gradients["ours"]), difference))
        print(*rows[-1], flush=True)
    if options.only:
        return
    write(
        f"convolution_cpu_{options.threads}",
        "Convolutions on the CPU: ours against the compiler's own",
        "Time of the form that `nn.conv` chooses, divided by that of the plain call; median of the rounds [least-most]. Gradients are "
        "those for image and kernel together.",
        ("convolution", "forward", "gradients", "ours forward, ms", "ours gradients, ms", "largest relative difference"),
        rows,
        facts,
    )


def _run(function: Callable, *arguments) -> None:
    import jax

    jax.block_until_ready(function(*arguments))


if __name__ == "__main__":
    main()
