"""Weights from any file, for a network that is given, named, or found by comparing names and shapes with the catalogue."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.models.catalogue import list_models, model_card
from jaxrestore.typing import Variables
from jaxrestore.weights.compare import Difference, compare, some
from jaxrestore.weights.contents import Contents, LayerList, OwnVariables, StateDict
from jaxrestore.weights.describe import catalogue_place, fields_of, model_from
from jaxrestore.weights.folder import find_weights
from jaxrestore.weights.layouts import expected_layers, from_layers, layer_shapes
from jaxrestore.weights.pretrained import list_pretrained, pretrained_path
from jaxrestore.weights.read import is_checkpoint, read
from jaxrestore.weights.reference import (
    counted_shapes,
    expected_tensors,
    from_reference,
    module_of,
    reference_modules,
    variable_shapes,
    without_wrappers,
)

_LIKELY = 8  # networks that are compared closely when none fits
_NEAREST = 2  # networks that the message names when none fits
_NOTHING_ALIKE = 0.9


@dataclass(frozen=True)
class Weights:
    """A network and its variables, ready for `model.apply`.

    Attributes:
      variables: {"params": ..., "batch_stats": ...}, NumPy arrays at the leaves.
      model: the network, in the form that the variables have.
      name: its name in the catalogue, or None.
      form: which of its card's `forms` it is, or None for the card's own.
      source: where the weights come from.
      report: one line that says what was read as what.
      information: what the file says of its making, where it says anything.
      sigma: the noise level in grey levels by which the network was chosen among those of the file, or None where there was no choice.
    """

    variables: Variables
    model: nn.Module
    name: str | None
    form: str | None
    source: str
    report: str
    information: Mapping[str, Any] = field(default_factory=dict)
    sigma: float | int | None = None


@dataclass(frozen=True)
class _Candidate:
    card: ModelCard
    form: str | None

    @property
    def model(self) -> nn.Module:
        return self.card.create(self.form)

    @property
    def parameters(self) -> int:
        return self.card.forms[self.form].parameters if self.form else self.card.parameters

    def __str__(self) -> str:
        return f"{self.card.name} ({self.form})" if self.form else self.card.name


def load_weights(path: str | PathLike, model: str | nn.Module | None = None, sigma: float | int | None = None) -> Weights:
    """Read weights of any supported kind.

    Args:
      path: a file (torch, MATLAB, safetensors, NumPy, HDF5), a folder (Orbax, a training run), a folder of such files of which one is
        named after the model, or the tag of weights that the package ships (`list_pretrained`).
      model: the network: a name of the catalogue (its card's own fields are tried first, then its other forms), which in a folder of
        files may have a tag ("dncnn_gray.night"), a module, or None to find out from the file.
      sigma: for a file that holds one such network for each of several noise levels (IRCNN's): the level in grey levels. Others are read
        without regard to it.

    Raises:
      InputError: the file cannot be read, or fits the model not, no model, or several.
    """
    place = pretrained_path(str(path)) if str(path) in list_pretrained() else Path(path)
    if not place.exists():
        raise InputError(f"{path}: there is no such file, nor weights of that name in the package")
    if place.is_dir() and not is_checkpoint(place):
        wanted = catalogue_place(model, None)[0] if isinstance(model, nn.Module) else model
        place = find_weights(place, wanted)
        path = place
    if isinstance(model, str) and model not in list_models() and model.split(".")[0] in list_models():
        model = model.split(".")[0]  # a tag says which weights, and they are found
    contents = read(place)
    try:
        contents, chosen = _at_level(contents, model, sigma)
        network, name, form = _network(contents, model)
        variables = _fitted(network, contents)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    what = f"{name or type(network).__name__}" + (f" ({form})" if form else "")
    note = f", {contents.note}" if isinstance(contents, OwnVariables) and contents.note else ""
    report = f"{what}: {len(jax.tree.leaves(variables))} arrays from {path}{note}"
    information = contents.meta.get("information", {}) if isinstance(contents, OwnVariables) else {}
    return Weights(variables, network, name, form, str(path), report, information, chosen)


def _at_level(contents: Contents, model: str | nn.Module | None, sigma: float | int | None) -> tuple[Contents, float | int | None]:
    """Of a file with a network for each noise level the one for `sigma`, and this, where the model is one of them and not all."""
    if not isinstance(contents, LayerList) or contents.networks == 1 or model is None:
        return contents, None
    module = model_card(model).create() if isinstance(model, str) else model
    index_of = getattr(sys.modules[type(module).__module__], "level_index", None)
    if index_of is None or not _difference(module, contents) or _difference(module, contents.network(0)):
        return contents, None
    if sigma is None:
        raise InputError(
            f"holds {contents.networks} networks for as many noise levels: give sigma to choose one, or the model of the whole set"
        )
    if index_of(sigma) >= contents.networks:
        raise InputError(f"holds {contents.networks} networks, and none for sigma = {sigma:g}")
    return contents.network(index_of(sigma)), sigma


def _network(contents: Contents, model: str | nn.Module | None) -> tuple[nn.Module, str | None, str | None]:
    if isinstance(model, nn.Module):
        return model, *catalogue_place(model, None)
    described = isinstance(contents, OwnVariables) and contents.meta.get("class")
    if described:
        network = model_from(contents.meta)
        name, form = catalogue_place(network, model or contents.meta.get("model"))
        # A run may have changed fields of the configuration that it names: then the file's own description holds.
        if model is not None and name is None and model_card(model).name != contents.meta.get("model"):
            raise InputError(f"these weights are for {_described(network)}, not for {model}")
        return network, name, form
    found = _detected(contents) if model is None else _named(contents, model_card(model))
    return found.model, found.card.name, found.form


def _described(network: nn.Module) -> str:
    fields = ", ".join(f"{name}={value}" for name, value in fields_of(network).items())
    return catalogue_place(network, None)[0] or f"{type(network).__name__}({fields})"


def _named(contents: Contents, card: ModelCard) -> _Candidate:
    """The form of a card that fits."""
    candidates = [_Candidate(card, form) for form in (None, *card.forms)]
    differences = [_difference(candidate.model, contents) for candidate in candidates]
    nearest = min(range(len(candidates)), key=lambda i: len(differences[i]))
    if differences[nearest]:
        raise InputError(f"these weights do not fit {candidates[nearest]}: {differences[nearest]}")
    return candidates[nearest]


def _detected(contents: Contents) -> _Candidate:
    """The one network of the catalogue that fits."""
    cards = [model_card(name) for name in list_models()]
    candidates = [_Candidate(card, form) for card in cards for form in (None, *card.forms) if _has_layout(card, contents)]
    # Shapes take a tenth of a second for each network, so that only the likely ones are asked for them.
    fits: dict[str, _Candidate] = {}
    for candidate in candidates:
        if candidate.card.name not in fits and _unlikeness(candidate, contents) == 0 and not _difference(candidate.model, contents):
            fits[candidate.card.name] = candidate
    if isinstance(contents, LayerList) and not contents.is_network:
        alike = f" ({' or '.join(fits)})" if fits else ""
        raise InputError(f"bare kernels and biases do not say which network they are for: give it with --model{alike}")
    if len(fits) == 1:
        return next(iter(fits.values()))
    if fits:
        raise InputError(f"these weights fit {', '.join(fits)} equally: say which with --model")
    ranked = sorted(candidates, key=lambda candidate: _unlikeness(candidate, contents))
    likely = [candidate for candidate in ranked[:_LIKELY] if _unlikeness(candidate, contents) < _NOTHING_ALIKE]
    nearest = sorted(((candidate, _difference(candidate.model, contents)) for candidate in likely), key=lambda pair: len(pair[1]))[
        :_NEAREST
    ]
    if not nearest:
        raise InputError(f"these weights fit no network of the catalogue, and none is near: they have {some(_names(contents))}")
    said = " | ".join(f"{candidate}: {difference}" for candidate, difference in nearest)
    raise InputError(f"these weights fit no network of the catalogue; the nearest {'is' if len(nearest) == 1 else 'are'} {said}")


def _names(contents: Contents) -> list[str]:
    match contents:
        case StateDict():
            return list(contents.tensors)
        case LayerList():
            return [f"{name} {shape}" for name, shape in layer_shapes(contents.layers).items()]
        case OwnVariables():
            return list(_flat_shapes(contents.variables))


def _has_layout(card: ModelCard, contents: Contents) -> bool:
    return isinstance(contents, OwnVariables) or card.reference_names is not None


def _unlikeness(candidate: _Candidate, contents: Contents) -> float:
    """0 where names or sizes agree as far as can be said without computing the network's shapes; else a rough distance."""
    if isinstance(contents, StateDict):
        model = candidate.model
        theirs = {module_of(name) for name in counted_shapes(model, without_wrappers(contents.tensors))}
        ours = reference_modules(model)
        return len(ours ^ theirs) / max(len(ours | theirs), 1)
    if isinstance(contents, LayerList):
        count = sum(np.prod(shape, dtype=int) for shape in layer_shapes(contents.layers).values())
    else:
        count = sum(leaf.size for leaf in jax.tree.leaves(contents.variables.get("params", {})))
    return abs(int(count) - candidate.parameters) / candidate.parameters


def _difference(model: nn.Module, contents: Contents) -> Difference:
    match contents:
        case StateDict():
            state = without_wrappers(contents.tensors)
            return compare(expected_tensors(model), counted_shapes(model, state))
        case LayerList():
            return compare(expected_layers(model), layer_shapes(contents.layers))
        case OwnVariables():
            return compare(_flat_shapes(variable_shapes(model)), _flat_shapes(contents.variables))


def _flat_shapes(variables: Variables) -> dict[str, tuple[int, ...]]:
    return {path: tuple(leaf.shape) for path, leaf in flax.traverse_util.flatten_dict(dict(variables), sep="/").items()}


def _fitted(model: nn.Module, contents: Contents) -> Variables:
    match contents:
        case StateDict():
            return from_reference(model, contents.tensors)
        case LayerList():
            return from_layers(model, contents.layers)
        case OwnVariables():
            difference = _difference(model, contents)
            if difference:
                raise InputError(f"these weights do not fit {type(model).__name__}: {difference}")
            return contents.variables
