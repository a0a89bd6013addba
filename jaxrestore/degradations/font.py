"""A small alphabet of straight strokes, for text over images: letters and digits as they are engraved.

A letter is drawn on a grid of 5x7 points, (0, 0) top left and (4, 6) at the right end of the baseline; tails reach to row 8.
"""

from functools import cache
from itertools import pairwise

import numpy as np

WIDTH, HEIGHT = 4, 6

# Two digits are a point (column, row); a space goes on to the next point, a comma lifts the pen.
_STROKES = {
    "A": "06 20 46,14 34",
    "B": "00 06 36 45 44 33 03,33 42 41 30 00",
    "C": "41 30 10 01 05 16 36 45",
    "D": "00 06 26 44 42 20 00",
    "E": "40 00 06 46,03 33",
    "F": "40 00 06,03 33",
    "G": "41 30 10 01 05 16 36 45 43 23",
    "H": "00 06,40 46,03 43",
    "I": "10 30,20 26,16 36",
    "J": "40 45 36 16 05",
    "K": "00 06,40 03 46",
    "L": "00 06 46",
    "M": "06 00 23 40 46",
    "N": "06 00 46 40",
    "O": "10 30 41 45 36 16 05 01 10",
    "P": "06 00 30 41 42 33 03",
    "Q": "10 30 41 45 36 16 05 01 10,24 46",
    "R": "06 00 30 41 42 33 03,23 46",
    "S": "41 30 10 01 02 13 33 44 45 36 16 05",
    "T": "00 40,20 26",
    "U": "00 05 16 36 45 40",
    "V": "00 26 40",
    "W": "00 16 22 36 40",
    "X": "00 46,40 06",
    "Y": "00 23 40,23 26",
    "Z": "00 40 06 46",
    "a": "42 12 03 05 16 36 45,42 46",
    "b": "00 06 36 45 43 32 02",
    "c": "43 32 12 03 05 16 36 45",
    "d": "40 46 16 05 03 12 42",
    "e": "04 44 43 32 12 03 05 16 36 45",
    "f": "40 30 21 26,02 42",
    "g": "42 12 03 05 16 46,42 47 38 18",
    "h": "00 06,03 12 32 43 46",
    "i": "20 20,12 22 26,16 36",
    "j": "30 30,32 37 28 18",
    "k": "00 06,42 04,14 46",
    "l": "10 20 26,16 36",
    "m": "06 02,03 12 23 26,23 32 43 46",
    "n": "02 06,03 12 32 43 46",
    "o": "12 32 43 45 36 16 05 03 12",
    "p": "08 02 32 43 45 36 06",
    "q": "48 42 12 03 05 16 46",
    "r": "02 06,04 22 42",
    "s": "42 12 03 14 34 45 36 06",
    "t": "20 25 36 46,02 42",
    "u": "02 05 16 36 45,42 46",
    "v": "02 26 42",
    "w": "02 16 23 36 42",
    "x": "02 46,42 06",
    "y": "02 26,42 26 18",
    "z": "02 42 06 46",
    "0": "10 30 41 45 36 16 05 01 10,32 14",
    "1": "11 20 26,16 36",
    "2": "01 10 30 41 42 06 46",
    "3": "01 10 30 41 42 33 44 45 36 16 05,33 13",
    "4": "36 30 04 44",
    "5": "40 00 03 33 44 45 36 16 05",
    "6": "41 30 10 01 05 16 36 45 44 33 03",
    "7": "00 40 16",
    "8": "10 30 41 42 33 13 02 01 10,13 04 05 16 36 45 44 33",
    "9": "43 13 02 01 10 30 41 45 36 16 05",
}
ALPHABET = "".join(_STROKES)


def segments(letter: str) -> np.ndarray:
    """(n, 2, 2): the pieces of a letter as ((column, row), (column, row))."""
    pieces = []
    for line in _STROKES[letter].split(","):
        points = [(int(column), int(row)) for column, row in line.split()]
        pieces += pairwise(points)
    return np.asarray(pieces, float)


@cache
def distance_fields(margin: int = 1, samples: int = 6) -> np.ndarray:
    """How far each place of a letter's cell lies from its strokes, in grid units.

    Args:
      margin: the cell reaches from `-margin` to `WIDTH + margin` and to two more below the baseline.
      samples: of a grid unit along each side.

    Returns:
      (letters, rows, columns); sample (i, j) lies at row i / samples - margin, column j / samples - margin.
    """
    rows = np.arange((HEIGHT + 2 + 2 * margin) * samples + 1) / samples - margin
    columns = np.arange((WIDTH + 2 * margin) * samples + 1) / samples - margin
    place = np.stack(np.meshgrid(columns, rows), axis=-1)[..., None, :]
    fields = []
    for letter in ALPHABET:
        start, end = segments(letter).swapaxes(0, 1)
        run = end - start
        share = np.clip(np.sum((place - start) * run, -1) / np.maximum(np.sum(run * run, -1), 1e-9), 0.0, 1.0)
        fields.append(np.linalg.norm(place - start - share[..., None] * run, axis=-1).min(-1))
    return np.asarray(fields, np.float32)
