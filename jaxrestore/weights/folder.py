"""A folder of weight files, each named after its model: `dncnn_gray.pth`, or `dncnn_gray.night.safetensors` with a tag of its own."""

from pathlib import Path

from jaxrestore.errors import InputError
from jaxrestore.weights.read import is_checkpoint

_SUFFIXES = (".safetensors", ".pth", ".pt", ".pkl", ".pickle", ".ckpt", ".mat", ".h5", ".npz")


def find_weights(folder: Path, model: str | None) -> Path:
    """The one file, or folder of a checkpoint, in a folder that holds weights for a model.

    Args:
      folder: a folder that is no checkpoint itself.
      model: a model's name, with a tag or without, which file names begin with; None takes the only weights there are.

    Raises:
      InputError: there are none, or several.
    """
    found = {path: _stem(path) for path in files_of_weights(folder)}
    fitting = [path for path, stem in found.items() if model is None or stem == model or stem.startswith(f"{model}.")]
    exact = [path for path in fitting if found[path] == model]
    if len(exact) == 1 or len(fitting) == 1:
        return (exact if len(exact) == 1 else fitting)[0]
    wanted = f"weights of {model}" if model else "weights"
    if fitting:
        raise InputError(f"{folder} holds several {wanted}, {_some(fitting)}: name one of them")
    held = f"it holds {_some(list(found))}" if found else "it holds none at all"
    name = f"a file is named after its model, such as {model}.safetensors; " if model else ""
    raise InputError(f"{folder} is a folder without a checkpoint, and holds no {wanted}: {name}{held}")


def files_of_weights(folder: Path) -> list[Path]:
    """The files, and folders of checkpoints, in a folder that by their names may be weights, sorted."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and _may_be_weights(path)]


def _stem(path: Path) -> str:
    return path.stem if path.suffix.lower() in _SUFFIXES else path.name


def _may_be_weights(path: Path) -> bool:
    return is_checkpoint(path) if path.is_dir() else path.suffix.lower() in _SUFFIXES


def _some(paths: list[Path], most: int = 4) -> str:
    names = ", ".join(path.name for path in paths[:most])
    return names if len(paths) <= most else f"{names} and {len(paths) - most} more"
