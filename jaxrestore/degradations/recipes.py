"""Recipes: degradations as text, `gaussian:sigma=0..55,erase:count=3:size=0.1..0.3`.

    recipe   = item {"," item}              from left to right
    item     = step | name of a recipe      a named recipe stands for its steps
    step     = name {":" argument "=" value}
    value    = number | low..high | word      which words a step knows is in `describe()`

`low..high` draws: a level once for each image; a size once for each thing that has one. ";" is read as ":". Nothing in it needs quotes in a
shell but ";". Numbers are as in Python; what each step takes is in `describe()`.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

import jax

from jaxrestore.degradations.arguments import Count, Interval, Level, Number
from jaxrestore.degradations.batches import Degradation, each_image
from jaxrestore.degradations.blur import (
    anisotropic_blur,
    box_blur,
    defocus,
    gaussian_blur,
    generalised_gaussian_blur,
    plateau_blur,
    sinc_blur,
)
from jaxrestore.degradations.checks import check_interval
from jaxrestore.degradations.clip import clip
from jaxrestore.degradations.compose import blind, chain
from jaxrestore.degradations.dither import dither_error_diffusion
from jaxrestore.degradations.div2k import div2k
from jaxrestore.degradations.downsample import downsample, low_resolution
from jaxrestore.degradations.erase import erase
from jaxrestore.degradations.gopro import gopro_noise
from jaxrestore.degradations.haze import haze
from jaxrestore.degradations.jpeg import jpeg
from jaxrestore.degradations.missing import missing
from jaxrestore.degradations.moire import moire
from jaxrestore.degradations.motion import camera_shake, motion_blur
from jaxrestore.degradations.noise import gaussian, gaussian_varying, poisson, poisson_gaussian, salt_and_pepper, speckle
from jaxrestore.degradations.old_photo import fading, grain
from jaxrestore.degradations.photo import contrast, exposure, pixel_shift, vignetting
from jaxrestore.degradations.quantise import bit_depth, quantise
from jaxrestore.degradations.rain import rain
from jaxrestore.degradations.scratches import scratches
from jaxrestore.degradations.second_order import bsrgan, real_esrgan
from jaxrestore.degradations.strokes import strokes
from jaxrestore.degradations.text import text as write_text
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_image
from jaxrestore.text import Value, read_named, read_value, unknown, write_named, write_value
from jaxrestore.typing import Image, Key

STEPS: dict[str, Degradation] = {
    "gaussian": gaussian,
    "gaussian_varying": gaussian_varying,
    "poisson": poisson,
    "poisson_gaussian": poisson_gaussian,
    "speckle": speckle,
    "salt_and_pepper": salt_and_pepper,
    "quantise": quantise,
    "bit_depth": bit_depth,
    "dither_error_diffusion": dither_error_diffusion,
    "erase": erase,
    "strokes": strokes,
    "text": write_text,
    "missing": missing,
    "moire": moire,
    "rain": rain,
    "haze": haze,
    "grain": grain,
    "scratches": scratches,
    "fading": fading,
    "gaussian_blur": gaussian_blur,
    "anisotropic_blur": anisotropic_blur,
    "generalised_gaussian_blur": generalised_gaussian_blur,
    "plateau_blur": plateau_blur,
    "sinc_blur": sinc_blur,
    "box_blur": box_blur,
    "defocus": defocus,
    "motion_blur": motion_blur,
    "camera_shake": camera_shake,
    "pixel_shift": pixel_shift,
    "exposure": exposure,
    "contrast": contrast,
    "vignetting": vignetting,
    "gopro_noise": gopro_noise,
    "div2k": div2k,
    "bsrgan": bsrgan,
    "real_esrgan": real_esrgan,
    "downsample": downsample,
    "low_resolution": low_resolution,
    "jpeg": jpeg,
    "clip": clip,
}
"""What a step may be. Its arguments, their defaults and what a recipe may give for them are those of the function's signature."""

SCALES: dict[str, Callable[[dict[str, Any]], Fraction]] = dict.fromkeys(
    ("downsample", "div2k", "bsrgan", "real_esrgan"), lambda arguments: Fraction(1, arguments["scale"])
)
"""What a step does to height and width, for the steps that change them."""

RECIPES: dict[str, str] = {
    # Lost detail, noise as of a poor camera and missing pieces together; the paper names the three and gives no numbers.
    "edcnn": "low_resolution:scale=4,gaussian:sigma=0..25,erase:count=1..3:size=0.1..0.25,clip",
    # Zhang et al., TIP 2017: the range that the blind denoisers of the literature are trained on.
    "gaussian_blind": "gaussian:sigma=0..55",
    # Wan et al., CVPR 2020, list these defects; how strong they are was chosen by eye.
    "old_photo": "grain:sigma=5..20,scratches,fading:color=0.3..1:contrast=0.2..0.8:yellowing=0.1..0.8,clip",
}
"""Recipes with a name."""

_FORMS = {
    Number: "a number",
    Level: "a number or low..high",
    Interval: "a number or low..high",
    Count: "a whole number or low..high",
    int: "a whole number",
    str: "a word",
}


@dataclass(frozen=True)
class Step:
    """One degradation of `STEPS` with its arguments; `step(name, ...)` makes one and checks it.

    Attributes:
      name: key in `STEPS`.
      arguments: the arguments that are given, in the order of the function's signature; (low, high) is an interval.
    """

    name: str
    arguments: tuple[tuple[str, Value], ...] = ()

    def __call__(self, key: Key, image: Image, **levels: Level) -> Image:
        """Degrade an image or a batch; `levels` are those of the arguments that were left out."""
        kinds = _parameters(self.name)
        drawn = {n: v for n, v in self.arguments if kinds[n].annotation is Level and isinstance(v, tuple)}
        if drawn:
            fixed = Step(self.name, tuple((n, v) for n, v in self.arguments if n not in drawn))
            return blind(fixed, **drawn)(key, image)
        return STEPS[self.name](key, image, **dict(self.arguments), **levels)

    def __str__(self) -> str:
        return write_named(self.name, dict(self.arguments))

    @property
    def scale(self) -> Fraction:
        """Height of the result / height of the image, before it is rounded up."""
        defaults = {name: parameter.default for name, parameter in _parameters(self.name).items()}
        return SCALES[self.name](defaults | dict(self.arguments)) if self.name in SCALES else Fraction(1)


@dataclass(frozen=True)
class Recipe:
    """Steps that are applied from left to right; hashable, and a degradation itself.

    Step number i of an image gets `fold_in(key, i)`; the images of a batch that is given with one key get `fold_in(key, index)` first.
    Calling it on concrete values checks that they lie in [0, 1]. It is compiled once for each shape.
    """

    steps: tuple[Step, ...]

    def __call__(self, key: Key, image: Image) -> Image:
        """Degrade.

        Args:
          key: random key.
          image: (..., H, W, C) in [0, 1].

        Returns:
          (..., H', W', C); not clipped unless the last step is `clip`.

        Raises:
          InputError: the image is not floating point, or not in [0, 1].
        """
        check_image(image, low=0.0, high=1.0)
        return each_image(_apply, key, image, recipe=self)

    def __str__(self) -> str:
        return ",".join(str(step) for step in self.steps)

    @property
    def scale(self) -> Fraction:
        """Height of the result / height of the image: 1 where the size is kept, 1/4 after `downsample:scale=4`."""
        return prod((step.scale for step in self.steps), start=Fraction(1))


def _apply(key: Key, image: jax.Array, recipe: Recipe) -> jax.Array:
    return chain(*recipe.steps)(key, image)


def step(name: str, **arguments: Value) -> Step:
    """A checked step.

    Args:
      name: key in `STEPS`.
      **arguments: the step's arguments; (low, high) where it takes an interval.

    Raises:
      InputError: no such step or argument, an argument is missing, or a value is out of its range.
    """
    _check_names(name, arguments)
    parameters = _parameters(name)
    missing = [n for n, p in parameters.items() if p.default is inspect.Parameter.empty and n not in arguments]
    if missing:
        raise InputError(f"{name} needs {' and '.join(missing)}: write {name}:{':'.join(f'{n}=...' for n in missing)}")
    made = Step(name, tuple((n, _typed(f"{name}: {n}", p.annotation, arguments[n])) for n, p in parameters.items() if n in arguments))
    _check_values(made)
    return made


def parse(text: str) -> Recipe:
    """The recipe that a text means; `str(recipe)` goes back.

    Args:
      text: steps and names of recipes, separated by commas.

    Raises:
      InputError: it does not follow the grammar, or names something that does not exist, or a value is out of its range.
    """
    steps: list[Step] = []
    for item in text.split(","):
        if not item.strip():
            raise InputError(f"recipe {text!r} has an empty step: write steps as name:argument=value, separated by commas")
        name, arguments = read_named(item)
        if name in RECIPES and not arguments:
            steps += parse(RECIPES[name]).steps
        else:
            _check_names(name, arguments)
            steps.append(step(name, **{n: read_value(f"{name}: {n}", value) for n, value in arguments.items()}))
    return Recipe(tuple(steps))


def describe() -> str:
    """Every step with its arguments and every named recipe, as text for a terminal."""
    lines = ["Steps (name:argument=value:argument=value, separated by commas):"]
    for name, function in STEPS.items():
        summary = (inspect.getdoc(function) or "").splitlines()[0]
        lines.append(f"  {name}: {summary}")
        for argument, parameter in _parameters(name).items():
            default = "" if parameter.default is inspect.Parameter.empty else f" (default {write_value(parameter.default)})"
            lines.append(f"      {argument}={_form(parameter.annotation)}{default}")
    lines.append("Recipes:")
    lines += [f"  {name}: {text}" for name, text in RECIPES.items()]
    return "\n".join(lines)


def _check_names(name: str, arguments: Iterable[str]) -> None:
    if name in RECIPES:
        raise InputError(f"{name} is a recipe and takes no arguments: it stands for {RECIPES[name]}")
    if name not in STEPS:
        raise InputError(unknown("step", name, [*STEPS, *RECIPES]))
    for argument in arguments:
        if argument not in _parameters(name):
            raise InputError(unknown(f"argument of {name}", argument, list(_parameters(name))))


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    key_and_image, parameters = 2, inspect.signature(STEPS[name]).parameters
    return dict(list(parameters.items())[key_and_image:])


def _form(kind: Any) -> str:
    if _words(kind):
        return " or ".join(_words(kind))
    return next(form for known, form in _FORMS.items() if kind is known)


def _words(kind: Any) -> tuple[str, ...]:
    """The words that may be given for an `Annotated[str, *words]`; of other kinds none."""
    return getattr(kind, "__metadata__", ())


def _typed(name: str, kind: Any, value: Value) -> Value:
    """The value in the type that this kind of argument has, so that 25 and 25.0 are one recipe."""
    ends = value if isinstance(value, tuple) else (value,)
    whole = kind is int or kind is Count
    if _words(kind):
        good = value in _words(kind)
    elif kind is str:
        good = isinstance(value, str)
    else:
        good = all(isinstance(end, int if whole else int | float) for end in ends)
    if not good or ((kind is int or kind is Number) and len(ends) > 1):
        shown = repr(value) if isinstance(value, str) else write_value(value)
        raise InputError(f"{name} is {shown}: it must be {_form(kind)}")
    if isinstance(value, str):
        return value
    ends = tuple(end if whole else float(end) + 0.0 for end in ends)
    if len(ends) > 1:
        check_interval(name, ends)
    return ends if len(ends) > 1 else ends[0]


def _check_values(made: Step) -> None:
    """Let the degradation itself check its values, without computing anything: it alone knows what is allowed."""
    image, key = jax.ShapeDtypeStruct((256, 256, 3), "float32"), jax.eval_shape(lambda: jax.random.key(0))
    kinds = _parameters(made.name)
    for end in (0, 1):
        values = {n: v[end] if kinds[n].annotation is Level and isinstance(v, tuple) else v for n, v in made.arguments}
        try:
            jax.eval_shape(partial(STEPS[made.name], **values), key, image)
        except InputError as error:
            raise InputError(f"{made.name}: {error}") from error
