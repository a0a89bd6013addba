"""Which reader a file needs, by its first bytes rather than its name."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.weights import h5_file, mat, npz_file, orbax_folder, run_folder, safetensors_file, torch_file
from jaxrestore.weights.contents import Contents, OwnVariables, StateDict
from jaxrestore.weights.guard import reading
from jaxrestore.weights.store import COLLECTIONS, own_variables

_KINDS = "torch (.pth, .pt, .pkl), MATLAB (.mat), safetensors, NumPy (.npz), HDF5 (.h5), a folder of Orbax or of a training run"
_PICKLE_SUFFIXES = (".pth", ".pt", ".pkl", ".pickle", ".ckpt")


def read(path: Path) -> Contents:
    """The contents of any supported file or folder.

    Raises:
      InputError: there is no such file, it is of no supported kind, or it is damaged.
    """
    if path.is_dir():
        return _read_folder(path)
    try:
        with path.open("rb") as file:
            start = file.read(512)
            file.seek(512)
            after_user_block = file.read(8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not start:
        raise InputError(f"{path}: is empty")
    hdf5 = b"\x89HDF\r\n\x1a\n"
    if start.startswith(b"MATLAB"):
        return mat.read(path)
    if start.startswith(hdf5) or after_user_block == hdf5:
        return _named(path, h5_file.read(path))
    if start.startswith(b"PK"):
        return _read_zip(path)
    if start[8:9] == b"{":
        return _named(path, *safetensors_file.read(path))
    if start[0] == 0x80 or path.suffix.lower() in _PICKLE_SUFFIXES:
        return StateDict(torch_file.read(path))
    raise InputError(f"{path}: is not a file of weights: the supported kinds are {_KINDS}")


def _read_zip(path: Path) -> Contents:
    with reading(path, "zip archive"), zipfile.ZipFile(path) as archive:
        numpy = any(name.endswith(".npy") for name in archive.namelist())
    if not numpy:
        return StateDict(torch_file.read(path))
    return _named(path, npz_file.read(path))


def _named(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> Contents:
    if not tensors:
        raise InputError(f"{path}: holds no arrays")
    return own_variables(path, tensors, metadata or {}) or StateDict(tensors)


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder is itself what `read` reads, an Orbax checkpoint or a training run."""
    return (folder / orbax_folder.ABOUT).is_file() or run_folder.is_run(folder) or _orbax_tree(folder) is not None


def _orbax_tree(path: Path) -> Path | None:
    """Where Orbax's tree lies: its managers and its newer interface put it one level down."""
    return next((folder for folder in (path, path / "default", path / "pytree") if (folder / "_METADATA").is_file()), None)


def _read_folder(path: Path) -> Contents:
    if (path / orbax_folder.ABOUT).is_file():
        tree, meta = orbax_folder.restore_checkpoint(path)
        return OwnVariables(tree, meta)
    if run_folder.is_run(path):
        return run_folder.read(path)
    folder = _orbax_tree(path)
    if folder is None:
        raise InputError(f"{path}: is a folder without a checkpoint: give a training run, an Orbax checkpoint or a file")
    tree = orbax_folder.read_arrays(folder)
    names = tuple(name.rstrip("/") for name in COLLECTIONS)
    return OwnVariables({name: tree[name] for name in names if tree.get(name)} if "params" in tree else {"params": tree}, {})
