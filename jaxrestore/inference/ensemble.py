"""The eight views of an image: its four quarter turns, each also mirrored (the dihedral group)."""

from collections.abc import Callable

import numpy as np


def _view(turns: int, mirrored: bool) -> Callable[[np.ndarray], np.ndarray]:
    def view(images: np.ndarray) -> np.ndarray:
        seen = images[..., ::-1, :] if mirrored else images
        return np.rot90(seen, turns, axes=(-3, -2))

    return view


VIEWS = tuple(_view(turns, mirrored) for mirrored in (False, True) for turns in range(4))
"""Functions of an array (..., H, W, C), the first of them the identity.

Each gives a NumPy view of the same memory, so what is written into the view of an array is written into that array, turned back: the
inverse is exact by construction.
"""
