"""Networks in eight bits: which numbers go through each convolution is learned from images, and convolutions of whole numbers take over.

Dense convolutions are replaced. Others stay as they are: depthwise ones and those on global means are little of the arithmetic, and
transposed ones and matrix products of attention are left out.

Reference: Jacob, Kligys, Chen, Zhu, Tang, Howard, Adam and Kalenichenko, CVPR 2018, https://arxiv.org/abs/1712.05877, section 2.1;
Krishnamoorthi 2018, https://arxiv.org/abs/1806.08342, sections 2 and 3 (a step for each output channel of a kernel, one for an image).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.int8_convolution import int8_convolution, levels
from jaxrestore.export.int8_weights import SCALE
from jaxrestore.nn.conv import Conv, pair

PERCENTILE = 100.0
"""Of the numbers of one image that the levels cover, from below and from above: all. Cutting off outliers, so that the others are told
apart more finely, was not measured to pay: of 0.08 dB DnCNN's loss becomes 0.11 when 1 number in 10,000 goes on each side and 0.96 when 1
in 1,000 does, and of EDSR and NAFNet the first saves no more than 0.01 dB."""


class Ranges(NamedTuple):
    """Lowest and highest numbers that go into a convolution and come out of it."""

    given: tuple[float, float]
    result: tuple[float, float]


def calibrate(
    run: Callable[[jax.Array], jax.Array], images: Sequence[np.ndarray] | np.ndarray, percentile: float | int = PERCENTILE
) -> dict[str, Ranges]:
    """What goes through each dense convolution of a network.

    Args:
      run: the network with its weights; it takes (1, H, W, channels).
      images: (H, W, channels) each, floating point with white = 1: such as the network will be given. Equal sizes compile once.
      percentile: of each image's numbers, 50..100; the widest range over the images is taken. 100 is the lowest and the highest.

    Returns:
      Path of the convolution, such as "block_0/conv_0" -> its ranges.
    """

    def traced(image: jax.Array) -> dict[str, list[tuple[jax.Array, jax.Array]]]:
        found: dict[str, list[tuple[jax.Array, jax.Array]]] = {}

        def listen(call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext) -> Any:
            result = call(*args, **kwargs)
            if _is_dense(context, args):
                found.setdefault("/".join(context.module.path), []).append((args[0], result))
            return result

        with nn.intercept_methods(listen):
            run(image)
        return found

    compiled, ranges = jax.jit(traced), {}
    for image in images:
        for path, calls in compiled(np.asarray(image, np.float32)[None]).items():
            for call in calls:
                both = Ranges(*(_range(np.asarray(values), percentile) for values in call))
                ranges[path] = _wider(ranges[path], both) if path in ranges else both
    return ranges


def in_int8(ranges: Mapping[str, Ranges], weights: Mapping[str, Any]) -> Any:
    """A context in which a network's dense convolutions compute in eight bits.

    Args:
      ranges: what `calibrate` found.
      weights: by name, such as "params/head/kernel", in int8, with their scales beside them: what `int8_weights.quantised` gives.
    """

    def replace(call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext) -> Any:
        layer = context.module
        path = "/".join(layer.path)
        if path not in ranges or not _is_dense(context, args):
            return call(*args, **kwargs)
        name = f"params/{path}/kernel"
        image, sides = layer.padded(args[0])
        features = weights[name].shape[-1]
        bias = jnp.asarray(weights[f"params/{path}/bias"], jnp.float32) if layer.use_bias else jnp.zeros(features)
        found = int8_convolution(
            image,
            weights[name],
            weights[name + SCALE],
            bias,
            given=levels(*ranges[path].given),
            result=ranges[path].result,
            strides=pair(layer.strides),
            padding=sides,
            dilation=pair(layer.dilation),
        )
        return found.astype(image.dtype)

    return nn.intercept_methods(replace)


def _is_dense(context: nn.module.InterceptorContext, args: tuple) -> bool:
    layer = context.module
    if type(layer) is not Conv or context.method_name != "__call__" or layer.groups != 1:
        return False
    return not all(isinstance(side, int) and side == 1 for side in args[0].shape[1:3])


def _range(values: np.ndarray, percentile: float | int) -> tuple[float, float]:
    if not np.isfinite(values).all():
        raise InputError("the network gives numbers that are not finite on the images for calibration")
    low, high = np.percentile(values, (100.0 - percentile, percentile))
    return float(low), float(high)


def _wider(a: Ranges, b: Ranges) -> Ranges:
    return Ranges(*((min(x[0], y[0]), max(x[1], y[1])) for x, y in zip(a, b, strict=True)))
