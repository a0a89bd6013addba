"""NIQE: how far an image's local statistics are from those of natural photographs. No reference image is needed.

A number means something only beside the photographs that it is measured against, the model: `niqe` takes it, and `NiqeModel.about` says
which they were. No model comes with the package. `fit_niqe` makes one of a folder of photographs in seconds; the mean and covariance that
the authors publish make another, with which numbers are comparable with those of other programs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.metrics.conventions import Picture, to_float
from jaxrestore.ops.color import rgb_to_gray
from jaxrestore.ops.filtering import filter_separable, gaussian_taps
from jaxrestore.ops.resize import imresize

BLOCK = 96
"""Side of the blocks whose statistics are taken, in pixels; half of it at the second scale."""

FEATURES = 36
"""Statistics of a block: for each of two scales two of its values and four of each product with a neighbour."""

_SHARP = 0.75  # blocks of photographs count where their mean contrast is above this share of the image's largest
_NEIGHBORS = ((0, 1), (1, 0), (1, 1), (1, -1))
_SHAPES = np.arange(0.2, 10.0005, 0.001)


@dataclass(frozen=True, eq=False)
class NiqeModel:
    """The Gaussian distribution of the features of natural photographs.

    Attributes:
      mean: (36,).
      covariance: (36, 36).
      about: which photographs, and how many blocks of them.
    """

    mean: np.ndarray
    covariance: np.ndarray
    about: str

    def save(self, path: Path | str) -> None:
        """Write to a NumPy file (.npz)."""
        np.savez(path, mean=self.mean, covariance=self.covariance, about=np.array(self.about))

    @classmethod
    def load(cls, path: Path | str) -> "NiqeModel":
        """Read what `save` wrote.

        Raises:
          InputError: the file is missing or is none of these.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                model = cls(file["mean"], file["covariance"], str(file["about"]))
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path} is no model of NIQE: {error}") from error
        if model.mean.shape != (FEATURES,) or model.covariance.shape != (FEATURES, FEATURES):
            raise InputError(f"{path} is no model of NIQE: its mean has the shape {model.mean.shape}, not ({FEATURES},)")
        return model


def niqe(image: Picture, model: NiqeModel) -> Float[np.ndarray, "..."]:
    """Distance of an image's statistics from a model of natural photographs: 0 is natural; noise, blur and artefacts are farther.

    Args:
      image: (..., H, W, C), 3 channels or 1, in [0, 1], or uint8 or uint16 over the whole range; at least 96x192 pixels. Its grey is
        rounded to 8 bits. Rows and columns beyond the last whole block of 96x96 are left out.
      model: what natural is.

    Returns:
      One value for each image of the leading axes. It is computed in double precision on the host, from features of the device, and is
      neither differentiable nor to be compiled.

    Raises:
      InputError: the image is too small, or fewer than two of its blocks have any contrast.

    Reference: Mittal, Soundararajan and Bovik, "Making a 'Completely Blind' Image Quality Analyzer", IEEE Signal Processing Letters 2013,
      equation 10, with the constants of the authors' code.
    """
    features, _ = niqe_features(image)
    leading, blocks = features.shape[:-2], np.asarray(features, np.float64).reshape(-1, *features.shape[-2:])
    return np.array([_distance(rows, model) for rows in blocks]).reshape(leading)


def fit_niqe(images: Iterable[Picture], about: str) -> NiqeModel:
    """The model of a set of photographs: mean and covariance of the features of their sharp blocks.

    Args:
      images: undistorted photographs (H, W, C), as `niqe` takes them; a hundred and more.
      about: says which they are; the number of blocks is added.

    Raises:
      InputError: too few blocks for a covariance.
    """
    kept, count = [], 0
    for image in images:
        features, sharpness = (np.asarray(x, np.float64) for x in niqe_features(image))
        kept.append(features[(sharpness > _SHARP * sharpness.max()) & np.isfinite(features).all(-1)])
        count += 1
    rows = np.concatenate(kept) if kept else np.zeros((0, FEATURES))
    if len(rows) <= FEATURES:
        raise InputError(f"{len(rows)} sharp blocks in {count} images: a model of NIQE needs more than {FEATURES}")
    return NiqeModel(rows.mean(0), np.cov(rows, rowvar=False), f"{about}: {len(rows)} blocks of {count} images")


def niqe_features(image: Picture) -> tuple[Float[Array, "... blocks features"], Float[Array, "... blocks"]]:
    """The 36 statistics of every block, and the block's sharpness.

    Of values divided by their local contrast, and of their products with four neighbours, an asymmetric generalised Gaussian is fitted.

    Args:
      image: as for `niqe`.

    Returns:
      Features (..., blocks, 36), not finite for a block without contrast, and mean local contrast in grey levels (..., blocks).

    Raises:
      InputError: the image is smaller than two blocks.
    """
    *_, height, width, channels = image.shape
    if channels not in (1, 3) or (height // BLOCK) * (width // BLOCK) < 2:
        raise InputError(f"NIQE needs an image of 1 or 3 channels and two blocks of {BLOCK}x{BLOCK} pixels, got the shape {image.shape}")
    return _features(image)


@jax.jit
def _features(image: Array) -> tuple[Array, Array]:
    image = to_float(image)
    gray = jnp.round(255.0 * jnp.clip(rgb_to_gray(image) if image.shape[-1] == 3 else image, 0.0, 1.0))
    rows, columns = (side // BLOCK for side in gray.shape[-3:-1])
    # Nothing here depends on the origin; from the middle of the range the float32 error of the variances is smaller.
    gray = gray[..., : rows * BLOCK, : columns * BLOCK, :] - 128.0
    taps, found, sharpness = gaussian_taps(7, 7 / 6), [], None
    for scale in (1, 2):
        mean = filter_separable(gray, taps, taps, "edge")
        contrast = jnp.sqrt(jnp.abs(filter_separable(gray * gray, taps, taps, "edge") - mean * mean))
        found.append(_statistics(_blocks((gray - mean) / (contrast + 1.0), BLOCK // scale)))
        if scale == 1:
            sharpness = jnp.mean(_blocks(contrast, BLOCK), axis=(-2, -1))
            gray = imresize(gray, 0.5)
    return jnp.concatenate(found, axis=-1), sharpness


def _blocks(image: Array, side: int) -> Array:
    """(..., H, W, 1) -> (..., blocks, side, side)."""
    *leading, height, width, _ = image.shape
    image = image.reshape(*leading, height // side, side, width // side, side)
    return jnp.moveaxis(image, -3, -2).reshape(*leading, -1, side, side)


def _statistics(blocks: Array) -> Array:
    """(..., blocks, side, side) -> (..., blocks, 18)."""
    products = [blocks * jnp.roll(blocks, shift, (-2, -1)) for shift in _NEIGHBORS]
    values = jnp.stack([blocks, *products], axis=-3)
    shape, left, right, reach = _fit(values.reshape(*values.shape[:-2], -1))
    own = jnp.stack([shape[..., 0], (left[..., 0] + right[..., 0]) / 2], axis=-1)
    of_products = jnp.stack([shape, (right - left) * reach, left, right], axis=-1)[..., 1:, :]
    return jnp.concatenate([own, of_products.reshape(*own.shape[:-1], -1)], axis=-1)


def _fit(values: Array) -> tuple[Array, Array, Array, Array]:
    """Asymmetric generalised Gaussian of (..., n): shape, width to the left, to the right, and what their difference's mean is worth.

    Reference: Lasmar, Stitou and Berthoumieu, "Multiscale skewed heavy tailed model for texture analysis", ICIP 2009.
    """
    square = jnp.square(values)
    negative, positive = values < 0, values > 0
    left, right = (jnp.sqrt(jnp.sum(square * side, axis=-1) / jnp.sum(side, axis=-1)) for side in (negative, positive))
    skew = left / right
    ratio = jnp.square(jnp.mean(jnp.abs(values), axis=-1)) / jnp.mean(square, axis=-1)
    ratio = ratio * (skew**3 + 1) * (skew + 1) / jnp.square(jnp.square(skew) + 1)
    ratios, widths, means = (jnp.asarray(column, values.dtype) for column in _tables())
    after = jnp.clip(jnp.searchsorted(ratios, ratio), 1, len(_SHAPES) - 1)
    place = jnp.where(ratio - ratios[after - 1] <= ratios[after] - ratio, after - 1, after)
    shape = jnp.where(jnp.isfinite(ratio), jnp.asarray(_SHAPES, values.dtype)[place], jnp.nan)
    return shape, left * widths[place], right * widths[place], means[place]


@cache
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every shape: the ratio of squared mean magnitude to variance, a standard deviation's width, and a width's mean."""
    from scipy.special import gamma

    one, two, three = (gamma(k / _SHAPES) for k in (1, 2, 3))
    return two**2 / (one * three), np.sqrt(one / three), two / one


def _distance(features: np.ndarray, model: NiqeModel) -> float:
    features = features[np.isfinite(features).all(-1)]
    if len(features) < 2:
        raise InputError("NIQE: fewer than two blocks of the image have any contrast")
    difference = features.mean(0) - model.mean
    spread = (np.cov(features, rowvar=False) + model.covariance) / 2
    return float(np.sqrt(difference @ np.linalg.pinv(spread, hermitian=True) @ difference))
