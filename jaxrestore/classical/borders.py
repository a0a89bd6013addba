"""What an image is taken to be beyond its border when it is deblurred by Fourier transforms, which see a torus.

A photograph ends where the sensor ends, and light from beyond has been blurred into it. Taken as a torus it has a jump where opposite sides
meet, and deblurring draws that jump as ripples far into the picture.
"""

from typing import Literal, get_args

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.ops.fourier import Kernel, apply_otf, fast_length, psf_to_otf
from jaxrestore.ops.padding import crop, pad
from jaxrestore.typing import Image

Border = Literal["open", "circular"]
"""Beyond the border: "open", a scene that was not seen, as in a photograph; "circular", the opposite side, as in a synthetic blur."""

# After 15 steps the PSNR of a motion blur of 17 pixels is within 0.05 dB of where 100 steps lead, after none 4.6 dB below.
_FILLINGS = 15


def check_word(name: str, value: str, words: object) -> None:
    """The value is one of the words of a Literal type.

    Raises:
      InputError: it is not.
    """
    if value not in get_args(words):
        raise InputError(f"{name} is {value!r}: it must be one of {', '.join(get_args(words))}")


def deblur(image: jax.Array, otf: jax.Array, filtered: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Apply a linear deblurring filter.

    With an open border the torus beyond the image is unknown data. It is filled with what the filter's own result says it should be, the
    result blurred again, until both agree: the expectation-maximisation of missing data, with Nesterov's momentum. For the Wiener filter
    that solves its least-squares problem with the seen pixels alone; without it, motion blur leaves ripples all over the picture.

    Args:
      image: (..., H, W, C).
      otf: transfer function of the blur on the torus of `torus_size`.
      filtered: transfer function of the filter, of a shape that multiplies with an image's spectrum.
      size: that torus's size; the image's own for a circular border.

    Returns:
      (..., H, W, C).

    Reference: Dempster, Laird and Rubin, "Maximum Likelihood from Incomplete Data via the EM Algorithm", JRSS B 1977, section 4.1.
    """
    seen = (image.shape[-3], image.shape[-2])
    if seen == size:
        return apply_otf(image, filtered)
    blurred_again = filtered * otf
    inside = seen_pixels(image, size) > 0.0

    def step(_: jax.Array | int, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        ahead, before, momentum = state
        data = jnp.where(inside, ahead, apply_otf(ahead, blurred_again))
        following = 0.5 * (1.0 + jnp.sqrt(1.0 + 4.0 * jnp.square(momentum)))
        return data + (momentum - 1.0) / following * (data - before), data, following

    torus = extend(image, size)
    _, data, _ = jax.lax.fori_loop(0, _FILLINGS, step, (torus, torus, jnp.ones((), image.dtype)))
    return crop(apply_otf(data, filtered), seen)


def torus_size(image: Image, psf: Kernel, border: Border) -> tuple[int, int]:
    """The size of the torus on which an image is deblurred: its own, or with room for what an open border hides.

    The room is what the blur reaches; then on to the next size whose Fourier transform is fast.
    """
    if border == "circular":
        return image.shape[-3], image.shape[-2]
    height, width = (fast_length(image.shape[axis] + psf.shape[axis + 1] - 1) for axis in (-3, -2))
    return height, width


def transfer(image: jax.Array, psf: jax.Array, size: tuple[int, int]) -> jax.Array:
    """The transfer function on a torus, with as many axes as the image."""
    otf = psf_to_otf(psf, size)
    return otf.reshape((1,) * (image.ndim - otf.ndim) + otf.shape)


def seen_pixels(image: jax.Array, size: tuple[int, int]) -> jax.Array:
    """1 where the torus holds the image and 0 beyond: (1, ..., height, width, 1)."""
    ones = jnp.ones((1,) * (image.ndim - 3) + image.shape[-3:-1] + (1,), image.dtype)
    return pad(ones, (0, size[0] - image.shape[-3]), (0, size[1] - image.shape[-2]), "zeros")


def extend(image: Image, size: tuple[int, int]) -> jax.Array:
    """Continue an image below and on the right so that it closes to a torus without a jump.

    The new rows go over from the mirror image below the last row to the mirror image above the first; the new columns likewise.

    Args:
      image: (..., H, W, C).
      size: (height, width) of the torus, at least the image's.

    Returns:
      (..., height, width, C), the image in its top left corner.

    Reference: the purpose, not the method, of Liu and Jia, "Reducing Boundary Artifacts in Image Deconvolution", ICIP 2008.
    """
    image = jnp.asarray(image)
    for axis in (-3, -2):
        image = _close(image, axis, size[axis + 3])
    return image


def _close(image: jax.Array, axis: int, length: int) -> jax.Array:
    seen = image.shape[axis]
    more = length - seen
    if not more:
        return image
    rows, columns = ((0, more), (0, 0)) if axis == -3 else ((0, 0), (0, more))
    after = jax.lax.slice_in_dim(pad(image, rows, columns, "symmetric"), seen, length, axis=image.ndim + axis)
    before = jax.lax.slice_in_dim(pad(image, rows[::-1], columns[::-1], "symmetric"), 0, more, axis=image.ndim + axis)
    along = jnp.arange(1, more + 1, dtype=image.dtype) / (more + 1)
    weight = jnp.square(along) * (3.0 - 2.0 * along)  # level at both ends
    weight = weight.reshape((1,) * (image.ndim + axis) + (more,) + (1,) * (-axis - 1))
    return jnp.concatenate([image, after + weight * (before - after)], axis=axis)
