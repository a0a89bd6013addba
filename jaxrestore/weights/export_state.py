"""Any supported file to one of ours, or back to the reference's layout."""

from os import PathLike
from pathlib import Path

import flax.linen as nn

from jaxrestore.errors import InputError
from jaxrestore.weights import npz_file, safetensors_file
from jaxrestore.weights.describe import describe
from jaxrestore.weights.detect import Weights, load_weights
from jaxrestore.weights.orbax_folder import save_checkpoint
from jaxrestore.weights.reference import to_reference
from jaxrestore.weights.store import save_weights


def convert(
    source: str | PathLike | Weights, destination: str | PathLike, model: str | nn.Module | None = None, reference: bool = False
) -> Weights:
    """Read weights and write them in another format.

    Args:
      source: anything that `load_weights` takes, or what it gave.
      destination: NAME.safetensors for our file; a name without a suffix for an Orbax folder; NAME.npz for NumPy arrays under the
        reference's names and in its layout, which `torch.from_numpy` and `load_state_dict` take.
      model: the network, where it shall not be found out.
      reference: write NAME.safetensors under the reference's names and in its layout.

    Returns:
      What was read.

    Raises:
      InputError: the source cannot be read, or the destination is of no such kind or cannot be written.
    """
    place = Path(destination)
    if place.suffix not in ("", ".safetensors", ".npz"):
        raise InputError(f"{destination}: is not a kind that is written: end it in .safetensors or .npz, or in nothing for an Orbax folder")
    if reference and place.suffix == "":
        raise InputError(f"{destination}: the reference's layout is written to .safetensors or .npz files")
    weights = source if isinstance(source, Weights) else load_weights(source, model)
    information = {"source": Path(weights.source).name, **weights.information}
    if place.suffix == "":
        save_checkpoint(place, weights.variables, {**describe(weights.model, weights.name), "information": information})
    elif place.suffix == ".npz":
        npz_file.write(place, to_reference(weights.model, weights.variables))
    elif reference:
        safetensors_file.write(place, to_reference(weights.model, weights.variables), {"format": "pt"})
    else:
        save_weights(place, weights.variables, weights.model, weights.name, information)
    return weights
