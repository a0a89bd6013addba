"""From what a user names to what runs: models, tags, files and modules as engines of a `Restorer`."""

import difflib
from collections.abc import Sequence
from os import PathLike
from typing import Any

import flax.linen as nn

from jaxrestore.classical.catalogue import METHODS, parse
from jaxrestore.errors import InputError
from jaxrestore.inference.classical import ClassicalMethod
from jaxrestore.inference.filler import Filler
from jaxrestore.inference.network import Network
from jaxrestore.inference.super_resolution import Enlarger, network_at_scale
from jaxrestore.models.catalogue import create_model, list_models
from jaxrestore.models.inputs import side_inputs
from jaxrestore.typing import Variables
from jaxrestore.weights import Weights, list_pretrained, load_weights

Engine = Network | Enlarger | Filler | ClassicalMethod
Model = str | nn.Module | Weights
Source = str | PathLike | Weights | Variables


def make_engines(
    models: Model | Sequence[Model],
    weights: Source | Sequence[Source | None] | None,
    tile: str | int,
    memory: str | int | None,
    inputs: dict[str, Any],
) -> list[Engine]:
    """What runs, one for each model with its weights; the arguments are those of `Restorer`.

    One of either goes with all of the other.

    Raises:
      InputError: there is no such model or weights, weights do not fit, an input means nothing to a model, or the numbers differ.
    """
    return [_engine(model, source, tile, memory, inputs) for model, source in _pairs(models, weights)]


def check_taken(name: str, inputs: dict[str, Any], taken: tuple[str, ...]) -> None:
    """Refuse what a network or method takes not.

    Raises:
      InputError: one of the inputs is not among those taken.
    """
    unknown = sorted(set(inputs) - set(taken))
    if unknown:
        raise InputError(f"{name} takes no {unknown[0]}")


def _pairs(models: Model | Sequence[Model], weights: Source | Sequence[Source | None] | None) -> list[tuple[Model, Source | None]]:
    """Each model with its weights: one of either goes with all of the other."""
    names, sources = (list(given) if isinstance(given, list | tuple) else [given] for given in (models, weights))
    count = max(len(names), len(sources))
    if not {len(names), len(sources)} <= {1, count}:
        raise InputError(f"{len(names)} models and {len(sources)} weights: give one of either, or as many of both")
    return [(names[n % len(names)], sources[n % len(sources)]) for n in range(count)]


def _engine(model_or_tag: Model, weights: Source | None, tile: str | int, memory: str | int | None, inputs: dict[str, Any]) -> Engine:
    if isinstance(model_or_tag, str) and model_or_tag.split(":")[0].strip() in METHODS:
        return _classical(model_or_tag, weights, tile, inputs)
    name, model, variables, chosen = _resolve(model_or_tag, weights, inputs.get("sigma"))
    if chosen is not None:  # the noise level has said which of a file's networks it is
        inputs = {name: value for name, value in inputs.items() if name != "sigma"}
    if "mask" in side_inputs(model):
        check_taken(name, inputs, ("mask",))
        return Filler(name, model, variables, tile, memory)
    check_taken(name, inputs, ("sigma", "scale"))
    return network_at_scale(name, model, variables, tile, memory, inputs.get("sigma"), inputs.get("scale"))


def _classical(text: str, weights: Any, tile: str | int, inputs: dict[str, Any]) -> ClassicalMethod:
    chosen = parse(text)
    if weights is not None:
        raise InputError(f"{chosen.name} is a classical method: it takes no weights")
    if tile not in ("auto", "off"):
        raise InputError(f"{chosen.name} takes the whole image: leave tile at auto")
    return ClassicalMethod(chosen, inputs)


def _resolve(
    model_or_tag: Model, weights: Source | None, sigma: float | int | None
) -> tuple[str, nn.Module, Variables, float | int | None]:
    """What the network is called, the network, its variables, and the noise level where that has chosen them."""
    if isinstance(model_or_tag, Weights):
        weights = model_or_tag
    elif weights is None:
        weights = _shipped(model_or_tag)
    elif isinstance(weights, str | PathLike):
        weights = load_weights(weights, model_or_tag, sigma)
    if isinstance(weights, Weights):
        name = weights.name or type(weights.model).__name__
        return f"{name} ({weights.form})" if weights.form else name, weights.model, weights.variables, weights.sigma
    if isinstance(model_or_tag, str):
        return model_or_tag, create_model(model_or_tag), weights, None
    return type(model_or_tag).__name__, model_or_tag, weights, None


def _shipped(model_or_tag: str | nn.Module) -> Weights:
    if isinstance(model_or_tag, nn.Module):
        raise InputError(f"{type(model_or_tag).__name__} has no weights: give variables or a file")
    shipped = list_pretrained()
    tag = model_or_tag if model_or_tag in shipped else next((t for t in shipped if t.split(".")[0] == model_or_tag), None)
    if tag is not None:
        return load_weights(tag)
    if "." not in model_or_tag:
        if model_or_tag not in list_models():
            near = difflib.get_close_matches(model_or_tag.split(":")[0], (*list_models(), *METHODS), n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else "`jaxrestore models` lists them all"
            raise InputError(f"unknown model {model_or_tag!r}: {hint}")
        raise InputError(f"{model_or_tag}: the package ships no weights for it; give a file of weights")
    raise InputError(f"{model_or_tag!r} is not among the shipped weights: {', '.join(shipped) or 'there are none'}")
