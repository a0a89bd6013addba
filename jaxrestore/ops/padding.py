"""Padding to the sizes that a network needs, and cropping back."""

import jax.numpy as jnp

from jaxrestore.typing import Image


def pad_to_multiple(image: Image, multiple: int, mode: str = "reflect") -> Image:
    """Pad at the bottom and right until height and width are multiples of `multiple`.

    Args:
      image: (..., H, W, C).
      multiple: positive number; 1 gives the image back as it is.
      mode: "reflect" (mirror without repeating the edge pixel, bouncing where the image is smaller than the border), "replicate" or "zeros".

    Returns:
      (..., H', W', C) with H <= H' < H + multiple, likewise W'.
    """
    height, width = image.shape[-3:-1]
    below, right = -height % multiple, -width % multiple
    if not below and not right:
        return image
    border = [(0, 0)] * (image.ndim - 3) + [(0, below), (0, right), (0, 0)]
    return jnp.pad(image, border, {"reflect": "reflect", "replicate": "edge", "zeros": "constant"}[mode])


def crop(image: Image, size: tuple[int, int]) -> Image:
    """The top left (..., height, width, C) of an image."""
    return image[..., : size[0], : size[1], :]
