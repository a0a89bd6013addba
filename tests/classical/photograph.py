"""A real photograph for tests, and how far from it an image is."""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

import jaxrestore


@cache
def photograph(size: int = 96, channels: int = 3) -> np.ndarray:
    """A square of the package's own photograph with edges, texture and flat parts: (size, size, channels), float32 in [0, 1]."""
    with Image.open(Path(jaxrestore.__file__).parent / "cli" / "assets" / "coffee.jpg") as picture:
        cut = picture.crop((260, 120, 260 + size, 120 + size)).convert("RGB" if channels == 3 else "L")
    return np.asarray(cut, np.float32).reshape(size, size, channels) / 255.0


def decibels(image: np.ndarray, clean: np.ndarray, where: np.ndarray | None = None) -> float:
    """PSNR, at the pixels `where` alone if they are given."""
    error = np.square(np.clip(image, 0.0, 1.0) - clean, dtype=np.float64)
    return float(-10.0 * np.log10(error.mean() if where is None else error[np.broadcast_to(where, error.shape)].mean()))
