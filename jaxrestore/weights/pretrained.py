"""Weights that the package ships, by tag: the model's name, a dot, and what they were trained on."""

from importlib.resources import files
from pathlib import Path

from jaxrestore.errors import InputError

_SUFFIX = ".safetensors"


def _home() -> Path:
    return Path(str(files("jaxrestore.weights"))) / "files"


def list_pretrained() -> tuple[str, ...]:
    """Tags of all shipped weights, such as "dncnn_color_blind.bsds400"."""
    home = _home()
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in home.glob(f"*.*{_SUFFIX}"))) if home.is_dir() else ()


def pretrained_path(tag: str) -> Path:
    """The file of shipped weights.

    Raises:
      InputError: no such tag; the message lists them.
    """
    if tag not in list_pretrained():
        raise InputError(f"{tag!r} is not among the package's weights: {', '.join(list_pretrained()) or 'there are none'}")
    return _home() / f"{tag}{_SUFFIX}"
