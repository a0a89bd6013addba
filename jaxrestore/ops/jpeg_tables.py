"""The quantisation tables that nearly every JPEG encoder writes: those of the standard's annex K, scaled by a quality as libjpeg does."""

import numpy as np

from jaxrestore.ops.checks import check_range

_LUMA = """
16 11 10 16  24  40  51  61
12 12 14 19  26  58  60  55
14 13 16 24  40  57  69  56
14 17 22 29  51  87  80  62
18 22 37 56  68 109 103  77
24 35 55 64  81 104 113  92
49 64 78 87 103 121 120 101
72 92 95 98 112 100 103  99
"""

_CHROMA = """
17 18 24 47 99 99 99 99
18 21 26 66 99 99 99 99
24 26 56 99 99 99 99 99
47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
"""

STANDARD = np.array([text.split() for text in (_LUMA, _CHROMA)], int).reshape(2, 8, 8)
"""(2, 8, 8): luma's and chroma's table, row = vertical frequency."""


def quantisation_tables(quality: int) -> np.ndarray:
    """The steps of an encoder's two tables, in grey levels of 0..255 and for orthonormal coefficients (`ops.dct8`).

    Args:
      quality: 1 (worst) to 100.

    Returns:
      (2, 8, 8) whole numbers 1..255: luma's table and chroma's.

    Raises:
      InputError: quality is out of its range.

    Reference: ITU-T T.81 (JPEG), tables K.1 and K.2; libjpeg, `jpeg_set_quality`.
    """
    check_range("quality", quality, low=1, high=100)
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((STANDARD * percent + 50) // 100, 1, 255)
