"""HDF5 files that are not MATLAB's: every dataset by its path."""

from pathlib import Path

import numpy as np

from jaxrestore.weights.guard import check_unpacked_size, reading


def read(path: Path) -> dict[str, np.ndarray]:
    """The numeric datasets of an `.h5` file, named by their path ("group/name"), in the order of the file's index.

    Raises:
      InputError: the file is damaged.
    """
    import h5py

    found: dict[str, np.ndarray] = {}
    claimed = 0
    with reading(path, "HDF5 file"), h5py.File(path, "r") as file:
        datasets: list[h5py.Dataset] = []
        file.visititems(lambda _, node: datasets.append(node) if isinstance(node, h5py.Dataset) else None)
        for node in datasets:
            if node.dtype.kind in "biuf":
                claimed += node.nbytes
                check_unpacked_size(path, claimed)
                found[node.name.lstrip("/")] = np.asarray(node[()])
    return found
