"""NumPy archives: arrays by name, no pickles."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxrestore.weights.guard import check_unpacked_size, reading, replacing


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` file.

    Raises:
      InputError: the file is damaged, or holds Python objects.
    """
    with reading(path, "NumPy archive"):
        with zipfile.ZipFile(path) as archive:
            check_unpacked_size(path, sum(entry.file_size for entry in archive.infolist()))
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}


def write(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write a file, whole or not at all; an existing one is replaced.

    Raises:
      InputError: it cannot be written there.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **tensors)
