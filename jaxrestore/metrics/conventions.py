"""The passport of a score: what exactly was compared.

One restored image has PSNRs that differ by several dB, by colour space and border alone. A `Convention` states every choice, its name
spells them out ("luma+border4+round8") and can be read back, and whatever computes or stores a score keeps the convention beside it.

The choices are applied in this order: rounding to 8 bits, colour, border.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Shaped

from jaxrestore.errors import InputError
from jaxrestore.ops.color import luma_studio, rgb_to_gray, rgb_to_ycbcr_full
from jaxrestore.typing import Image

Picture = Shaped[Array | np.ndarray, "... _ _ _"]
"""(..., H, W, C): floating point in [0, 1], or unsigned integers over their whole range."""

COLORS: Mapping[str, tuple[Callable[[Image], Image] | None, str]] = MappingProxyType(
    {
        "rgb": (None, "all channels as they are"),
        "luma": (luma_studio, "BT.601 luma in the studio range (MATLAB's rgb2ycbcr)"),
        "gray": (rgb_to_gray, "BT.601 grey in the full range"),
        "ycbcr": (rgb_to_ycbcr_full, "all channels of JPEG's full-range YCbCr"),
    }
)
"""name -> (conversion of an RGB image, what it is). One channel is taken as what the name says already."""


@dataclass(frozen=True)
class Window:
    """The window in which SSIM takes its local statistics.

    Attributes:
      size: side in pixels; only positions where it lies inside the image count.
      sigma: standard deviation of a Gaussian window in pixels; None for a uniform one.
      sample_covariance: divide variances by one less than the number of pixels.
      description: who uses it.
    """

    size: int
    sigma: float | None
    sample_covariance: bool
    description: str


WINDOWS: Mapping[str, Window] = MappingProxyType(
    {
        "gaussian": Window(11, 1.5, False, "11x11 Gaussian, sigma 1.5, inside the image (Wang et al. 2004, MATLAB's ssim_index, BasicSR)"),
        "uniform": Window(7, None, True, "7x7 uniform with sample covariance, inside the image (scikit-image's default)"),
    }
)


@dataclass(frozen=True)
class Convention:
    """How two images are compared.

    Attributes:
      color: a name of `COLORS`: "rgb", "luma", "gray" or "ycbcr".
      border: pixels left out on each side.
      rounding: both images are clipped to [0, 1] and rounded to 8 bits first, as if they had been saved as ordinary picture files.
      peak: the largest value, which PSNR and SSIM are relative to.
      window: SSIM's window, a name of `WINDOWS`.

    Raises:
      InputError: an unknown colour or window, a negative border or a peak that is not positive.
    """

    color: str = "rgb"
    border: int = 0
    rounding: bool = False
    peak: float | int = 1.0
    window: str = "gaussian"

    def __post_init__(self) -> None:
        if self.color not in COLORS:
            raise InputError(f"convention: colour {self.color!r} is not one of {', '.join(COLORS)}")
        if self.window not in WINDOWS:
            raise InputError(f"convention: SSIM window {self.window!r} is not one of {', '.join(WINDOWS)}")
        if self.border < 0 or not self.peak > 0:
            raise InputError(f"convention: border {self.border} must not be negative and peak {self.peak} must be positive")

    @property
    def name(self) -> str:
        """Short and unambiguous: `Convention.parse` reads it back. Choices that are the plain ones are not named."""
        parts = [self.color]
        parts += [f"border{self.border}"] * bool(self.border)
        parts += ["round8"] * self.rounding
        parts += [f"peak{float(self.peak)!r}"] * (self.peak != 1.0)
        parts += [self.window] * (self.window != "gaussian")
        return "+".join(parts)

    @property
    def description(self) -> str:
        """The convention in words."""
        border = f"{self.border} border pixels left out on each side" if self.border else "whole image"
        rounding = "clipped and rounded to 8 bits" if self.rounding else "not rounded"
        return f"{COLORS[self.color][1]}; {border}; {rounding}; peak {self.peak:g}; SSIM window {WINDOWS[self.window].description}"

    @classmethod
    def parse(cls, name: str) -> "Convention":
        """The convention of a name such as "rgb", "gray+round8" or "luma+border4+round8".

        Args:
          name: a colour, then any of borderN, round8, peakX and the name of an SSIM window, joined by "+".

        Raises:
          InputError: a part that is none of these, or one that appears twice.
        """
        color, *parts = name.split("+")
        fields: dict[str, Any] = {}
        for part in parts:
            field, value = _read(part, name)
            if field in fields:
                raise InputError(f"convention {name!r}: {part!r} says a second time what its {field} is")
            fields[field] = value
        if color not in COLORS:
            raise InputError(
                f"convention {name!r}: {color!r} is not a colour; begin with one of {', '.join(COLORS)}, as in luma+border4+round8"
            )
        return cls(color=color, **fields)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; `parse` of its "name" gives the convention back."""
        return {
            "name": self.name,
            "color": self.color,
            "border": self.border,
            "rounding": self.rounding,
            "peak": self.peak,
            "window": self.window,
            "description": self.description,
        }

    def prepare(self, image: Picture) -> jax.Array:
        """What is compared of one image: rounded, converted and cropped, float32 or float64.

        Raises:
          InputError: the colour needs 3 channels or 1, or the border leaves nothing.
        """
        *_, height, width, channels = image.shape
        if self.color != "rgb" and channels not in (1, 3):
            raise InputError(f"convention {self.name}: takes images of 1 or 3 channels, got the shape {image.shape}")
        if min(height, width) <= 2 * self.border:
            raise InputError(f"convention {self.name}: nothing is left inside the border of an image of {height}x{width} pixels")
        image = to_float(image)
        if self.rounding:
            image = jnp.round(255.0 * jnp.clip(image, 0.0, 1.0)) / 255.0
            # A compiler may join this division with a later subtraction, and then equal levels differ by float noise: make it round here.
            image = lax.reduce_precision(image, jnp.finfo(image.dtype).nexp, jnp.finfo(image.dtype).nmant)
        convert = COLORS[self.color][0]
        image = convert(image) if convert and channels == 3 else image
        return image[..., self.border : height - self.border, self.border : width - self.border, :]


def to_float(image: Picture) -> jax.Array:
    """An image in [0, 1]: unsigned integers are divided by their largest value; half precision becomes float32.

    Raises:
      InputError: neither floating point nor unsigned integers.
    """
    if jnp.issubdtype(image.dtype, jnp.unsignedinteger):
        dtype = jnp.result_type(float)
        return jnp.asarray(image).astype(dtype) / jnp.iinfo(image.dtype).max
    if not jnp.issubdtype(image.dtype, jnp.floating):
        raise InputError(f"an image is {image.dtype}: give floating point in [0, 1], or uint8 or uint16")
    return jnp.asarray(image).astype(jnp.promote_types(image.dtype, jnp.float32))


def as_convention(convention: Convention | str) -> Convention:
    """A convention, from itself or from its name."""
    return convention if isinstance(convention, Convention) else Convention.parse(convention)


def check_pair(a: Picture, b: Picture) -> None:
    """Refuse images of different shapes: broadcasting would give a number that means nothing.

    Raises:
      InputError: the shapes differ.
    """
    if a.shape != b.shape:
        raise InputError(f"the images differ in shape, {a.shape} and {b.shape}: compare images of one size and number of channels")


def check_size(metric: str, shape: tuple[int, ...], convention: Convention, side: int) -> None:
    """Refuse images in which a metric's window of side x side pixels has no place inside the border.

    Raises:
      InputError: names the metric, the convention, the window and the shape.
    """
    if min(shape[-3:-1]) - 2 * convention.border < side:
        where = f"{side}x{side} pixels inside the border"
        raise InputError(f"{metric} in the convention {convention.name} needs {where}, got the shape {shape}")


def convention_for(task: str, scale: int = 1, channels: int = 3) -> Convention:
    """The literature's convention for a task.

    Super-resolution is measured on the luma of 8-bit pictures without `scale` border pixels; denoising on the whole image, not rounded,
    grey or RGB; artefact removal on the luma of 8-bit pictures; deblurring and inpainting on 8-bit RGB.

    Args:
      task: a task of a model's card, or its short form on the command line: "sr", "denoise", "deblur", "inpaint".
      scale: enlargement.
      channels: image channels of the network.

    Raises:
      InputError: an unknown task.
    """
    if task in ("sr", "super_resolution"):
        return Convention("luma", border=scale, rounding=True)
    if task in ("denoise", "denoising"):
        return Convention("gray" if channels == 1 else "rgb")
    if task == "jpeg":
        return Convention("luma", rounding=True)
    if task in ("deblur", "deblurring", "inpaint", "inpainting"):
        return Convention("rgb", rounding=True)
    if task in ("restoration", "segmentation"):
        return Convention("rgb")
    raise InputError(f"task {task!r} is unknown: take sr, denoise, jpeg, deblur or inpaint")


def _read(part: str, name: str) -> tuple[str, Any]:
    if match := re.fullmatch(r"border(\d{1,4})", part):
        return "border", int(match[1])
    if match := re.fullmatch(r"peak(\d+(?:\.\d+)?(?:e[+-]?\d+)?)", part):
        return "peak", float(match[1])
    if part == "round8":
        return "rounding", True
    if part in WINDOWS:
        return "window", part
    raise InputError(f"convention {name!r}: {part!r} is unknown; after the colour come borderN, round8, peakX, {' or '.join(WINDOWS)}")


CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        convention.name: convention
        for convention in (
            Convention("rgb"),
            Convention("rgb", rounding=True),
            Convention("gray"),
            Convention("gray", rounding=True),
            Convention("luma"),
            Convention("luma", rounding=True),
            *(Convention("luma", border=scale, rounding=True) for scale in (2, 3, 4, 8)),
        )
    }
)
"""The usual conventions by name; any other combination can be spelled out too."""
