"""MATLAB files: version 5 (scipy) and 7.3 (HDF5, h5py), holding MatConvNet networks or cell arrays of kernels and biases.

MATLAB stores arrays column by column, so an HDF5 reader sees their axes reversed; it drops trailing axes of length one, so the kernel of a
layer with one output has three axes. Both are undone here.
"""

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.weights.contents import Layer, LayerList
from jaxrestore.weights.guard import check_unpacked_size, reading

_COMPRESSED = 15  # type of a compressed element in a version 5 file
_DEEPEST = 8  # levels of cells and structures in a file of weights


def read(path: Path) -> LayerList:
    """The convolutions of a `.mat` file in order, batch normalisation merged into them.

    Args:
      path: a file that holds `net.layers` (MatConvNet's SimpleNN form), a cell of several networks' such layers (IRCNN's `CNNdenoiser{}`),
        or `model.weight{}` and `model.bias{}`.

    Raises:
      InputError: the file is damaged, holds no such network, or several that differ in their shapes.
    """
    with reading(path, "MATLAB file"):
        with path.open("rb") as file:
            hdf5 = b"MATLAB 7.3" in file.read(19)
        content = _read_hdf5(path) if hdf5 else _read_version_5(path)
        found = _layers(content)
        if not found.layers:
            names = ", ".join(content) or "nothing"
            raise InputError(f"holds {names}, but neither net.layers nor model.weight with convolutions")
        return found


def _layers(content: dict[str, Any]) -> LayerList:
    net = content.get("net", content)
    if isinstance(net, dict) and isinstance(net.get("net"), dict):
        net = net["net"]
    if "layers" in net:
        return LayerList(tuple(_simple_network(net["layers"])))
    several = next((cell for cell in content.values() if _are_networks(cell)), None)
    if several is not None:
        return _one_after_the_other([_simple_network(entries) for entries in several])
    model = content.get("model", content)
    if "weight" in model and "bias" in model:
        return LayerList(tuple(_layer(kernel, bias) for kernel, bias in zip(model["weight"], model["bias"], strict=True)), False)
    return LayerList(())


def _are_networks(cell: Any) -> bool:
    """Whether this is a cell of cells of MatConvNet's layers."""
    entries = [entry for network in cell if isinstance(network, list) for entry in network] if isinstance(cell, list) else []
    return bool(entries) and all(isinstance(entry, dict) and "type" in entry for entry in entries)


def _one_after_the_other(networks: list[list[Layer]]) -> LayerList:
    shapes = [[layer.kernel.shape for layer in network] for network in networks]
    if any(other != shapes[0] for other in shapes):
        different = next(i for i, other in enumerate(shapes) if other != shapes[0])
        raise InputError(f"holds {len(networks)} networks, of which number {different + 1} has other shapes than the first")
    return LayerList(tuple(layer for network in networks for layer in network), networks=len(networks))


def _simple_network(entries: list[dict[str, Any]]) -> list[Layer]:
    """MatConvNet: a convolution has weights {kernel, bias}, a normalisation {scale, shift, [mean, deviation]}."""
    layers: list[Layer] = []
    for entry in entries:
        kind, weights = entry.get("type"), entry.get("weights", [])
        if kind == "conv":
            kernel, bias = weights if weights else (entry["filters"], entry["biases"])
            layers.append(_layer(kernel, bias))
        elif kind == "bnorm":
            layers[-1] = _merged(layers[-1], *weights)
        elif kind == "convt":
            raise InputError("this MatConvNet network has transposed convolutions, which are not supported")
    return layers


def _layer(kernel: np.ndarray, bias: np.ndarray) -> Layer:
    kernel = kernel.reshape(kernel.shape + (1,) * (4 - kernel.ndim))
    return Layer(kernel, bias.reshape(-1) if bias.size else None)


def _merged(layer: Layer, scale: np.ndarray, shift: np.ndarray, moments: np.ndarray) -> Layer:
    """The convolution followed by a normalisation, as one convolution (MatConvNet's deviations already hold the epsilon)."""
    mean, deviation = moments.reshape(-1, 2).T
    factor = scale.reshape(-1) / deviation
    bias = 0.0 if layer.bias is None else layer.bias
    merged = (bias - mean) * factor + shift.reshape(-1)
    return Layer((layer.kernel * factor).astype(layer.kernel.dtype), merged.astype(layer.kernel.dtype))


def _read_version_5(path: Path) -> dict[str, Any]:
    import scipy.io

    _check_version_5_size(path)
    content = scipy.io.loadmat(path, squeeze_me=False, struct_as_record=True)
    return {name: _plain(value) for name, value in content.items() if not name.startswith("__")}


def _check_version_5_size(path: Path) -> None:
    """Unpack each compressed element into nothing, so that a bomb is found before scipy holds it in memory."""
    content = path.read_bytes()
    order = "little" if content[126:128] == b"IM" else "big"
    place, unpacked = 128, 0
    while place + 8 <= len(content):
        kind, size = (int.from_bytes(content[place + i : place + i + 4], order) for i in (0, 4))
        pending = content[place + 8 : place + 8 + size]
        if kind == _COMPRESSED:
            decoder = zlib.decompressobj()
            while pending and not decoder.eof:
                unpacked += len(decoder.decompress(pending, 2**20))
                check_unpacked_size(path, unpacked)
                pending = decoder.unconsumed_tail
        place += 8 + size


def _plain(value: np.ndarray, depth: int = 0) -> Any:
    """scipy's nested object arrays -> dictionaries (structures), lists (cells), text and numbers."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if value.dtype.names:
        items = [{name: _plain(np.asarray(item[name]), depth + 1) for name in value.dtype.names} for item in value.ravel("F")]
        return items[0] if len(items) == 1 else items
    if value.dtype.kind == "O":
        return [_plain(np.asarray(item), depth + 1) for item in value.ravel("F")]
    if value.dtype.kind in "US":
        return str(value.ravel()[0]) if value.size else ""
    return value


def _read_hdf5(path: Path) -> dict[str, Any]:
    import h5py

    with h5py.File(path, "r") as file:
        claimed = [file.id.get_filesize()]
        return {name: _from_hdf5(file, file[name], path, claimed) for name in file if not name.startswith("#")}


def _from_hdf5(file: Any, node: Any, path: Path, claimed: list[int], depth: int = 0) -> Any:
    import h5py

    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(node, h5py.Group):
        return {name: _from_hdf5(file, node[name], path, claimed, depth + 1) for name in node}
    claimed[0] += node.nbytes
    check_unpacked_size(path, claimed[0])
    kind = node.attrs.get("MATLAB_class", b"")
    if node.attrs.get("MATLAB_empty", 0):
        return [] if kind == b"cell" else np.zeros(0, np.float32)
    if node.dtype.kind == "O":
        # A one-column array of references: a cell, or the field of an array of structures.
        return [_from_hdf5(file, file[reference], path, claimed, depth + 1) for reference in node[()].ravel()]
    value = np.asarray(node[()]).T
    return "".join(map(chr, value.ravel("F"))) if kind == b"char" else value
