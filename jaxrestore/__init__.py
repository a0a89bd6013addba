"""jaxrestore: image restoration in JAX.

The public names are resolved on first use, so that `import jaxrestore` costs nothing beyond what it names.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME_OF = {
    "InputError": "jaxrestore.errors",
    "ModelCard": "jaxrestore.models.card",
    "list_models": "jaxrestore.models.catalogue",
    "model_card": "jaxrestore.models.catalogue",
    "create_model": "jaxrestore.models.catalogue",
    "list_methods": "jaxrestore.classical.catalogue",
    "initialise": "jaxrestore.nn.initialise",
    "Weights": "jaxrestore.weights",
    "load_weights": "jaxrestore.weights",
    "list_pretrained": "jaxrestore.weights",
    "Restorer": "jaxrestore.inference",
    "export_network": "jaxrestore.export.by_name",
    "load_exported": "jaxrestore.export.load",
    "psnr": "jaxrestore.metrics",
    "ssim": "jaxrestore.metrics",
}

__all__ = [*_HOME_OF, "__version__"]


def __getattr__(name: str):
    if name not in _HOME_OF:
        raise AttributeError(f"module 'jaxrestore' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
