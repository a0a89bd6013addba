"""The measures that a report can have: their names, titles, digits, and what they need."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import jax
from jaxtyping import Array

from jaxrestore.errors import InputError
from jaxrestore.metrics.ciede2000 import ciede2000
from jaxrestore.metrics.conventions import WINDOWS, Convention, Picture, check_pair
from jaxrestore.metrics.gradient_error import gradient_error
from jaxrestore.metrics.mae import mae
from jaxrestore.metrics.psnr import psnr
from jaxrestore.metrics.rmse import rmse
from jaxrestore.metrics.ssim import ms_ssim, ssim
from jaxrestore.ops.structural_similarity import smallest_side

Scores = Mapping[str, float | None]
"""Name of a measure -> value; None where it is not defined."""


@dataclass(frozen=True)
class Measure:
    """How two images can be compared.

    Attributes:
      title: heading of its column.
      compute: (a, b, convention) -> one value for each image.
      digits: decimals in tables.
      least: from SSIM's window to the smallest side that an image may have.
      has_window: it depends on SSIM's window.
      needs_color: it compares colours: the convention must keep RGB, and the images have three channels.
    """

    title: str
    compute: Callable[[Picture, Picture, Convention], Array]
    digits: int = 4
    least: Callable[[int], int] = lambda window: 1
    has_window: bool = False
    needs_color: bool = False

    def suits(self, shape: tuple[int, ...], convention: Convention) -> bool:
        """Whether it is defined for images of this shape in this convention."""
        side = min(shape[-3:-1]) - 2 * convention.border
        colored = convention.color == "rgb" and shape[-1] == 3
        return side >= self.least(WINDOWS[convention.window].size) and (colored or not self.needs_color)


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "psnr": Measure("PSNR (dB)", psnr, 3),
        "ssim": Measure("SSIM", ssim, least=lambda window: window, has_window=True),
        "ms_ssim": Measure("MS-SSIM", ms_ssim, least=smallest_side, has_window=True),
        "mae": Measure("MAE", mae),
        "rmse": Measure("RMSE", rmse),
        "gradient_error": Measure("gradient error", gradient_error, least=lambda window: 3),
        "ciede2000": Measure("CIE DE2000", ciede2000, 3, needs_color=True),
    }
)
"""Every measure of two images by name. PSNR and the similarities are larger for images that are closer, errors are smaller."""

USUAL = ("psnr", "ssim")
"""What restoration papers report."""


def check_measures(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once.

    Raises:
      InputError: none, or one that is no measure.
    """
    names = tuple(dict.fromkeys(names))
    unknown = [name for name in names if name not in MEASURES]
    if unknown or not names:
        what = f"measure {unknown[0]!r} is unknown" if unknown else "no measure is named"
        raise InputError(f"{what}: take some of {', '.join(MEASURES)}")
    return names


def measure(a: Picture, b: Picture, convention: Convention, names: Iterable[str] = USUAL) -> dict[str, float | None]:
    """Several measures of one pair of images.

    Programs are compiled for what the convention has prepared, so that conventions that differ in colour or rounding alone share them.

    Args:
      a: image (H, W, C) in [0, 1], or uint8 or uint16 over the whole range.
      b: the other image, of the same shape.
      convention: what is compared.
      names: some of `MEASURES`.

    Returns:
      Name -> value; None where the image is too small for the measure's window, or the convention leaves no colours to compare.

    Raises:
      InputError: the images differ in shape or do not suit the convention, or a name is unknown.
    """
    names = check_measures(names)
    check_pair(a, b)
    prepared = _prepare(a, b, convention)
    values: dict[str, float | None] = dict.fromkeys(names)
    for name in names:
        if MEASURES[name].suits(a.shape, convention):
            window = convention.window if MEASURES[name].has_window else "gaussian"
            values[name] = float(MEASURES[name].compute(*prepared, Convention("rgb", peak=convention.peak, window=window)))
    return values


@partial(jax.jit, static_argnums=2)
def _prepare(a: Array, b: Array, convention: Convention) -> tuple[Array, Array]:
    return convention.prepare(a), convention.prepare(b)
