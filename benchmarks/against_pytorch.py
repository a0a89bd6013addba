"""Whole networks of the catalogue on the CPU: jaxrestore beside the same network with the same weights in PyTorch.

pip install -e '.[bench]'; python -m benchmarks.against_pytorch [NAME...] [--rounds 7]

Both run on one core and take turns; processor time is measured, so that the numbers hold on a machine that others use too. PyTorch runs in
inference mode, in both layouts of memory (as it comes, and channels last); the faster one is what ours is compared with. The results of the
two must agree. Networks from the package spandrel are left out where it is not installed.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from benchmarks import torch_generative as generative
from benchmarks import torch_networks as theirs
from benchmarks import torch_restoration as restoration
from benchmarks import torch_sampling as sampling
from benchmarks import torch_super_resolution as functions
from benchmarks.harness import machine, ratio, rows_before, take_turns, use_threads, write
from benchmarks.torch_functions import as_network


@dataclass(frozen=True)
class Comparison:
    """One network in both frameworks.

    Attributes:
      model: its name in the catalogue.
      build: makes the PyTorch network, whose state dict has the reference's names.
      side: of the square image, in pixels.
      form: of the card.
      noise_level: given to a network that takes one; the reference's takes it as one more channel of the image.
      hole: a square in the middle is said to be missing; the reference's takes the mask as one more channel of the image.
      shape: of what the network takes, where that is no image: noise, a latent, a video; without the batch.
      own_names: the state dict has the paths of our variables, since the reference is not in PyTorch.
      fields: of our network that differ from the card's.
    """

    model: str
    build: Callable[[], Any]
    side: int = 128
    form: str | None = None
    noise_level: float | None = None
    hole: bool = False
    shape: tuple[int, ...] | None = None
    own_names: bool = False
    fields: dict[str, Any] = field(default_factory=dict)


_SWINIR = dict(img_size=64, window_size=8, img_range=1.0, depths=[6] * 6, embed_dim=180, num_heads=[6] * 6, mlp_ratio=2)
_SWINIR_LIGHT = dict(_SWINIR, depths=[6] * 4, embed_dim=60, num_heads=[6] * 4)
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


def _function(model: str, forward: Callable, side: int = 128, **options: Any) -> Comparison:
    return Comparison(model, as_network(forward), side, **options)


_ours = partial(_function, own_names=True)

# All others that are written as functions.
_OTHERS = (
    _function("fdncnn_gray", restoration.fdncnn, noise_level=0.1),
    _function("ffdnet_gray", restoration.ffdnet, 256, noise_level=0.1),
    _function("ircnn_gray", restoration.ircnn),
    _function("dpdnn_gray", restoration.dpdnn),
    _ours("noise2noise", restoration.noise2noise),
    _function("noise2noise_shared", restoration.noise2noise_shared),
    _function("neighbor2neighbor", restoration.neighbor2neighbor),
    _function("blind_spot_unet", restoration.blind_spot_unet, 96),
    _function("noise2self_unet", restoration.noise2self_unet),
    _function("babyunet", restoration.babyunet, 256),
    _ours("noise2void_gray", restoration.noise2void),
    _function("rednet30_gray", restoration.rednet30),
    _ours("conv_deconv", restoration.conv_deconv(0)),
    _ours("conv_deconv_skips", restoration.conv_deconv(2)),
    _ours("conv_deconv_pooled", restoration.conv_deconv_pooled, 256),
    _function("unet_nearest", restoration.unet_nearest),
    _function("unet_bilinear", restoration.unet_bilinear),
    _function("attention_unet", restoration.unet_nearest),
    _ours("edcnn", restoration.edcnn("bilinear")),
    _ours("edcnn_pixel_shuffle", restoration.edcnn("pixel_shuffle")),
    _ours("edcnn_unpooling", restoration.edcnn("unpooling")),
    _ours("edcnn_transposed", restoration.edcnn("transposed")),
    _ours("denoising_autoencoder", restoration.denoising_autoencoder, 256),
    _function("resnet_denoise_color", restoration.restoration_resnet(16, True)),
    _function("resnet_deblur", restoration.restoration_resnet(19, False), 96),
    _ours("patch_mlp_17", restoration.patch_mlp),
    _ours("patch_cnn_gray", restoration.patch_cnn),
    _ours("on_demand_denoise_gray", restoration.on_demand, 96),
    _function("dip_denoising", restoration.deep_image_prior, shape=(128, 128, 32)),
    _function("deepdeblur", generative.deepdeblur, 96),
    _function("deblurgan", generative.resnet_generator(6, True)),
    _function("deblurgan_v2_mobilenet", generative.deblurgan_v2_mobilenet, 256),
    _function("deblurgan_v2_inception", generative.deblurgan_v2_inception),
    _function("region_fpn_resnet101", generative.region_fpn),
    _function("context_encoder", generative.context_encoder),
    _ours("deepfill_v2", generative.deepfill, hole=True),
    _function("gated_inpainting", generative.gated_inpainting, hole=True),
    _function("pix2pix_unet256", generative.pix2pix, 256),
    _function("pix2pix_discriminator", sampling.patch_discriminator(1, True), 256),
    _function("deblurgan_discriminator", sampling.patch_discriminator(2, False), 256),
    _function("cyclegan_resnet9", generative.resnet_generator(5, False)),
    _function("old_photo_vae", generative.old_photo_vae),
    _function("old_photo_restorer", generative.old_photo_restorer),
    _function("old_photo_scratch_restorer", generative.old_photo_scratch_restorer, hole=True, fields=dict(detects=False)),
    _function("old_photo_scratch_detector", generative.scratch_detector, 256),
    _ours("cvae_gan", sampling.cvae_gan, fields=dict(classes=0, encoder_features=(64, 128, 256, 512, 512))),
    _function("pixelcnn", sampling.pixelcnn, 64),
    _ours("tgan", sampling.tgan, shape=(256,)),
    _ours("residual_pixelcnn", sampling.residual_pixelcnn, 32),
    _ours("gated_pixelcnn", sampling.gated_pixelcnn, 32, fields=dict(classes=0)),
    _ours("video_unet", sampling.video_unet, shape=(5, 64, 64, 3)),
    _function("pixelgan_discriminator", sampling.pixel_discriminator, 256),
    _function("deepdeblur_discriminator", sampling.deepdeblur_discriminator, 256),
    _function("context_encoder_discriminator", sampling.context_encoder_discriminator, 64),
    _ours("cvae_gan_discriminator", sampling.cvae_gan_discriminator),
    _ours("cvae_gan_classifier", sampling.cvae_gan_classifier),
    _ours("tgan_discriminator", sampling.tgan_discriminator, shape=(16, 64, 64, 3)),
)

COMPARISONS = {
    **{name: _function(name, function, side) for name, (function, side) in _FUNCTIONS.items()},
    "dncnn_gray": Comparison("dncnn_gray", theirs.dncnn, 256, form="merged"),
    "edsr_baseline_x4": Comparison("edsr_baseline_x4", theirs.edsr),
    "rcan_x4": Comparison("rcan_x4", theirs.from_spandrel("RCAN", "RCAN", scale=4), 48),
    "swinir_classical_x4": Comparison(
        "swinir_classical_x4", theirs.from_spandrel("SwinIR", "SwinIR", upscale=4, upsampler="pixelshuffle", **_SWINIR), 48
    ),
    "swinir_lightweight_x4": Comparison(
        "swinir_lightweight_x4", theirs.from_spandrel("SwinIR", "SwinIR", upscale=4, upsampler="pixelshuffledirect", **_SWINIR_LIGHT), 64
    ),
    "unet": Comparison("unet", theirs.unet),
    "drunet_color": Comparison("drunet_color", theirs.from_spandrel("DRUNet", "DRUNet", in_nc=4, out_nc=3), noise_level=0.1),
    "nafnet_gopro_width32": Comparison("nafnet_gopro_width32", theirs.from_spandrel("NAFNet", "NAFNet", **_NAFNET)),
    "restormer_denoise": Comparison("restormer_denoise", theirs.restormer),
    "cvt_13": Comparison("cvt_13", theirs.cvt, 224),
    **{comparison.model: comparison for comparison in _OTHERS},
}

NOTES = (
    "Median processor seconds for one image, and our time in units of that of PyTorch's faster layout, round by round: median "
    "[least-most], below 1 is faster. The same weights; the results agree. Each network is measured on its own, compiled before; not all "
    "in one run, and most of those for restoration and generation in two or three rounds on a machine that others used too."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(COMPARISONS), choices=[*COMPARISONS, []])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    use_threads(1)
    columns = ("network", "size", "jaxrestore, s", "PyTorch, s", "PyTorch's layout", "ours to PyTorch's")
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
            NOTES,
            columns,
            [rows[name] for name in COMPARISONS if name in rows],
            machine(),
        )


def measure(name: str, rounds: int) -> list[Any]:
    comparison = COMPARISONS[name]
    network = comparison.build()  # first: it may not be installed
    ours, state, image = our_network(comparison)
    ways = torch_ways(network, state, image)
    result = np.asarray(ours())
    scale = max(1.0, float(np.abs(result).max()))
    differences = [float(np.abs(way() - result).max()) / scale for way in ways.values()]
    if max(differences) > 1e-4:  # normalisations of small maps enlarge rounding errors: then double precision says how much
        exact = in_double_precision(network, image)
        off = [float(np.abs(x - exact).max()) / scale for x in (result, *(way() for way in ways.values()))]
        assert off[0] < min(2.5 * max(off[1:]), 1e-3), f"{name}: ours is off by {off[0]:.1e}, PyTorch's by {max(off[1:]):.1e}"
    seconds = take_turns({"ours": ours, **ways}, rounds, clock=time.process_time)
    medians = {way: statistics.median(times) for way, times in seconds.items()}
    layout = min(ways, key=lambda way: medians[way])
    size = "x".join(map(str, comparison.shape or (comparison.side, comparison.side)))
    return [name, size, medians["ours"], medians[layout], layout, ratio(seconds["ours"], seconds[layout])]


def our_network(comparison: Comparison) -> tuple[Callable[[], Any], dict[str, np.ndarray], np.ndarray]:
    """A call that restores an image, the weights in the reference's layout, and the image."""
    import jax
    import jax.numpy as jnp

    from jaxrestore.models.catalogue import model_card
    from jaxrestore.nn.initialise import initialise
    from jaxrestore.weights import to_reference

    card = model_card(comparison.model)
    model = card.create(comparison.form, **comparison.fields)
    generator, shape = np.random.default_rng(0), comparison.shape or (comparison.side, comparison.side, card.channels)
    image, beside = generator.random((1, *shape), np.float32), []
    if comparison.noise_level is not None:
        beside = [np.full_like(image[..., :1], comparison.noise_level)]
    if comparison.hole:
        hole, quarter = np.zeros_like(image[..., :1]), comparison.side // 4
        hole[:, quarter:-quarter, quarter:-quarter] = 1.0
        beside = [hole]
    variables = initialise(model, jax.random.key(0), image, *beside)
    restore, given = jax.jit(model.apply), [jnp.asarray(x) for x in (image, *beside)]
    state = own_state(variables) if comparison.own_names else to_reference(model, variables)
    return lambda: jax.block_until_ready(restore(variables, *given)), state, np.concatenate([image, *beside], -1)


def own_state(variables: Any) -> dict[str, np.ndarray]:
    """The variables by their paths in our network, laid out as PyTorch's."""
    import flax.traverse_util

    leaves = {"kernel": "weight", "kernel_transposed": "weight", "scale": "weight", "mean": "running_mean", "var": "running_var"}
    state = {}
    for path, value in flax.traverse_util.flatten_dict(variables).items():
        value = np.asarray(value)
        if path[-1] == "kernel" and value.ndim != 3:  # of three axes: one matrix for each channel
            value = value.T if value.ndim == 2 else np.moveaxis(value, (-1, -2), (0, 1))
        if path[-1] == "kernel_transposed":
            value = np.moveaxis(np.flip(value, tuple(range(value.ndim - 2))), (-2, -1), (0, 1))
        state[".".join((*path[1:-1], leaves.get(path[-1], path[-1])))] = value
    return state


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
    pixels = torch.from_numpy(np.moveaxis(image, -1, 1).copy())
    last = {4: torch.channels_last} | ({5: torch.channels_last_3d} if image.ndim == 5 else {})

    def call(layouts: Mapping[int, Any]) -> Callable[[], np.ndarray]:
        module, given = copy.deepcopy(network).eval(), pixels.to(memory_format=layouts.get(image.ndim, torch.contiguous_format))
        for tensor in (*module.parameters(), *module.buffers()):  # `Module.to` refuses the kernels of 3-D convolutions
            if tensor.ndim in layouts:
                tensor.data = tensor.data.to(memory_format=layouts[tensor.ndim])

        def run() -> np.ndarray:
            with torch.inference_mode():
                return module(given).movedim(1, -1).numpy()

        return run

    return {"as it comes": call({}), "channels last": call(last)}


def in_double_precision(network: Any, image: np.ndarray) -> np.ndarray:
    """The result of a PyTorch network that has its weights, almost without rounding errors."""
    import copy

    import torch

    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            return (
                copy.deepcopy(network).eval().double()(torch.from_numpy(np.moveaxis(image, -1, 1).copy()).double()).movedim(1, -1).numpy()
            )
    finally:
        torch.set_default_dtype(torch.float32)


if __name__ == "__main__":
    main()
