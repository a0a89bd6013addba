"""A classical method with its arguments, run on whole images."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.catalogue import Call, call, parameters
from jaxrestore.data.images import to_float
from jaxrestore.errors import InputError
from jaxrestore.inference.inputs import mask_of_each
from jaxrestore.ops.checks import check_range

_NAMED = {
    "psf": "the blur's kernel (psf)",
    "mask": "a mask of what is missing (mask)",
    "sigma": "the noise level (sigma)",
    "quality": "the quality of the JPEG (quality)",
    "scale": "scale",
}


class ClassicalMethod:
    """What a `Restorer` runs when it restores without a network.

    Args:
      chosen: the method and its arguments.
      inputs: further arguments, as `Restorer` takes them.

    Raises:
      InputError: the method does not take one of the inputs, or a value is outside its range.
    """

    channels = None
    """It takes grey and colour alike."""

    def __init__(self, chosen: Call, inputs: Mapping[str, Any]) -> None:
        self.name = str(chosen)
        self._call, self._fixed = chosen, {}
        self._check_taken(inputs)
        self._fixed = call(chosen.name, **inputs).arguments
        if "scale" in parameters(chosen.name) and self.scale is not None:
            check_range("scale", self.scale, low=1)

    @property
    def takes(self) -> tuple[str, ...]:
        """What it can be given beside the image."""
        return tuple(name for name in self._call.takes if name not in self._fixed)

    @property
    def is_turned_with_the_image(self) -> bool:
        """Whether a turned image gives the turned result: nothing else has a direction."""
        return not {"psf", "mask"} & parameters(self._call.name).keys()

    @property
    def scale(self) -> int | None:
        """Enlargement; None where it is still to be given."""
        if "scale" not in parameters(self._call.name):
            return 1
        default = parameters(self._call.name)["scale"].default
        return {**self._call.arguments, **self._fixed}.get("scale", default if isinstance(default, int) else None)

    def pieces(self, images: np.ndarray, **inputs: Any) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """Restore images.

        Args:
          images: (N, H, W, 1 or 3), uint8, uint16 or floating point.
          **inputs: those of `takes` that matter for these images.

        Yields:
          Everything, in one piece, in float32.

        Raises:
          InputError: an input is missing or not wanted, or does not fit the images.
        """
        self._check_taken(inputs)
        given = {**self._fixed, **inputs}
        missing = [name for name in self._call.needs if name not in given]
        if missing:
            raise InputError(f"{self.name} needs {' and '.join(_NAMED[name] for name in missing)}")
        if "mask" in given:
            given["mask"] = jnp.asarray(mask_of_each(images.shape, given["mask"]))
        restored = self._call.function(jnp.asarray(to_float(images)), **given)
        yield (slice(None),), np.asarray(restored, np.float32)

    def at_once(self, height: int, width: int, channels: int, most: int) -> int:
        """1: a method is run on one image after the other."""
        return 1

    def on(self, device: jax.Device | None, memory: int | None) -> "ClassicalMethod":
        """Itself: it has no variables, and computes where the thread that calls it does."""
        return self

    def _check_taken(self, inputs: Mapping[str, Any]) -> None:
        for name in inputs:
            if name in self._call.arguments or name in self._fixed:
                raise InputError(f"{self.name}: {name} is given twice")
            if name not in self._call.takes:
                raise InputError(f"{self.name} takes no {name}")
