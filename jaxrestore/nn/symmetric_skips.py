"""Which layers of an encoder and a decoder of the same depth a symmetric skip joins."""

import math

from jaxrestore.errors import InputError


def symmetric_skips(depth: int, every: int) -> dict[int, int]:
    """Number of a decoder's layer -> number of the encoder's layer whose result is added to its own; both are counted from 1.

    Args:
      depth: layers of the encoder, and of the decoder, at least 2.
      every: layers between two skips; 0 for no skips.

    Returns:
      {depth - i: i} for i = every, 2 * every, ... below the depth, and in the order in which the decoder comes upon them.

    Raises:
      InputError: a number out of its range.

    Reference: Mao, Shen and Yang, "RED-Net", NeurIPS 2016, section 3.1.
    """
    if depth < 2 or every < 0:
        raise InputError(f"depth is {depth} and skip_every {every}: they must be at least 2 and at least 0")
    if not every:
        return {}
    return {depth - start: start for start in reversed(range(every, every * math.ceil(depth / every), every))}
