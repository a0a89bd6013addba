"""Which network a command runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from jaxrestore.errors import InputError

if TYPE_CHECKING:
    from jaxrestore.inference import Restorer


def make_restorer(
    model: str | None, weights: Path | None, tile: str = "auto", ensemble: bool = False, memory: str | None = None
) -> "Restorer":
    """The restorer of a command's arguments.

    With weights alone, the network is recognised from their names and shapes; with nothing at all, it is the package's own colour denoiser.

    Raises:
      InputError: there is no such network or weights, or none was named and the package ships none.
    """
    from jaxrestore.inference import Restorer
    from jaxrestore.weights import load_weights

    if model is None and weights is not None:
        return Restorer(load_weights(weights), None, tile, ensemble, memory)
    return Restorer(model or shipped_denoiser(), weights, tile, ensemble, memory)


def shipped_denoiser() -> str:
    """The tag of the package's own weights for colour denoising.

    Raises:
      InputError: the package ships none.
    """
    from jaxrestore.models.catalogue import list_models, model_card
    from jaxrestore.weights import list_pretrained

    for tag in list_pretrained():
        name = tag.split(".")[0]
        if name in list_models("denoising") and model_card(name).channels == 3:
            return tag
    raise InputError("no network is named and the package ships no colour denoiser: give --model and --weights")
