"""A network that is going to compute in eight bits, with what goes through it on images."""

import dataclasses
from os import PathLike

import jax.numpy as jnp
import numpy as np

from jaxrestore.data.samples import samples
from jaxrestore.errors import InputError
from jaxrestore.export.int8 import calibrate
from jaxrestore.export.network import Exportable
from jaxrestore.ops.resize import imresize


def calibrated(network: Exportable, images: str | PathLike | np.ndarray) -> Exportable:
    """The network with the ranges of its dense convolutions.

    Args:
      network: in 32 bits.
      images: a folder of pictures such as the network will be given, before any interpolation, or (N, H, W, channels), floating point with
        white = 1, as the network takes them.

    Raises:
      InputError: images of other channels, a network that takes more than an image, or one without dense convolutions.
    """
    if network.maps:
        fixed = ": fix it with sigma" if network.maps == ("noise_level",) else ""
        raise InputError(f"{network.name} takes {' and '.join(network.maps)} beside the image, and cannot be calibrated{fixed}")
    if not isinstance(images, np.ndarray):
        images = samples(images, network.channels, "luma" if network.scale * network.before > 1 else "gray")
        if network.before > 1:
            images = np.asarray(imresize(images, scale=network.before), np.float32)
    if images.ndim != 4 or images.shape[-1] != network.channels or not len(images) or images.dtype.kind != "f":
        raise InputError(f"{network.name} is calibrated on images (N, H, W, {network.channels}) in floating point, not {images.shape}")
    plain = dataclasses.replace(network, int8_weights=False)
    function, weights = plain.function(), tuple(map(jnp.asarray, plain.weights.values()))
    ranges = calibrate(lambda image: function(weights, (image,)), images)
    if not ranges:
        raise InputError(f"{network.name} has no dense convolutions: there is nothing to compute in eight bits")
    return dataclasses.replace(network, ranges=ranges)
