"""Channels that only a network's own layers see, which a smaller network of the same kind can do without."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InnerChannels:
    """Channels between layers of a network that nothing else reads: they can be removed together.

    Attributes:
      made_by: paths of the layers whose outputs these channels are, such as "block_0/conv_0"; a normalisation among them. One that the
        network does not have, such as a normalisation that is merged into the convolutions, counts for nothing.
      read_by: paths of the layers whose inputs they are; the last is the one that computes with the channels as they come.
      gated: paths of layers that make each channel twice: its two factors, in the first and in the second half of their outputs.
    """

    made_by: tuple[str, ...]
    read_by: tuple[str, ...]
    gated: tuple[str, ...] = ()


def kept(count: int, share: float | int) -> int:
    """This share of so many channels, and at least one."""
    return max(1, round(share * count))
