"""A network as text and back: its class and the fields that differ from the defaults."""

import dataclasses
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.catalogue import list_models, model_card

_HOME = "jaxrestore.models."
_NOT_FIELDS = ("parent", "name")


def describe(model: nn.Module, name: str | None = None) -> dict[str, Any]:
    """What a file says of the network that its weights are for, in JSON's types.

    Args:
      model: any network whose fields are numbers, strings, types of numbers, None, or sequences and mappings of these.
      name: its name in the catalogue, where it has one.

    Returns:
      {"model": name, "class": "jaxrestore.models...", "fields": {...}}.

    Raises:
      ValueError: a field is something else, such as a function.
    """
    home = type(model)
    return {"model": name, "class": f"{home.__module__}.{home.__qualname__}", "fields": fields_of(model)}


def fields_of(model: nn.Module) -> dict[str, Any]:
    """The fields that differ from their defaults, in JSON's types; types of numbers are their names.

    Raises:
      ValueError: a field cannot be written.
    """
    found = {}
    for field in dataclasses.fields(model):
        value = getattr(model, field.name)
        if field.name in _NOT_FIELDS or not field.init:
            continue
        text = _to_json(value, field.name)
        if field.default is dataclasses.MISSING or text != _to_json(field.default, field.name):
            found[field.name] = text
    return found


def model_from(meta: Mapping[str, Any]) -> nn.Module:
    """The network that `describe` described.

    Only networks of this package are made: a file must not name arbitrary code to be imported.

    Raises:
      InputError: the class is not one of the package's, or has no such field.
    """
    path, fields = meta.get("class"), meta.get("fields", {})
    module_name, _, class_name = str(path).rpartition(".")
    if not (module_name + ".").startswith(_HOME):
        raise InputError(f"these weights are for the network {path}, which is not one of jaxrestore's: give the model yourself")
    try:
        network = getattr(import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"these weights are for the network {path}, which this version of jaxrestore does not have") from error
    if not (isinstance(network, type) and issubclass(network, nn.Module)):
        raise InputError(f"these weights are for {path}, which is not a network")
    known = {field.name for field in dataclasses.fields(network)} - set(_NOT_FIELDS)
    unknown = sorted(set(fields) - known)
    if unknown:
        raise InputError(
            f"these weights are for a {class_name} with the field {unknown[0]!r}, which this version of jaxrestore does not have"
        )
    return network(**{name: _from_json(value, name) for name, value in fields.items()})


def catalogue_place(model: nn.Module, name: str | None) -> tuple[str | None, str | None]:
    """The card and the form that a network is, whatever number type it computes in.

    Args:
      model: the network.
      name: where to look; None looks at all cards.

    Returns:
      (card's name, form's name or None); (None, None) where it is no published configuration.
    """
    for candidate in [name] if name in list_models() else list_models() if name is None else []:
        card = model_card(candidate)
        if card.module is type(model):
            for form in (None, *card.forms):
                if _apart_from_types(card.create(form)) == _apart_from_types(model):
                    return candidate, form
    return None, None


def _apart_from_types(model: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in fields_of(model).items() if not _holds_type(name)}


def _holds_type(field: str) -> bool:
    return field == "dtype" or field.endswith("_dtype")


def _to_json(value: Any, field: str) -> Any:
    if _holds_type(field) and value is not None:
        return jnp.dtype(value).name
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [_to_json(item, "") for item in value]
    if isinstance(value, Mapping):
        return {str(key): _to_json(item, "") for key, item in value.items()}
    raise ValueError(f"field {field!r} holds a {type(value).__name__}, which cannot be written to a file")


def _from_json(value: Any, field: str) -> Any:
    if _holds_type(field) and value is not None:
        if not hasattr(jnp, str(value)):
            raise InputError(f"the field {field} of these weights holds {value!r}, which is not a type of numbers")
        return getattr(jnp, value)
    if isinstance(value, list):
        return tuple(_from_json(item, "") for item in value)
    return value
