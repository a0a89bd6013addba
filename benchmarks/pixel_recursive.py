"""How much faster pixel recursive sampling is when every layer keeps what it has seen.

    python -m benchmarks.pixel_recursive [--side 64] [--features 64] [--layers 20] [--pixels 8]

Both ways are compiled and draw the same values from the same noise. The naive one applies the whole network to the whole image for each
value; every value costs it the same, so only the first pixels of the image are drawn that way (`--pixels`), and its time for the whole
image is that of one value times their number. With `--pixels 0` all of them are drawn. Results go to results/pixel_recursive.json and .md.
"""

import argparse
import json
import os
import time
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxrestore.nn.autoregression import row_noise, sample
from jaxrestore.nn.gated_pixels import GatedPixels
from jaxrestore.nn.initialise import initialise
from jaxrestore.typing import Image, Key, Variables

RESULTS = Path(__file__).parent / "results"


def sample_naively(
    network: nn.Module,
    variables: Variables,
    key: Key,
    image: Image,
    mask: jax.Array | np.ndarray | None = None,
    *arguments: jax.Array,
    logits: jax.Array | None = None,
    temperature: float = 1.0,
    pixels: int = 0,
) -> jax.Array:
    """As `nn.autoregression.sample`, by applying the whole network for each value; only the first `pixels` where that is not 0."""
    count, height, width, channels = image.shape
    mask = jnp.ones((count, height, width, 1), bool) if mask is None else jnp.asarray(mask)
    steps = network.levels - 1

    def value(place: jax.Array, drawn: jax.Array) -> jax.Array:
        pixel, channel = place // channels, place % channels
        row, column = pixel // width, pixel % width
        found = network.apply(variables, drawn, *arguments)
        found = found if logits is None else found + logits
        noise = row_noise(key, row, (count, width, channels, network.levels))[:, column, channel]
        chosen = jnp.argmax(found[:, row, column, channel] + temperature * noise, -1) / steps
        return drawn.at[:, row, column, channel].set(jnp.where(mask[:, row, column, 0], chosen, drawn[:, row, column, channel]))

    known = jnp.where(mask, 0.0, jnp.asarray(image))
    drawn = lax.fori_loop(0, (pixels or height * width) * channels, value, jnp.round(known * steps) / steps)
    return jnp.where(mask, drawn, known)


def seconds(function: jax.stages.Compiled, *arguments: jax.Array, repeats: int) -> list[float]:
    """Time of each run, after one that does not count."""
    jax.block_until_ready(function(*arguments))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        times.append(time.perf_counter() - start)
    return times


def measure(side: int, features: int, layers: int, hidden: int, levels: int, pixels: int, repeats: int) -> dict[str, object]:
    """Time both ways in turn."""
    network = GatedPixels(features, layers, 7, 5, hidden, levels, classes=0)
    image = jnp.zeros((1, side, side, 3))
    variables, key = initialise(network, jax.random.key(0), image), jax.random.key(1)
    fast = jax.jit(lambda v, k: sample(network, v, k, image)).lower(variables, key).compile()
    slow = jax.jit(lambda v, k: sample_naively(network, v, k, image, pixels=pixels)).lower(variables, key).compile()
    drawn = pixels or side * side
    a, b = np.asarray(fast(variables, key)), np.asarray(slow(variables, key))
    same = np.isclose(a.reshape(-1, 3)[:drawn], b.reshape(-1, 3)[:drawn], atol=1e-6)
    rounds = [(seconds(fast, variables, key, repeats=1)[0], seconds(slow, variables, key, repeats=1)[0]) for _ in range(repeats)]
    scale = side * side / drawn
    ratios = sorted(scale * slow / fast for fast, slow in rounds)
    return {
        "side": side,
        "features": features,
        "layers": layers,
        "hidden": hidden,
        "levels": levels,
        "naive_pixels": drawn,
        "equal_values": float(same.mean()),
        "seconds": float(np.median([fast for fast, _ in rounds])),
        "naive_seconds": float(scale * np.median([slow for _, slow in rounds])),
        "ratio": ratios[len(ratios) // 2],
        "ratios": ratios,
        "device": jax.devices()[0].device_kind,
        "cpus": os.cpu_count(),
    }


def main() -> None:
    """Measure and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("side", 64), ("features", 64), ("layers", 20), ("hidden", 1024), ("levels", 256), ("pixels", 8), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    found = measure(**vars(parser.parse_args()))
    path = RESULTS / "pixel_recursive.json"
    rows = [row for row in (json.loads(path.read_text()) if path.exists() else []) if any(row[k] != found[k] for k in ("side", "features"))]
    rows.append(found)
    path.write_text(json.dumps(rows, indent=1) + "\n")
    lines = [
        "# Pixel recursive sampling: what is kept against the whole network for each value",
        "",
        "| image | features x layers | kept, s | whole network, s | ratio (least to most) | equal values | whole network drew |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        drew = "all pixels" if row["naive_pixels"] == row["side"] ** 2 else f"{row['naive_pixels']} pixels, scaled"
        lines.append(
            f"| {row['side']}x{row['side']} | {row['features']} x {row['layers']} | {row['seconds']:.2f} | {row['naive_seconds']:.1f} "
            f"| {row['ratio']:.0f} ({row['ratios'][0]:.0f} to {row['ratios'][-1]:.0f}) | {100 * row['equal_values']:.2f} % | {drew} |"
        )
    lines += [
        "",
        f"On {rows[-1]['device']}, {rows[-1]['cpus']} CPU cores, other work beside it. `python -m benchmarks.pixel_recursive`.",
        "",
    ]
    path.with_suffix(".md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
