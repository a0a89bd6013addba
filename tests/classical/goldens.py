"""What other libraries' filters give, grey images as (H, W, 1)."""

from functools import cache

import numpy as np

from tests.parity.golden import Golden

NAMES = ("classical-denoise", "classical-rgb")


@cache
def tensors() -> dict[str, np.ndarray]:
    """All tensors of the goldens, float64."""
    merged = {key: value for name in NAMES for key, value in Golden(f"ops/{name}").tensors.items()}
    return {key: value if value.ndim == 3 else value[..., None] for key, value in merged.items()}
