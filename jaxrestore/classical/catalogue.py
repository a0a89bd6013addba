"""Every classical method by name, and as text: `median:size=5`, `richardson_lucy:iterations=30`.

A method is a line here and a function in its module. Modules are strings, so that listing the methods imports none of them.
"""

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any

from jaxrestore.errors import InputError
from jaxrestore.text import read_named, read_value, typed, unknown, value_form, write_named, write_value

INPUTS = ("psf", "mask", "sigma", "quality", "scale")
"""What a method may need beside the image: a blur's kernel, where content is missing, the noise level, JPEG's quality, the enlargement."""

TASKS = ("denoising", "deblurring", "super_resolution", "inpainting", "jpeg")


@dataclass(frozen=True)
class Method:
    """One restoration method.

    Attributes:
      where: "module:function" below `jaxrestore.classical`.
      task: one of `TASKS`.
      summary: one line: what it does and whose it is.
      needs: those of `INPUTS` that its function has no default for.
    """

    where: str
    task: str
    summary: str
    needs: tuple[str, ...] = ()


METHODS: Mapping[str, Method] = types.MappingProxyType(
    {
        "gaussian_filter": Method("gaussian:gaussian_filter", "denoising", "smoothing with a Gaussian"),
        "median": Method("median:median", "denoising", "the median of each window"),
        "adaptive_median": Method(
            "median:adaptive_median", "denoising", "medians in place of impulses only, in windows that grow (Hwang, Haddad)"
        ),
        "bilateral": Method("bilateral:bilateral", "denoising", "average over near pixels of near values (Tomasi, Manduchi)"),
        "adaptive_wiener": Method("adaptive_wiener:adaptive_wiener", "denoising", "shrinkage towards each window's mean (Lee)"),
        "nonlocal_means": Method(
            "nonlocal_means:nonlocal_means", "denoising", "average over pixels in like surroundings (Buades et al.)", ("sigma",)
        ),
        "nonlocal_means_gaussian": Method(
            "nonlocal_means:nonlocal_means_gaussian", "denoising", "non-local means, patches weighted towards their middle", ("sigma",)
        ),
        "bm3d": Method("bm3d:bm3d", "denoising", "stacks of like blocks shrunk in three dimensions (Dabov et al.)", ("sigma",)),
        "total_variation": Method("total_variation:total_variation", "denoising", "total variation by projection (Chambolle)"),
        "bregman": Method("total_variation:bregman", "denoising", "total variation by split Bregman iterations (Goldstein, Osher)"),
        "wavelet": Method("wavelet:wavelet", "denoising", "shrinkage of Haar coefficients, over shifts (BayesShrink, VisuShrink)"),
        "moire_notch": Method("moire_notch:moire_notch", "denoising", "filters regular patterns out of the spectrum"),
        "unsharp_mask": Method("gaussian:unsharp_mask", "deblurring", "sharpening by what a Gaussian takes away"),
        "nearest": Method("interpolation:nearest", "super_resolution", "repeating pixels", ("scale",)),
        "bilinear": Method("interpolation:bilinear", "super_resolution", "bilinear interpolation", ("scale",)),
        "bicubic": Method("interpolation:bicubic", "super_resolution", "Keys' cubic convolution, as MATLAB's imresize", ("scale",)),
        "lanczos": Method("interpolation:lanczos", "super_resolution", "a sinc in a window of three lobes", ("scale",)),
        "back_projection": Method(
            "back_projection:back_projection", "super_resolution", "iterative back-projection (Irani, Peleg)", ("scale",)
        ),
        "aplus": Method(
            "anchored_neighborhood:anchored_neighborhood", "super_resolution", "A+: regressors learnt for each kind of patch", ("scale",)
        ),
        "tv_super_resolution": Method(
            "tv_super_resolution:tv_super_resolution", "super_resolution", "least total variation that shrinks to the image", ("scale",)
        ),
        "harmonic": Method("smooth_inpainting:harmonic_inpainting", "inpainting", "a membrane over the holes", ("mask",)),
        "biharmonic": Method(
            "smooth_inpainting:biharmonic_inpainting", "inpainting", "a thin plate over the holes, as scikit-image's", ("mask",)
        ),
        "edge_enhancing": Method(
            "diffusion_inpainting:diffusion_inpainting", "inpainting", "diffusion along edges (Weickert, Welk)", ("mask",)
        ),
        "navier_stokes": Method("navier_stokes:navier_stokes", "inpainting", "isophotes as stream lines (Bertalmio et al.)", ("mask",)),
        "exemplar": Method(
            "exemplar_inpainting:exemplar_inpainting", "inpainting", "patches copied, edges first (Criminisi et al.)", ("mask",)
        ),
        "texture_synthesis": Method(
            "texture_synthesis:texture_synthesis", "inpainting", "pixels drawn from alike surroundings (Efros, Leung)", ("mask",)
        ),
        "patchmatch": Method(
            "patchmatch_inpainting:patchmatch_inpainting",
            "inpainting",
            "patches that fit at every scale (Wexler et al.)",
            ("mask",),
        ),
        "shifted_jpeg": Method("deblocking:shifted_jpeg", "jpeg", "compressing again on 64 shifted grids, averaged (Nosratinia)"),
        "tv_deblocking": Method("deblocking:tv_deblocking", "jpeg", "least total variation within the quantiser's cells (Bredies, Holler)"),
        "inverse_filter": Method("inverse_filter:inverse_filter", "deblurring", "division in the Fourier domain, with a cutoff", ("psf",)),
        "wiener_deconvolution": Method(
            "wiener_deconvolution:wiener_deconvolution", "deblurring", "Wiener filter for the spectrum of photographs", ("psf", "sigma")
        ),
        "wiener_hunt_deconvolution": Method(
            "wiener_deconvolution:wiener_hunt_deconvolution", "deblurring", "Wiener filter with a given balance (Hunt 1973)", ("psf",)
        ),
        "unsupervised_wiener": Method(
            "unsupervised_wiener:unsupervised_wiener", "deblurring", "Wiener filter that finds its balance (Orieux et al. 2010)", ("psf",)
        ),
        "richardson_lucy": Method("richardson_lucy:richardson_lucy", "deblurring", "Richardson-Lucy deconvolution", ("psf",)),
        "hopfield": Method("hopfield:hopfield", "deblurring", "a network of neurons that settles (Zhou et al. 1988)", ("psf", "sigma")),
        "tv_deconvolution": Method(
            "tv_deconvolution:tv_deconvolution", "deblurring", "deconvolution with least total variation", ("psf", "sigma")
        ),
        "blind_deconvolution": Method(
            "blind_deconvolution:blindly_deblurred", "deblurring", "estimates the blur first (Xu, Zheng, Jia 2013; Pan 2014)"
        ),
    }
)


@dataclass(frozen=True)
class Call:
    """A method with the arguments that were chosen; `parse` makes one from text, `call` from Python.

    Attributes:
      name: key in `METHODS`.
      arguments: the arguments that are given, in the order of the function's signature.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> Method:
        """Its line in the catalogue."""
        return METHODS[self.name]

    @property
    def function(self) -> Callable[..., Any]:
        """`function(image, **inputs)` with the chosen arguments bound."""
        return partial(function_of(self.name), **self.arguments)

    @property
    def takes(self) -> tuple[str, ...]:
        """Those of `INPUTS` that it can be given and that were not chosen."""
        return tuple(name for name in INPUTS if name in parameters(self.name) and name not in self.arguments)

    @property
    def needs(self) -> tuple[str, ...]:
        """Those of `INPUTS` that it must still be given."""
        return tuple(name for name in self.method.needs if name not in self.arguments)

    def __str__(self) -> str:
        return write_named(self.name, self.arguments)


def list_methods(task: str | None = None) -> tuple[str, ...]:
    """Names of all methods, or of those for one task.

    Raises:
      InputError: unknown task.
    """
    if task is not None and task not in TASKS:
        raise InputError(f"unknown task {task!r}: choose one of {', '.join(TASKS)}")
    return tuple(name for name, method in METHODS.items() if task in (None, method.task))


def parse(text: str) -> Call:
    """The method and arguments that a text means; `str(call)` goes back.

    Args:
      text: `name:argument=value:argument=value`.

    Raises:
      InputError: it does not follow the grammar, or names a method or an argument that does not exist, or a value is of the wrong kind.
    """
    name, texts = read_named(text)
    _check_names(name, texts)
    return call(name, **{argument: read_value(f"{name}: {argument}", value) for argument, value in texts.items()})


def call(name: str, **arguments: Any) -> Call:
    """A method with arguments whose names and kinds are checked; their ranges are the function's own to check.

    Raises:
      InputError: no such method or argument, or a value of the wrong kind.
    """
    _check_names(name, arguments)
    known = parameters(name)
    return Call(name, {n: typed(f"{name}: {n}", known[n].annotation, arguments[n]) for n in known if n in arguments})


@cache
def function_of(name: str) -> Callable[..., Any]:
    """The function of a method.

    Raises:
      InputError: no such method.
    """
    _check_names(name, ())
    module, function = METHODS[name].where.split(":")
    return getattr(import_module(f"jaxrestore.classical.{module}"), function)


@cache
def parameters(name: str) -> Mapping[str, inspect.Parameter]:
    """The arguments of a method, the image not counted."""
    return types.MappingProxyType(dict(list(inspect.signature(function_of(name)).parameters.items())[1:]))


def describe(name: str) -> list[str]:
    """A method's arguments that text can give, one line each: `size=a whole number (default 3)`."""
    lines = []
    for argument, parameter in parameters(name).items():
        form = value_form(parameter.annotation)
        default = "" if parameter.default in (inspect.Parameter.empty, None) else f" (default {_default(parameter.default)})"
        lines += [f"{argument}={form}{default}"] if form else []
    return lines


def _default(value: float | int | str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else write_value(value)


def _check_names(name: str, arguments: Any) -> None:
    if name not in METHODS:
        raise InputError(unknown("method", name, METHODS))
    for argument in arguments:
        if argument not in parameters(name):
            raise InputError(unknown(f"argument of {name}", argument, parameters(name)))
