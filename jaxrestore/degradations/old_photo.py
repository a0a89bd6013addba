"""The wear of old photographs that is spread over all of it: grain and faded colours. Damage at places is in `scratches`."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.degradations.arguments import Level, Number
from jaxrestore.degradations.batches import each_image
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.color import rgb_to_gray
from jaxrestore.ops.filtering import filter_valid, gaussian_taps
from jaxrestore.typing import Image, Key

GREY_LEVELS = 255.0
_PAPER = (1.0, 0.89, 0.66)  # what white has become on a paper that is entirely yellow
_BLACK, _WHITE = 0.35, 0.8  # what black and white become when the contrast is lost to the utmost


def grain(key: Key, image: Image, sigma: Level, size: Number = 1.0) -> Image:
    """Film grain: clumps of silver, alike in all channels, strongest in the middle tones and absent in pure black and white.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      sigma: standard deviation at middle grey in grey levels, >= 0; at value v it is 2 sqrt(v (1 - v)) times that. One number, or one for
        each image.
      size: of the clumps in pixels, 0..16: the standard deviation of the Gaussian that white noise is smoothed with; 0 leaves it white.

    Returns:
      (..., H, W, C), not clipped.

    Raises:
      InputError: a value is outside its range.

    Reference: Wan et al., "Bringing Old Photos Back to Life", CVPR 2020, section 4.1 (film grain among the unstructured defects); the
      binomial model of developed grains, whose variance is v (1 - v), is that of Selwyn.
    """
    check_range("sigma", sigma, low=0.0)
    check_range("size", size, low=0.0, high=16.0)
    return each_image(_grain, key, image, sigma, size=float(size))


def _grain(key: Key, image: jax.Array, sigma: jax.Array, size: float) -> jax.Array:
    radius = int(3 * size + 0.5)
    noise = jax.random.normal(key, (image.shape[0] + 2 * radius, image.shape[1] + 2 * radius, 1), image.dtype)
    if radius:
        taps = gaussian_taps(2 * radius + 1, size)
        noise = filter_valid(noise, taps / np.linalg.norm(taps))  # its variance stays 1
    inside = jnp.clip(image, 0.0, 1.0)
    return image + sigma / GREY_LEVELS * 2.0 * jnp.sqrt(inside * (1.0 - inside)) * noise


def fading(key: Key, image: Image, color: Level = 0.5, contrast: Level = 0.5, yellowing: Level = 0.5) -> Image:
    """Faded dyes, lost contrast and yellowed paper: what light and age do to a print.

    Args:
      key: not used; fading is not random.
      image: (..., H, W, C) in [0, 1], RGB; other numbers of channels only lose contrast.
      color: share of the colour that is lost, 0..1: 1 leaves the luma. One number, or one for each image, like all that follows.
      contrast: share of the contrast's loss, 0..1: at 1 black has become 0.35 and white 0.8.
      yellowing: share of the paper's yellowing, 0..1: at 1 white paper has the colour (1, 0.89, 0.66).

    Raises:
      InputError: a value is outside 0..1.

    Reference: Wan et al., "Bringing Old Photos Back to Life", CVPR 2020, section 4.1 (colour fading among the unstructured defects).
    """
    for name, level in (("color", color), ("contrast", contrast), ("yellowing", yellowing)):
        check_range(name, level, low=0.0, high=1.0)
    return each_image(_fading, key, image, color, contrast, yellowing)


def _fading(key: Key, image: jax.Array, color: jax.Array, contrast: jax.Array, yellowing: jax.Array) -> jax.Array:
    rgb = image.shape[-1] == 3
    if rgb:
        image = image + color * (rgb_to_gray(image) - image)
    black, white = contrast * _BLACK, 1.0 - contrast * (1.0 - _WHITE)
    image = black + (white - black) * image
    if rgb:
        image = image * (1.0 - yellowing * (1.0 - jnp.asarray(_PAPER, image.dtype)))[None, None, :]
    return image
