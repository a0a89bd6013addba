"""Total variation: how much an image changes from pixel to pixel.

A term for the restored image alone, without a target. All give the sum over the image divided by H * W * C, so that a weight means the
same for every size; multiply by H * W * C for the sums of the papers. The derivative of a constant image is zero, not NaN.
"""

import math

import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import PerImage, absolute, as_single, per_image, power
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.differences import gradient
from jaxrestore.typing import Image


def total_variation(image: Image, form: str = "anisotropic") -> PerImage:
    """Sum of the lengths of the gradient, over H * W * C.

    Args:
      image: (..., H, W, C).
      form: how the differences d (down) and r (right) make a length: "anisotropic", |d| + |r|, or "isotropic", sqrt(d^2 + r^2). There
        are no differences across the border.

    Raises:
      InputError: an unknown form.

    Reference: Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 1992.
    """
    if form not in ("anisotropic", "isotropic"):
        raise InputError(f"form is {form!r}: it must be anisotropic or isotropic")
    down, right = gradient(as_single(image))
    if form == "anisotropic":
        return per_image(absolute(down) + absolute(right))
    return per_image(power(jnp.square(down) + jnp.square(right), 0.5))


def power_total_variation(image: Image, beta: float = 0.5) -> PerImage:
    """Sum of (d^2 + r^2)^beta over the pixels that have a neighbour both below and to the right, over H * W * C.

    Args:
      image: (..., H, W, C), at least 2x2 pixels; a smaller one has no such pixel and gives 0.
      beta: the power, > 0; 0.5 is the isotropic total variation but for the border, 1 the squared gradient.

    Raises:
      InputError: beta is not positive.

    Reference: Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting Them", CVPR 2015, section 3; as in the public
      code of Ulyanov et al., "Deep Image Prior", CVPR 2018.
    """
    check_range("beta", beta, low=0, open_low=True)
    down, right = gradient(as_single(image))
    squares = power(jnp.square(down) + jnp.square(right), beta)
    return jnp.sum(squares[..., :-1, :-1, :], (-3, -2, -1)) / math.prod(image.shape[-3:])
