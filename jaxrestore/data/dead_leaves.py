"""Images that are made, not taken: the dead leaves model.

Opaque discs of random colour fall on one another; their radii follow r**-3, which makes the picture's statistics scale-invariant and its
edges and spectrum close to those of photographs. Networks trained on nothing else denoise real photographs well.

Reference: Lee, Mumford and Huang, "Occlusion models for natural images", IJCV 2001; Achddou, Gousseau and Ladjal, "Synthetic images as a
regularity prior for image restoration neural networks", SSVM 2021.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import SupportsIndex

import numpy as np


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
    for radius in radii:
        y, x = generator.uniform(-radius, side + radius, 2)
        rows = np.arange(max(int(y - radius), 0), min(int(y + radius) + 2, side))
        columns = np.arange(max(int(x - radius), 0), min(int(x + radius) + 2, side))
        if not len(rows) or not len(columns):
            continue
        down, right = rows[:, None] - y, columns[None, :] - x
        inside = down * down + right * right <= radius * radius
        color = np.clip(palette[generator.integers(len(palette))] + generator.normal(0.0, 0.04, channels), 0.0, 1.0)
        slope = generator.normal(0.0, 0.08, 2) / radius
        shade = (slope[0] * down + slope[1] * right)[..., None]
        window = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        window[inside] = (color + shade)[inside]
    # Half the size by averaging: soft edges, as a lens and a sensor make them.
    image = canvas.reshape(size, 2, size, 2, channels).mean((1, 3))
    image = np.round(255.0 * np.clip(image, 0.0, 1.0)).astype(np.uint8)
    image.setflags(write=False)
    return image
