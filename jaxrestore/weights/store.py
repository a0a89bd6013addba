"""Our own file: safetensors with the network's description, what is known of the training, and a checksum for each leaf."""

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.typing import Variables
from jaxrestore.weights import safetensors_file
from jaxrestore.weights.checksum import checksums, verify
from jaxrestore.weights.contents import OwnVariables
from jaxrestore.weights.describe import describe

FORMAT = 1
_ENTRY = "jaxrestore"
COLLECTIONS = ("params/", "batch_stats/")


def save_weights(
    path: str | PathLike,
    variables: Variables,
    model: nn.Module,
    name: str | None = None,
    information: Mapping[str, Any] | None = None,
) -> None:
    """Write a network's weights to one safetensors file, whole or not at all.

    Args:
      path: the file; an existing one is replaced.
      variables: {"params": ..., "batch_stats": ...}.
      model: the network they belong to.
      name: its name in the catalogue, where it has one.
      information: anything that JSON can hold and a user may want to know: data, steps, time, scores.

    Raises:
      InputError: the file cannot be written.
    """
    variables = jax.tree.map(np.asarray, variables)
    flat = flax.traverse_util.flatten_dict(dict(variables), sep="/")
    about = {"format": FORMAT, **describe(model, name), "information": dict(information or {}), "checksums": checksums(flat)}
    safetensors_file.write(Path(path), flat, {_ENTRY: json.dumps(about)})


def own_variables(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> OwnVariables | None:
    """The variables in a file of named arrays, or None where the names are not ours.

    Raises:
      InputError: the file is damaged, or was written by a later version.
    """
    if not tensors or not all(name.startswith(COLLECTIONS) for name in tensors):
        return None
    about: dict[str, Any] = {}
    if _ENTRY in metadata:
        try:
            about = json.loads(metadata[_ENTRY])
            later = about["format"] > FORMAT
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path}: its description is damaged: copy or download it again") from error
        if later:
            raise InputError(f"{path}: was written by a later version of jaxrestore: update the package")
        expected = about.pop("checksums", {})
        verify(tensors, expected, path)
        absent = sorted(set(expected) - set(checksums(dict.fromkeys(tensors, 0))))
        if absent:
            raise InputError(f"{path}: leaf {absent[0]} is missing: copy or download it again")
    return OwnVariables(flax.traverse_util.unflatten_dict(tensors, sep="/"), about)
