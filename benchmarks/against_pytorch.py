"""Whole networks of the catalogue on the CPU: jaxrestore beside the same network with the same weights in PyTorch.

pip install -e '.[bench]'; python -m benchmarks.against_pytorch [NAME...] [--rounds 7]

Both run on one core and take turns; processor time is measured, so that the numbers hold on a machine that others use too. PyTorch runs in
inference mode, in both layouts of memory (as it comes, and channels last); the faster one is what ours is compared with. The results of the
two must agree. Networks from the package spandrel are left out where it is not installed.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import torch_networks as theirs
from benchmarks import torch_super_resolution as functions
from benchmarks.harness import machine, ratio, rows_before, take_turns, use_threads, write


@dataclass(frozen=True)
class Comparison:
    """One network in both frameworks.

    Attributes:
      model: its name in the catalogue.
      build: makes the PyTorch network, whose state dict has the reference's names.
      side: of the square image, in pixels.
      form: of the card.
      noise_level: given to a network that takes one; the reference's takes it as one more channel of the image.
    """

    model: str
    build: Callable[[], Any]
    side: int = 128
    form: str | None = None
    noise_level: float | None = None


_SWINIR = dict(img_size=64, window_size=8, img_range=1.0, depths=[6] * 6, embed_dim=180, num_heads=[6] * 6, mlp_ratio=2)
_NAFNET = dict(width=32, enc_blk_nums=[1, 1, 1, 28], middle_blk_num=1, dec_blk_nums=[1, 1, 1, 1])

# Networks for super-resolution that are written as functions, and the side of the image: those that work at the result's size first.
_FUNCTIONS = {
    "srcnn_955": (functions.srcnn, 256),
    "vdsr": (functions.vdsr, 192),
    "drcn": (functions.drcn, 48),
    "memnet_m6r6": (functions.memnet, 128),
    "fsrcnn_x4": (functions.fsrcnn, 192),
    "espcn_x3": (functions.espcn, 256),
    "srresnet_x4": (functions.srresnet, 96),
    "msrresnet_x4": (functions.msrresnet, 96),
    "mdsr_baseline": (functions.mdsr, 96),
    "enhancenet_x4": (functions.enhancenet, 96),
    "srdensenet_x4": (functions.srdensenet, 64),
    "rdn_x4": (functions.rdn, 32),
    "carn_x4": (functions.carn, 96),
    "esrgan_x4": (functions.esrgan, 32),
    "rnan_x4": (functions.rnan, 32),
    "san_x4": (functions.san, 32),
    "han_x4": (functions.han, 32),
    "idn_x4": (functions.idn, 96),
    "imdn_x4": (functions.imdn, 96),
}

COMPARISONS = {
    **{name: Comparison(name, functions.as_network(function), side) for name, (function, side) in _FUNCTIONS.items()},
    "dncnn_gray": Comparison("dncnn_gray", theirs.dncnn, 256, form="merged"),
    "edsr_baseline_x4": Comparison("edsr_baseline_x4", theirs.edsr),
    "rcan_x4": Comparison("rcan_x4", theirs.from_spandrel("RCAN", "RCAN", scale=4), 48),
    "swinir_classical_x4": Comparison(
        "swinir_classical_x4", theirs.from_spandrel("SwinIR", "SwinIR", upscale=4, upsampler="pixelshuffle", **_SWINIR), 48
    ),
    "unet": Comparison("unet", theirs.unet),
    "drunet_color": Comparison("drunet_color", theirs.from_spandrel("DRUNet", "DRUNet", in_nc=4, out_nc=3), noise_level=0.1),
    "nafnet_gopro_width32": Comparison("nafnet_gopro_width32", theirs.from_spandrel("NAFNet", "NAFNet", **_NAFNET)),
    "restormer_denoise": Comparison("restormer_denoise", theirs.restormer),
    "cvt_13": Comparison("cvt_13", theirs.cvt, 224),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(COMPARISONS), choices=[*COMPARISONS, []])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    use_threads(1)
    columns = ("network", "pixels", "jaxrestore, s", "PyTorch, s", "PyTorch's layout", "ours to PyTorch's")
    rows = rows_before("against_pytorch_cpu", columns)
    for name in options.names:
        try:
            rows[name] = measure(name, options.rounds)
        except ImportError as error:
            print(f"{name}: left out, {error}")
            continue
        print(*rows[name], flush=True)
        # After each, since all together take an hour.
        write(
            "against_pytorch_cpu",
            "Networks on one CPU core beside PyTorch",
            "Median processor seconds for one image, and our time in units of that of PyTorch's faster layout, round by round: median "
            "[least-most], below 1 is faster. The same weights; the results agree. Each network is measured on its own, compiled before.",
            columns,
            [rows[name] for name in COMPARISONS if name in rows],
            machine(),
        )


def measure(name: str, rounds: int) -> list[Any]:
    comparison = COMPARISONS[name]
    network = comparison.build()  # first: it may not be installed
    ours, state, image = our_network(comparison)
    ways = torch_ways(network, state, image)
    expected = np.asarray(ours())
    for way in ways.values():
        difference = float(np.abs(way() - expected).max())
        assert difference < 1e-4 * max(1.0, float(np.abs(expected).max())), f"{name}: the results differ by {difference:.1e}"
    seconds = take_turns({"ours": ours, **ways}, rounds, clock=time.process_time)
    medians = {way: statistics.median(times) for way, times in seconds.items()}
    layout = min(ways, key=lambda way: medians[way])
    size = f"{comparison.side}x{comparison.side}"
    return [name, size, medians["ours"], medians[layout], layout, ratio(seconds["ours"], seconds[layout])]


def our_network(comparison: Comparison) -> tuple[Callable[[], Any], dict[str, np.ndarray], np.ndarray]:
    """A call that restores an image, the weights in the reference's layout, and the image."""
    import jax
    import jax.numpy as jnp

    from jaxrestore.models.catalogue import model_card
    from jaxrestore.nn.initialise import initialise
    from jaxrestore.weights import to_reference

    card = model_card(comparison.model)
    model = card.create(comparison.form)
    image = np.random.default_rng(0).random((1, comparison.side, comparison.side, card.channels), np.float32)
    level = [] if comparison.noise_level is None else [np.full_like(image[..., :1], comparison.noise_level)]
    variables = initialise(model, jax.random.key(0), image, *level)
    restore, given = jax.jit(model.apply), [jnp.asarray(x) for x in (image, *level)]
    state = to_reference(model, variables)
    return lambda: jax.block_until_ready(restore(variables, *given)), state, np.concatenate([image, *level], -1)


def torch_ways(network: Any, state: dict[str, np.ndarray], image: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Calls of the PyTorch network, by layout."""
    import copy

    import torch

    torch.set_num_threads(1)
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
    unused = network.load_state_dict(tensors, strict=False)
    assert not unused.unexpected_keys, unused.unexpected_keys
    fixed = ("num_batches_tracked", "attn_mask", "relative_position_index", "_mean.weight", "_mean.bias")
    assert all(key.endswith(fixed) for key in unused.missing_keys), unused.missing_keys
    pixels = torch.from_numpy(image.transpose(0, 3, 1, 2).copy())

    def call(layout: Any) -> Callable[[], np.ndarray]:
        module, given = copy.deepcopy(network).eval(), pixels.to(memory_format=layout)
        for tensor in (*module.parameters(), *module.buffers()):  # `Module.to` refuses the kernels of 3-D convolutions
            if tensor.ndim == 4:
                tensor.data = tensor.data.to(memory_format=layout)

        def run() -> np.ndarray:
            with torch.inference_mode():
                result = module(given)
                return (result.permute(0, 2, 3, 1) if result.ndim == 4 else result).numpy()

        return run

    return {"as it comes": call(torch.contiguous_format), "channels last": call(torch.channels_last)}


if __name__ == "__main__":
    main()
