"""Super-resolution by iterative back-projection: the enlarged image, shrunk again, must be the image that was given."""

from functools import partial

import jax

from jaxrestore.classical.images import in_float
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import ArrayLike, Image


def back_projection(image: Image, *, scale: int, iterations: int = 20, step: float | int = 1.0) -> Image:
    """Enlarge by bicubic interpolation, then add what is missing after shrinking, again and again.

    Args:
      image: (..., H, W, C), made from the true one by MATLAB's bicubic `imresize`.
      scale: enlargement, >= 1.
      iterations: how often, >= 0. Noise is amplified by many.
      step: how much of what is missing is added each time, in (0, 1.5]; larger ones diverge.

    Returns:
      (..., scale H, scale W, C), not clipped.

    Raises:
      InputError: a number is out of its range.

    Reference: Irani and Peleg, "Improving Resolution by Image Registration", CVGIP 1991, section 3, with one image and bicubic kernels.
    """
    check_range("scale", scale, low=1)
    check_range("iterations", iterations, low=0)
    check_range("step", step, low=0.0, high=1.5, open_low=True)
    return _back_project(in_float(image), scale, iterations, float(step)).astype(image.dtype)


@partial(jax.jit, static_argnums=1)
def _back_project(image: jax.Array, scale: int, iterations: ArrayLike, step: ArrayLike) -> jax.Array:
    def improve(_: ArrayLike, enlarged: jax.Array) -> jax.Array:
        return enlarged + step * imresize(image - imresize(enlarged, 1.0 / scale), scale)

    return jax.lax.fori_loop(0, iterations, improve, imresize(image, scale))
