"""On-demand learning: a task cut into bands of difficulty, and how many examples of each the next epoch gets.

The curriculum validates after each epoch and trains most on the bands where the network does worst.
"""

from collections.abc import Sequence

import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range

# The published fill is the mean colour (117, 104, 123) of 255; here its grey.
_FILL = "fill=0.45"

BANDS: dict[str, tuple[str, ...]] = {
    "denoising": tuple(f"gaussian:sigma={low}..{low + 20},clip" for low in range(0, 100, 20)),
    # Squares of 1..6, 7..12, ... 25..30 pixels of 64, anywhere; half a pixel more at the ends, so that each size is equally likely.
    "inpainting": tuple(f"erase:size={(low - 0.5) / 64}..{(low + 5.5) / 64}:{_FILL}:shape=square" for low in range(1, 31, 6)),
    "interpolation": tuple(f"missing:rate={low / 100}..{(low + 15) / 100}:{_FILL}" for low in range(0, 75, 15)),
    # The published code draws the kernel's size as well, from 3 to 19.
    "deblurring": tuple(f"anisotropic_blur:sigma_long={low}..{low + 1}:sigma_short={low}..{low + 1}:size=19" for low in range(5)),
}
"""task -> recipes of its bands, from the easiest to the hardest.

Reference: Gao and Grauman, "On-Demand Learning for Deep Image Restoration", ICCV 2017, section 3.1 and the released code.
"""


def allocate(psnr: Sequence[float], total: int) -> tuple[int, ...]:
    """How many of an epoch's examples (or of a batch's) each band gets: inversely proportional to its mean PSNR on validation images.

    Args:
      psnr: mean PSNR of each band in dB, > 0.
      total: examples to be shared out, >= 0.

    Returns:
      As many whole numbers as there are bands, whose sum is `total`: shares are rounded down, and what is left goes one each to the bands
      with the largest remainders, of equal ones to the first.

    Raises:
      InputError: no bands, a PSNR that is not positive and finite, or a negative total.

    Reference: Gao and Grauman, "On-Demand Learning for Deep Image Restoration", ICCV 2017, equation 1.
    """
    if not len(psnr):
        raise InputError("psnr is empty: it must have a number for each band")
    check_range("psnr", np.asarray(psnr, np.float64), low=0.0, open_low=True)
    check_range("total", total, low=0)
    inverse = 1.0 / np.asarray(psnr, np.float64)
    shares = total * inverse / inverse.sum()
    counts = np.floor(shares + 1e-9).astype(int)  # a share that is whole but for rounding is whole
    left = np.argsort(-(shares - counts), kind="stable")[: total - counts.sum()]
    counts[left] += 1
    return tuple(int(count) for count in counts)
