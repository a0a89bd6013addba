"""What the classification networks of torchvision take: colours standardised by the statistics of ImageNet."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.ops.color import gray_to_rgb
from jaxrestore.typing import Image

MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue over the training images, in [0, 1]."""

DEVIATION = (0.229, 0.224, 0.225)
"""Their standard deviations."""


def standardise(image: Image) -> jax.Array:
    """The image less ImageNet's mean, in units of its standard deviation, channel by channel.

    On [-1, 1] the same map is the `ScalingLayer` of LPIPS: shift (-0.030, -0.088, -0.188), scale (0.458, 0.448, 0.450).

    Args:
      image: (..., H, W, 3) in [0, 1]; one channel is taken as grey, the same in all three.

    Returns:
      (..., H, W, 3), about -2 to 2.6.

    Raises:
      InputError: the image has neither three channels nor one.
    """
    if image.shape[-1] not in (1, 3):
        raise InputError(f"features: expected an image of 3 channels or 1, got the shape {image.shape}")
    image = gray_to_rgb(image) if image.shape[-1] == 1 else jnp.asarray(image)
    mean, deviation = (np.asarray(values, image.dtype).reshape((1,) * (image.ndim - 1) + (3,)) for values in (MEAN, DEVIATION))
    return (image - mean) / deviation
