"""What tiles cost, against the arithmetic that their halos make unavoidable.

    python -m benchmarks.tiles [SIDE]

A light network restores one picture of SIDE x SIDE pixels (4096) as a whole and in tiles of 1024. Every tile computes its halo again: its
pixels, added up over the tiles, in units of the picture's are what is unavoidable. What is measured beyond that is the cost of cutting,
handing over, and putting together. A network with channel attention needs the picture's means before its pixels: its tiles are kept
between the statistics, or computed again for each.
"""

import sys
import time

from benchmarks.harness import machine, ratio, take_turns, use_threads, write

use_threads(1)

import flax.linen as nn  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402

from jaxrestore.inference import Restorer  # noqa: E402
from jaxrestore.inference.streaming import stream  # noqa: E402
from jaxrestore.inference.tiles import plan  # noqa: E402
from jaxrestore.models.restoration.dncnn import DnCNN  # noqa: E402
from jaxrestore.nn.channel_attention import ChannelAttention  # noqa: E402
from jaxrestore.nn.conv import Conv  # noqa: E402
from jaxrestore.nn.initialise import initialise  # noqa: E402

TILE, ROUNDS = 1024, 2
COLUMNS = ("network", "statistics", "time, tiles / whole", "pixels, tiles / whole", "beyond the halo", "largest difference")


class Attentive(nn.Module):
    """Convolutions and two channel attentions."""

    features: int = 8
    channels: int = 1

    @nn.compact
    def __call__(self, image):
        """Restore."""
        x = image
        for i in range(2):
            x = nn.relu(Conv(self.features, name=f"conv_{i}")(x))
            x = ChannelAttention(4, name=f"attention_{i}")(Conv(self.features, name=f"mix_{i}")(x))
        return image + Conv(self.channels, name="last")(x)


def compare(name: str, model: nn.Module, side: int, memory: int) -> list:
    """One row of the table."""
    variables = initialise(model, jax.random.key(0), jax.ShapeDtypeStruct((1, 64, 64, 1), np.float32))
    image = np.random.default_rng(0).random((1, side, side, 1), np.float32)
    whole = Restorer(model, variables, tile="off")
    tiled = Restorer(model, variables, tile=TILE, memory=memory)
    field = tiled.engine.receptive_field
    tiles = list(plan(side, side, TILE, field.with_statistics()))
    pixels = sum((t.rows.stop - t.rows.start) * (t.columns.stop - t.columns.start) for t in tiles) / side**2
    keeps = ""
    if field.is_streamable:
        pixels_memory = max(memory - int(TILE**2 * tiled.engine._bytes_per_pixel), 0)
        way = stream(model, variables, 1, field, (side, side), TILE, pixels_memory)
        pixels *= way.arithmetic
        keeps = f", keeping {way.kept_bytes / 2**30:.2g} GiB" if way.keeps else f", computed again: {way.arithmetic:.2f} times"
    difference = float(np.abs(whole(image) - tiled(image)).max())
    seconds = take_turns({"whole": lambda: whole(image), "tiles": lambda: tiled(image)}, ROUNDS, 0, time.process_time)  # both ran above
    found = ratio(seconds["tiles"], seconds["whole"])
    return [name + keeps, field.statistics, found, pixels, found.median / pixels, difference]


def main() -> None:
    """Measure and write the table."""
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 4096
    networks = (
        ("DnCNN, 5 layers of 8 channels", DnCNN(depth=5, features=8), 2**34),
        ("2 channel attentions of 8 channels", Attentive(), 2**34),
        ("2 channel attentions of 8 channels", Attentive(), 2**20),
    )
    notes = (
        f"A grey picture of {side}x{side} pixels in tiles of {TILE} and as a whole, processor time, {ROUNDS} rounds in turns. Beyond "
        "the halo: the time's ratio divided by the pixels' (for statistics that are computed again: by the arithmetic's)."
    )
    rows = []
    for name, model, memory in networks:
        rows.append(compare(name, model, side, memory))
        write("tiles_cpu_1", "Tiles against the whole image", notes, COLUMNS, rows, machine())


if __name__ == "__main__":
    main()
