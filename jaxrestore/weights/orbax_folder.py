"""An Orbax checkpoint of any pytree in a folder of its own, with a description and a checksum for each leaf beside it.

    FOLDER/tree/            the arrays (Orbax)
          /jaxrestore.json  description, checksums

Orbax gives a flipped bit back without a word; here it raises.
"""

import hashlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import flax.traverse_util
import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.typing import Tree
from jaxrestore.weights.checksum import checksums, verify
from jaxrestore.weights.guard import reading

FORMAT = 1
ABOUT = "jaxrestore.json"
_TREE = "tree"
_INDEX = "_METADATA"


def save_checkpoint(folder: str | PathLike, tree: Tree, meta: Mapping[str, Any]) -> None:
    """Write a pytree to a folder, whole or not at all.

    Args:
      folder: an existing checkpoint there is replaced; any other folder that is not empty is refused.
      tree: any pytree of arrays, numbers and random keys.
      meta: anything that JSON can hold.

    Raises:
      InputError: the folder holds something else, or cannot be written.
    """
    import orbax.checkpoint as ocp

    folder = Path(folder).resolve()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / ABOUT).is_file()):
        raise InputError(f"{folder}: is there already and is not a checkpoint: choose another name")
    nested = flax.traverse_util.unflatten_dict({_parts(path): _as_array(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)})
    mark = secrets.token_hex(4)
    temporary, old = (folder.with_name(f".{folder.name}.{mark}.{kind}") for kind in ("tmp", "old"))
    about = {"format": FORMAT, "meta": dict(meta), "meta_checksum": _text_checksum(meta), "checksums": checksums(nested)}
    logging.getLogger("absl").setLevel(logging.ERROR)
    try:
        temporary.mkdir(parents=True)
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(temporary / _TREE, nested)
        (temporary / ABOUT).write_text(json.dumps(about))
        if folder.is_dir():
            os.replace(folder, old)
        os.replace(temporary, folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def restore_checkpoint(folder: str | PathLike, like: Tree | None = None) -> tuple[Tree, dict[str, Any]]:
    """Read a pytree and verify every leaf.

    Args:
      folder: what `save_checkpoint` wrote.
      like: a pytree of the same structure, to be filled; None gives nested dictionaries of NumPy arrays, where a sequence's items
        are named by their number.

    Returns:
      The tree (random keys as their data unless `like` holds keys) and the description.

    Raises:
      InputError: the folder is no checkpoint, a leaf is damaged or missing, or `like` has another structure or other shapes.
    """
    folder = Path(folder)
    if not (folder / ABOUT).is_file():
        raise InputError(f"{folder}: is not a checkpoint of jaxrestore: there is no {ABOUT} in it")
    with reading(folder, "checkpoint"):
        about = json.loads((folder / ABOUT).read_text())
        if about["format"] > FORMAT:
            raise InputError("was written by a later version of jaxrestore: update the package")
        if about["meta_checksum"] != _text_checksum(about["meta"]):
            raise InputError(f"the description in {ABOUT} differs from its checksum: copy it again or use another checkpoint")
        nested = read_arrays(folder / _TREE)
        verify(nested, about["checksums"], folder / _TREE)
        absent = sorted(set(about["checksums"]) - set(checksums(jax.tree.map(lambda _: 0, nested))))
        if absent:
            raise InputError(f"leaf {absent[0]} is missing: copy it again or use another checkpoint")
    return (nested if like is None else _filled(folder, like, nested)), about["meta"]


def read_arrays(folder: Path, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """What an Orbax folder holds, or a part of it, as nested dictionaries of NumPy arrays; it need not be known what the rest is.

    Args:
      folder: a folder written by Orbax's standard or pytree handler.
      names: keys at the top level to be read; None reads all.

    Raises:
      InputError: the folder is damaged or not Orbax's.
    """
    import tensorstore

    with reading(folder, "Orbax checkpoint"):
        if not (folder / _INDEX).is_file():
            raise InputError("is not an Orbax checkpoint: there is no _METADATA in it")
        index = json.loads((folder / _INDEX).read_text())
        driver = "zarr3" if index.get("use_zarr3") else "zarr"
        pending = {}
        for entry in index["tree_metadata"].values():
            path = tuple(str(key["key"]) for key in entry["key_metadata"])
            if not entry["value_metadata"]["skip_deserialize"] and (names is None or path[0] in names):
                store = _place(folder, ".".join(path), index.get("use_ocdbt", False))
                pending[path] = tensorstore.open({"driver": driver, "kvstore": store}, open=True)
        # Orbax's own reader leaves tracebacks of its other tasks on the terminal when one of them fails; this one says it once.
        opened = {path: array.result() for path, array in pending.items()}
        values = {path: array.read() for path, array in opened.items()}
        return flax.traverse_util.unflatten_dict({path: np.asarray(value.result()) for path, value in values.items()})


def _place(folder: Path, name: str, database: bool) -> dict[str, Any]:
    files = {"driver": "file", "path": f"{folder.resolve()}/"}
    if database:
        return {"driver": "ocdbt", "base": files, "path": f"{name}/"}
    return {**files, "path": f"{folder.resolve()}/{name}/"}


def _filled(folder: Path, like: Tree, nested: dict[str, Any]) -> Tree:
    stored = flax.traverse_util.flatten_dict(nested)
    wanted, structure = jax.tree_util.tree_flatten_with_path(like)
    leaves = []
    for path, leaf in wanted:
        parts = _parts(path)
        if parts not in stored:
            raise InputError(f"{folder}: has no leaf {'/'.join(parts)}")
        value = stored.pop(parts)
        if _is_key(leaf):
            value = jax.random.wrap_key_data(value, impl=jax.random.key_impl(leaf))
        if np.shape(value) != np.shape(leaf):
            raise InputError(f"{folder}: leaf {'/'.join(parts)} is {np.shape(value)}, not {np.shape(leaf)}")
        leaves.append(value)
    if stored:
        raise InputError(f"{folder}: leaf {'/'.join(next(iter(stored)))} and {len(stored) - 1} more are left over")
    return jax.tree.unflatten(structure, leaves)


def _parts(path: tuple) -> tuple[str, ...]:
    return tuple(jax.tree_util.keystr((key,), simple=True) for key in path)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _as_array(leaf: Any) -> np.ndarray:
    return np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)


def _text_checksum(meta: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(json.loads(json.dumps(dict(meta))), sort_keys=True).encode()).hexdigest()[:32]
