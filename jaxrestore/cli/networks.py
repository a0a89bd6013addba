"""Which network or method a command runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxrestore.errors import InputError

if TYPE_CHECKING:
    from jaxrestore.inference import Restorer
    from jaxrestore.inference.clips import ClipRestorer


def make_restorer(
    model: str | Sequence[str] | None,
    weights: Path | Sequence[Path] | None,
    tile: str = "auto",
    ensemble: bool = False,
    memory: str | None = None,
    **inputs: Any,
) -> "Restorer":
    """The restorer of a command's arguments.

    With weights alone, the network is recognised from their names and shapes; with nothing at all, it is the package's own colour denoiser.
    Several models or weights are averaged. `inputs` are what `Restorer` may be given beside that: psf, sigma, quality, scale.

    Raises:
      InputError: there is no such network or weights, or none was named and the package ships none.
    """
    from jaxrestore.inference import Restorer
    from jaxrestore.weights import load_weights

    models = [] if model is None else [model] if isinstance(model, str) else list(model)
    files = [] if weights is None else [weights] if isinstance(weights, Path) else list(weights)
    if files and not models:
        return Restorer([load_weights(file) for file in files], None, tile, ensemble, memory, **inputs)
    return Restorer(models or shipped_denoiser(), files or None, tile, ensemble, memory, **inputs)


def make_clip_restorer(
    model: str | Sequence[str] | None, weights: Sequence[Path], tile: str, memory: str | None, **others: Any
) -> "ClipRestorer | None":
    """As `make_restorer`, for videos through a network that takes several frames at once; None where the arguments name another.

    Raises:
      InputError: there are no such weights, or `others` holds something that such a network takes not.
    """
    from jaxrestore.inference.clips import ClipRestorer, takes_clips
    from jaxrestore.models.catalogue import list_models, model_card
    from jaxrestore.weights import load_weights

    names = [model] if isinstance(model, str) else list(model or ())
    if len(names) > 1 or len(weights) > 1:
        return None
    if names and not (names[0] in list_models() and takes_clips(model_card(names[0]).create())):
        return None
    if not weights:
        if names:
            raise InputError(f"{names[0]}: the package ships no weights for it; give a file of weights")
        return None
    loaded = load_weights(weights[0], names[0] if names else None)
    if not takes_clips(loaded.model):
        return None
    name = loaded.name or type(loaded.model).__name__
    given = [word for word, value in others.items() if value is not None and value is not False]
    if given:
        raise InputError(f"{name} takes no {given[0]}")
    return ClipRestorer(name, loaded.model, loaded.variables, tile, memory)


def with_scale(model: str | None, scale: int | None) -> tuple[str | None, int | None]:
    """A classical method with this enlargement added, where it takes one, and None; any other name as it is, and the enlargement.

    Raises:
      InputError: the text of a classical method is wrong.
    """
    from jaxrestore.classical.catalogue import METHODS, parse

    if model is None or scale is None or model.split(":")[0].strip() not in METHODS:
        return model, scale
    return f"{model}:scale={scale}" if "scale" in parse(model).takes else model, None


def channels_of(folder: Path) -> int:
    """1 where the first picture of a folder that can be read is grey, otherwise 3.

    Raises:
      InputError: there is no such folder, or no picture in it.
    """
    from jaxrestore.data.images import find_images, read_image

    for path in find_images(folder):
        try:
            return read_image(path).color.shape[-1]
        except InputError:
            continue
    return 3


def shipped_denoiser() -> str:
    """The tag of the package's own weights for colour denoising.

    Raises:
      InputError: the package ships none.
    """
    from jaxrestore.models.catalogue import list_models, model_card
    from jaxrestore.weights import list_pretrained

    for tag in list_pretrained():
        name = tag.split(".")[0]
        if name not in list_models():
            continue
        card = model_card(name)  # of this network alone: every card that is looked at costs the import of its network
        if card.task == "denoising" and card.channels == 3:
            return tag
    raise InputError("no network is named and the package ships no colour denoiser: give --model and --weights")
