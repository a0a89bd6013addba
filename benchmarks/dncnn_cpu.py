"""Restoring a 1x512x512x1 image with `dncnn_gray` on the CPU: jaxrestore beside the same network and weights in plain PyTorch.

pip install -e '.[bench]'; python -m benchmarks.dncnn_cpu [--threads 2] [--rounds 9] [--size 512]

Both use the same cores. PyTorch runs in inference mode, channels-last, the network as published (with batch normalisation) and with the
normalisation merged into the convolutions, eagerly and as a frozen TorchScript graph; its fastest form is what ours is compared with.
"""

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import machine, ratio, take_turns, use_threads, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    use_threads(options.threads)
    image = np.random.default_rng(0).random((1, options.size, options.size, 1), np.float32)
    ways: dict[str, Callable[[], Any]] = {}
    for form in ("published", "merged"):
        state, ours = our_network(form, image)
        ways[f"jaxrestore, {form}"] = ours
        for name, theirs in torch_networks(state, form, image, options.threads).items():
            ways[f"PyTorch, {form}, {name}"] = theirs
            difference = float(np.abs(theirs() - np.asarray(ours())).max())
            assert difference < 1e-5, f"{form}, {name}: the results differ by {difference:.1e}"
    facts = machine()
    seconds = take_turns(ways, options.rounds)
    best = {
        form: min((way for way in ways if way.startswith(f"PyTorch, {form}")), key=lambda way: statistics.median(seconds[way]))
        for form in ("published", "merged")
    }
    rows = [
        (way, statistics.median(times), min(times), *(ratio(times, seconds[best[form]]) for form in ("published", "merged")))
        for way, times in seconds.items()
    ]
    write(
        f"dncnn_cpu_{options.threads}",
        f"dncnn_gray on 1x{options.size}x{options.size}x1, {options.threads} CPU threads",
        "Time of each way, and that time divided by PyTorch's fastest form of the network; median of the rounds [least-most]. "
        "The same weights in every way; the results agree to 1e-5.",
        ("way", "median, s", "least, s", "to PyTorch, published", "to PyTorch, merged"),
        rows,
        facts,
    )


def our_network(form: str, image: np.ndarray) -> tuple[dict[str, np.ndarray], Callable[[], Any]]:
    """The weights in the reference's layout, and a call that restores the image."""
    import jax
    import jax.numpy as jnp

    from jaxrestore.models.restoration.dncnn import CARDS
    from jaxrestore.nn.initialise import initialise
    from jaxrestore.weights import to_reference

    card = next(card for card in CARDS if card.name == "dncnn_gray")
    model = card.create(form=None if form == "published" else form)
    variables = initialise(model, jax.random.key(0), image)
    restore, pixels = jax.jit(model.apply), jnp.asarray(image)
    # Smaller than the initial values, so that seventeen layers end near the image's own range.
    variables = jax.tree.map(lambda leaf: 0.5 * leaf if leaf.ndim == 4 else leaf, variables)
    return to_reference(model, variables), lambda: jax.block_until_ready(restore(variables, pixels))


def torch_networks(state: dict[str, np.ndarray], form: str, image: np.ndarray, threads: int) -> dict[str, Callable[[], np.ndarray]]:
    """The same network as calls of PyTorch, by the way it is run."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    layers: list[nn.Module] = [nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(inplace=True)]
    for _ in range(15):
        norm = [nn.BatchNorm2d(64, eps=1e-4)] if form == "published" else []
        layers += [nn.Conv2d(64, 64, 3, padding=1), *norm, nn.ReLU(inplace=True)]
    network = nn.Sequential(*layers, nn.Conv2d(64, 1, 3, padding=1)).eval()
    tensors = {name.removeprefix("model."): torch.from_numpy(np.array(value)) for name, value in state.items()}
    unused = network.load_state_dict(tensors, strict=False)
    assert not unused.unexpected_keys, unused
    assert all(key.endswith("num_batches_tracked") for key in unused.missing_keys), unused
    network = network.to(memory_format=torch.channels_last)
    pixels = torch.from_numpy(image.transpose(0, 3, 1, 2).copy()).to(memory_format=torch.channels_last)

    def call(function: Callable) -> Callable[[], np.ndarray]:
        def run() -> np.ndarray:
            with torch.inference_mode():
                return (pixels - function(pixels)).permute(0, 2, 3, 1).numpy()

        return run

    with torch.no_grad():
        frozen = torch.jit.freeze(torch.jit.trace(network, pixels))
        fused = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, pixels)))
    return {"eager": call(network), "frozen": call(frozen), "optimised for inference": call(fused)}


if __name__ == "__main__":
    main()
