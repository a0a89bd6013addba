"""Example-based super-resolution by anchored neighbourhood regression (A+).

Every low-resolution patch is described by its derivatives. The atom of a dictionary that points most nearly the same way, its anchor, owns
a linear map, learnt by ridge regression on examples around the anchor, from the description to the detail that bicubic enlargement lacks.
Overlapping patches of detail are averaged. `anchored_learning` learns the dictionary and the maps; three learnt models are in `files/`.
"""

from functools import partial
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from jaxrestore.classical.images import in_float
from jaxrestore.classical.luma_chroma import through_luma
from jaxrestore.errors import InputError
from jaxrestore.ops.padding import pad
from jaxrestore.ops.patches import aggregate_patches, extract_patches
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import Image

WINDOW = 3
"""Side of a patch in low-resolution pixels."""

_MARGIN = 3  # low-resolution pixels around the image, so that every pixel lies in as many patches


class AnchoredRegressors(NamedTuple):
    """What A+ learns, for one scale s; P = (3 s)^2 is the number of pixels in an enlarged patch.

    Attributes:
      basis: (4 P, D), the principal directions of the patches' derivatives, row (row, column, filter).
      atoms: (K, D), the anchors, of length one.
      regressors: (K, P, D), each anchor's map from the D principal components to the patch's missing detail.
    """

    basis: Float[Array | np.ndarray, "features dimensions"]
    atoms: Float[Array | np.ndarray, "atoms dimensions"]
    regressors: Float[Array | np.ndarray, "atoms pixels dimensions"]

    @property
    def scale(self) -> int:
        """The enlargement that they were learnt for."""
        return round(self.regressors.shape[1] ** 0.5) // WINDOW


def anchored_neighborhood(image: Image, *, scale: int, model: AnchoredRegressors | str | PathLike = "shipped") -> Image:
    """Enlarge by A+: the luma by learnt regressors, the chroma by bicubic interpolation.

    Args:
      image: (..., H, W, C) in [0, 1], of 1 channel (luma) or 3 (RGB); made from the true one by MATLAB's bicubic `imresize`.
      scale: enlargement, one that the model was learnt for; models for 2, 3 and 4 come with the package.
      model: learnt regressors, or a file of them; "shipped" for those in the package.

    Returns:
      (..., scale H, scale W, C), not clipped.

    Raises:
      InputError: the image has neither 1 nor 3 channels, there is no model for the scale, or the file holds none.

    Reference: Timofte, De Smet and Van Gool, "A+: Adjusted Anchored Neighborhood Regression for Fast Super-Resolution", ACCV 2014;
    "Anchored Neighborhood Regression for Fast Example-Based Super-Resolution", ICCV 2013, section 3.
    """
    pixels = in_float(image)
    model = _shipped(scale) if isinstance(model, str) and model == "shipped" else model
    model = model if isinstance(model, AnchoredRegressors) else load_regressors(model)
    if model.scale != scale:
        raise InputError(f"scale is {scale}: this model enlarges by {model.scale}")
    return _enlarge(pixels, model, scale).astype(image.dtype)


@partial(jax.jit, static_argnums=2)
def _enlarge(image: jax.Array, model: AnchoredRegressors, scale: int) -> jax.Array:
    model = AnchoredRegressors(*(jnp.asarray(leaf, image.dtype) for leaf in model))
    return through_luma(image, partial(_enlarge_luma, model=model, scale=scale), partial(imresize, scale=scale))


def _enlarge_luma(luma: jax.Array, model: AnchoredRegressors, scale: int) -> jax.Array:
    batch = luma.shape[:-3]
    padded = pad(luma, (_MARGIN, _MARGIN), (_MARGIN, _MARGIN), "replicate")
    middle = imresize(padded, scale).reshape(-1, *(scale * side for side in padded.shape[-3:-1]), 1)
    detail = jax.vmap(partial(_missing_detail, model=model, scale=scale))(middle)
    inside = slice(_MARGIN * scale, -_MARGIN * scale)
    return (middle + detail)[:, inside, inside].reshape(*batch, *(scale * side for side in luma.shape[-3:-1]), 1)


def _missing_detail(enlarged: jax.Array, model: AnchoredRegressors, scale: int) -> jax.Array:
    """The mean of overlapping predicted patches: (s h, s w, 1) -> the same."""
    patches = extract_patches(derivatives(enlarged, scale), WINDOW * scale, scale)
    rows, columns = patches.shape[:2]
    described = jnp.matmul(patches.reshape(rows, columns, -1), model.basis, precision="highest")

    def regress(row: jax.Array) -> jax.Array:
        # A row at a time: the maps of all patches of a picture at once would not fit into memory.
        anchor = jnp.argmax(jnp.abs(jnp.matmul(row, model.atoms.T, precision="highest")), axis=-1)
        return jnp.einsum("xpd,xd->xp", model.regressors[anchor], row, precision="highest")

    detail = jax.lax.map(regress, described).reshape(rows, columns, WINDOW * scale, WINDOW * scale, 1)
    return aggregate_patches(detail, enlarged.shape[:2], scale)


def derivatives(enlarged: Float[Array | np.ndarray, "height width 1"], scale: int) -> Float[Array | np.ndarray, "height width 4"]:
    """First and second differences of a bicubically enlarged image along rows and columns, over the distance of a low-resolution pixel.

    Args:
      enlarged: (s h, s w, 1), of JAX or of NumPy.
      scale: s, the enlargement.

    Returns:
      (s h, s w, 4), of the same library; within `scale` pixels of the border they are made up.

    Reference: Zeyde, Elad and Protter, "On Single Image Scale-Up Using Sparse-Representations", 2010, section 4.2.
    """
    numpy = enlarged.__array_namespace__()  # learning sees pictures of every size and would have to compile for each
    image = enlarged[..., 0]
    padded = numpy.pad(image, scale, mode="edge")

    def shifted(down: int, right: int) -> Array | np.ndarray:
        return padded[scale + down : scale + down + image.shape[0], scale + right : scale + right + image.shape[1]]

    near, far = scale // 2, scale // 2 - scale
    first = [shifted(near, 0) - shifted(far, 0), shifted(0, near) - shifted(0, far)]
    second = [0.5 * (shifted(scale, 0) + shifted(-scale, 0)) - image, 0.5 * (shifted(0, scale) + shifted(0, -scale)) - image]
    return numpy.stack(first + second, axis=-1)


def load_regressors(path: str | PathLike) -> AnchoredRegressors:
    """Read what `save_regressors` wrote.

    Raises:
      InputError: the file is missing, or holds no regressors.
    """
    try:
        arrays = load_file(path)
        return AnchoredRegressors(arrays["basis"], arrays["atoms"], arrays["regressors"])
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(f"{path} is no file of anchored regressors: {str(error).splitlines()[0]}") from None


def save_regressors(path: str | PathLike, model: AnchoredRegressors, note: str = "") -> None:
    """Write learnt regressors as safetensors in half precision; `note` says what they were learnt from."""
    save_file(
        {name: np.ascontiguousarray(leaf, np.float16) for name, leaf in model._asdict().items()}, path, {"note": note} if note else None
    )


def _shipped(scale: int) -> Path:
    home = Path(str(files("jaxrestore.classical"))) / "files"
    path = home / f"aplus_x{scale}.safetensors"
    if not path.is_file():
        scales = sorted(p.stem.rpartition("x")[2] for p in home.glob("aplus_x*.safetensors"))
        raise InputError(f"scale is {scale}: A+ was learnt for {', '.join(scales)}; give a model of your own for others")
    return path
