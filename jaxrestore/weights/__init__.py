"""Weights: files of every kind in, files out, and the way between a reference's names and ours.

The names are resolved on first use; libraries for single formats are imported by their readers alone.
"""

from importlib import import_module

_HOME_OF = {
    "from_reference": "reference",
    "to_reference": "reference",
    "Weights": "detect",
    "load_weights": "detect",
    "list_pretrained": "pretrained",
    "save_weights": "store",
    "convert": "export_state",
    "prune": "pruning",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str):
    if name not in _HOME_OF:
        raise AttributeError(f"module 'jaxrestore.weights' has no attribute {name!r}")
    return getattr(import_module(f"jaxrestore.weights.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
