"""Losses as text: `l1`, `charbonnier:epsilon=1e-4`, `l1+0.1*fft+1e-4*total_variation:form=isotropic`.

    loss = term {"+" term}
    term = [weight "*"] name {":" argument "=" value}

Numbers are as in Python but for a plus sign in an exponent, which is left out. Every loss of `LOSSES` is computed from the restored and
the clean image alone.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import jax

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import PerImage
from jaxrestore.losses.dice import dice
from jaxrestore.losses.edges import edge, gradient, gradient_difference
from jaxrestore.losses.frequency import fft, focal_frequency
from jaxrestore.losses.pixel import charbonnier, huber, l1, mse, psnr_loss
from jaxrestore.losses.regions import worst_region_mse
from jaxrestore.losses.structural import l1_ms_ssim, ms_ssim, ssim
from jaxrestore.losses.total_variation import power_total_variation, total_variation
from jaxrestore.text import Value, read_named, read_value, unknown, write_named, write_value
from jaxrestore.typing import Image

LOSSES: Mapping[str, Callable[..., PerImage]] = MappingProxyType(
    {
        "l1": l1,
        "mse": mse,
        "charbonnier": charbonnier,
        "huber": huber,
        "psnr_loss": psnr_loss,
        "ssim": ssim,
        "ms_ssim": ms_ssim,
        "l1_ms_ssim": l1_ms_ssim,
        "fft": fft,
        "focal_frequency": focal_frequency,
        "gradient": gradient,
        "gradient_difference": gradient_difference,
        "edge": edge,
        "dice": dice,
        "total_variation": total_variation,
        "power_total_variation": power_total_variation,
        "worst_region_mse": worst_region_mse,
    }
)
"""What a term may be. Arguments, defaults and ranges are those of the function; one that is a list keeps its default."""

OF_THE_RESTORED_ALONE = ("total_variation", "power_total_variation")
"""The losses that do not look at the clean image."""

_KINDS = {float: "a number", str: "a word"}


@dataclass(frozen=True)
class Term:
    """One loss with its weight.

    Attributes:
      name: key in `LOSSES`.
      weight: factor, greater than 0.
      arguments: the arguments that are given, by name.
    """

    name: str
    weight: float = 1.0
    arguments: tuple[tuple[str, Value], ...] = ()

    def __call__(self, restored: Image, clean: Image) -> PerImage:
        """One value for each image."""
        images = (restored,) if self.name in OF_THE_RESTORED_ALONE else (restored, clean)
        value = LOSSES[self.name](*images, **dict(self.arguments))
        return value if self.weight == 1.0 else self.weight * value

    def __str__(self) -> str:
        factor = "" if self.weight == 1.0 else f"{write_value(self.weight)}*"
        return factor + write_named(self.name, dict(self.arguments))


@dataclass(frozen=True)
class Formula:
    """A weighted sum of losses; hashable, and a loss itself."""

    terms: tuple[Term, ...]

    def __call__(self, restored: Image, clean: Image) -> PerImage:
        """One value for each image of two batches (..., H, W, C)."""
        first, *others = (term(restored, clean) for term in self.terms)
        return sum(others, start=first)

    def __str__(self) -> str:
        return "+".join(str(term) for term in self.terms)


def parse(text: str) -> Formula:
    """The loss that a text means; `str(loss)` goes back.

    Args:
      text: terms joined by "+".

    Raises:
      InputError: it does not follow the grammar, or names something that does not exist, or a value is out of its range.
    """
    return Formula(tuple(_term(part.strip(), text) for part in text.split("+")))


def _term(part: str, text: str) -> Term:
    if not part:
        raise InputError(f"loss {text!r} has an empty term: write terms as weight*name:argument=value, joined by +")
    factor, star, rest = part.partition("*")
    if not star:
        return _checked(1.0, part)
    weight = read_value("weight", factor)
    if not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise InputError(f"loss {text!r}: the weight {factor.strip()!r} must be a number greater than 0 and finite")
    return _checked(float(weight), rest.strip())


def _checked(weight: float, named: str) -> Term:
    name, texts = read_named(named)
    if name not in LOSSES:
        raise InputError(unknown("loss", name, LOSSES))
    known = {n: p.annotation for n, p in inspect.signature(LOSSES[name]).parameters.items() if p.annotation in _KINDS}
    arguments: dict[str, Value] = {}
    for argument, value in texts.items():
        if argument not in known:
            raise InputError(unknown(f"argument of {name}", argument, known))
        arguments[argument] = _typed(f"{name}: {argument}", known[argument], value)
    if arguments:
        _check_values(name, arguments)
    return Term(name, weight, tuple((n, arguments[n]) for n in known if n in arguments))


def _typed(name: str, kind: type, text: str) -> float | str:
    value = text if kind is str else read_value(name, text)
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise InputError(f"{name} is {text!r}: it must be {_KINDS[kind]}")
    return value


def _check_values(name: str, arguments: Mapping[str, Value]) -> None:
    """Let the loss itself check its values, without computing anything: it alone knows what is allowed."""
    image = jax.ShapeDtypeStruct((256, 256, 3), "float32")
    images = [image] * (1 if name in OF_THE_RESTORED_ALONE else 2)
    try:
        jax.eval_shape(partial(LOSSES[name], **arguments), *images)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
