"""Images that are made, not taken: the dead leaves model.

Opaque discs of random colour fall on one another; their radii follow r**-3, which makes the picture's statistics scale-invariant and its
edges and spectrum close to those of photographs. Networks trained on nothing else denoise real photographs well.

Reference: Lee, Mumford and Huang, "Occlusion models for natural images", IJCV 2001; Achddou, Gousseau and Ladjal, "Synthetic images as a
regularity prior for image restoration neural networks", SSVM 2021.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import SupportsIndex

import cv2
import numpy as np

_BITS = 4  # fractional bits of a disc's position and radius


@dataclass(frozen=True)
class DeadLeaves:
    """A random-access source: image k is a function of (seed, k).

    Attributes:
      count: number of images.
      size: side in pixels.
      channels: 3 for RGB, 1 for grey.
      seed: of all images.
      smallest: radius of the smallest disc, in pixels of the image at twice the size.
    """

    count: int = 64
    size: int = 160
    channels: int = 3
    seed: int = 0
    smallest: float = 5.0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: SupportsIndex) -> dict[str, np.ndarray]:
        """{"image": uint8 (size, size, channels)}."""
        if not 0 <= int(index) < self.count:
            raise IndexError(index)
        return {"image": _make(self.size, self.channels, self.seed, int(index), self.smallest)}


@lru_cache(maxsize=512)
def _make(size: int, channels: int, seed: int, index: int, smallest: float) -> np.ndarray:
    generator = np.random.default_rng((seed, index))
    side, largest = 2 * size, float(size)
    canvas = np.full((side, side, channels), 0.5, np.float32)
    # Inverse of the distribution function of p(r) ~ r**-3 between the smallest and the largest radius.
    u = generator.uniform(size=6 * side)
    radii = (smallest**-2 + u * (largest**-2 - smallest**-2)) ** -0.5
    # Photographs vary more in lightness than in colour.
    palette = generator.beta(0.8, 0.9, (24, 1)) + generator.normal(0.0, 0.12, (24, channels))
    colors = np.clip(
        palette[generator.integers(len(palette), size=len(radii))] + generator.normal(0.0, 0.04, (len(radii), channels)), 0.0, 1.0
    )
    centers = generator.uniform(-largest / 2, side + largest / 2, (len(radii), 2))
    for center, radius, color in zip(centers, radii, colors, strict=True):
        fixed = [round(value * 2**_BITS) for value in (*center, radius)]
        cv2.circle(canvas, fixed[:2], fixed[2], color.tolist(), thickness=-1, shift=_BITS)
    # Light falls unevenly on the scene.
    slope = generator.normal(0.0, 0.15, 2)
    down, right = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side), indexing="ij")
    canvas *= (1.0 + slope[0] * down + slope[1] * right)[..., None].astype(np.float32)
    # Half the size by averaging: soft edges, as a lens and a sensor make them.
    image = canvas.reshape(size, 2, size, 2, channels).mean((1, 3))
    image = np.round(255.0 * np.clip(image, 0.0, 1.0)).astype(np.uint8)
    image.setflags(write=False)
    return image
