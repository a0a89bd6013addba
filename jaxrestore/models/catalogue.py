"""Every published configuration by name. Names are strings here, so that listing them imports no network."""

import dataclasses
import difflib
import sys
from importlib import import_module
from typing import Any

import flax.linen as nn

from jaxrestore.errors import InputError
from jaxrestore.models.card import TASKS, ModelCard

_CONFIGURATIONS = {
    "super_resolution.srcnn": ("srcnn_915", "srcnn_955"),
    "super_resolution.drcn": ("drcn",),
    "super_resolution.fsrcnn": ("fsrcnn_x2", "fsrcnn_x3", "fsrcnn_x4"),
    "super_resolution.espcn": ("espcn_x2", "espcn_x3", "espcn_x4", "espcn_ycbcr_x2", "espcn_ycbcr_x3", "espcn_ycbcr_x4"),
    "super_resolution.vdsr": ("vdsr",),
    "super_resolution.srresnet": ("srresnet_x2", "srresnet_x4", "srgan_x4", "srgan_discriminator"),
    "super_resolution.msrresnet": ("msrresnet_x2", "msrresnet_x3", "msrresnet_x4"),
    "super_resolution.edsr": ("edsr_baseline_x2", "edsr_baseline_x3", "edsr_baseline_x4", "edsr_x2", "edsr_x3", "edsr_x4"),
    "super_resolution.mdsr": ("mdsr_baseline", "mdsr"),
    "super_resolution.enhancenet": ("enhancenet_x4", "enhancenet_discriminator"),
    "super_resolution.memnet": ("memnet_m6r6", "memnet_m10r10"),
    "super_resolution.srdensenet": ("srdensenet_x4",),
    "super_resolution.rdn": ("rdn_x2", "rdn_x3", "rdn_x4", "rdn_small_x2", "rdn_small_x3", "rdn_small_x4"),
    "super_resolution.carn": ("carn", "carn_m", "carn_x2", "carn_x3", "carn_x4"),
    "super_resolution.rcan": ("rcan_x2", "rcan_x3", "rcan_x4"),
    "super_resolution.esrgan": ("esrgan_x4", "real_esrgan_x2", "real_esrgan_x1", "esrgan_discriminator"),
    "super_resolution.rnan": ("rnan_x2", "rnan_x3", "rnan_x4"),
    "super_resolution.san": ("san_x2", "san_x3", "san_x4"),
    "super_resolution.han": ("han_x2", "han_x3", "han_x4"),
    "super_resolution.swinir": (
        "swinir_classical_x2",
        "swinir_classical_x3",
        "swinir_classical_x4",
        "swinir_classical_x8",
        "swinir_lightweight_x2",
        "swinir_lightweight_x3",
        "swinir_lightweight_x4",
        "swinir_real_x4",
        "swinir_real_large_x4",
        "swinir_denoise_color",
        "swinir_denoise_gray",
        "swinir_jpeg_gray",
    ),
    "super_resolution.ipt": ("ipt_x2", "ipt_x3", "ipt_x4", "ipt"),
    "super_resolution.diffir": ("diffir_x2", "diffir_x4"),
    "super_resolution.idn": ("idn_x2", "idn_x3", "idn_x4"),
    "super_resolution.imdn": ("imdn_x2", "imdn_x3", "imdn_x4"),
    "restoration.conv_deconv": ("conv_deconv", "conv_deconv_skips", "conv_deconv_pooled"),
    "restoration.cvt": ("cvt_13", "cvt_21", "cvt_w24"),
    "restoration.cvt_restorer": ("cvt_restorer",),
    "restoration.deblurgan": ("deblurgan", "deblurgan_discriminator"),
    "restoration.deblurgan_v2": ("deblurgan_v2_inception", "deblurgan_v2_mobilenet", "deblurgan_v2_discriminator"),
    "restoration.deepdeblur": ("deepdeblur", "deepdeblur_discriminator"),
    "restoration.denoising_autoencoder": ("denoising_autoencoder",),
    "restoration.attention_unet": ("attention_unet",),
    "restoration.babyunet": ("babyunet",),
    "restoration.deep_image_prior": (
        "dip_denoising",
        "dip_jpeg",
        "dip_super_resolution",
        "dip_inpainting",
        "dip_inpainting_grid",
        "dip_inpainting_deep",
        "dip_missing_pixels_gray",
        "dip_missing_pixels",
    ),
    "restoration.dncnn": ("dncnn_gray", "dncnn_gray_blind", "dncnn_color_blind"),
    "restoration.dpdnn": ("dpdnn_gray",),
    "restoration.drunet": ("drunet_gray", "drunet_color", "drunet_color_blind_light"),
    "restoration.edcnn": (
        "edcnn",
        "edcnn_no_skip",
        "edcnn_pixel_shuffle",
        "edcnn_reshape",
        "edcnn_unpooling",
        "edcnn_transposed",
        "edcnn_x4",
        "edcnn_no_skip_x4",
        "edcnn_segmentation",
        "edcnn_segmentation_pixel_shuffle",
        "edcnn_segmentation_reshape",
        "edcnn_segmentation_unpooling",
        "edcnn_segmentation_transposed",
    ),
    "restoration.fdncnn": ("fdncnn_gray", "fdncnn_color"),
    "restoration.ffdnet": ("ffdnet_gray", "ffdnet_color"),
    "restoration.ircnn": ("ircnn_gray", "ircnn_color", "ircnn_set_gray", "ircnn_set_color"),
    "restoration.nafnet": ("nafnet_sidd_width32", "nafnet_sidd_width64", "nafnet_gopro_width32", "nafnet_gopro_width64"),
    "restoration.on_demand": ("on_demand_denoise_gray", "on_demand_inpaint"),
    "restoration.patch_cnn": ("patch_cnn_gray", "patch_cnn_color"),
    "restoration.patch_mlp": ("patch_mlp_17", "patch_mlp_39", "patch_perceptron"),
    "restoration.rednet": ("rednet10_gray", "rednet20_gray", "rednet30_gray", "rednet10_color", "rednet20_color", "rednet30_color"),
    "restoration.region_fpn": ("region_fpn_resnet101",),
    "restoration.restoration_resnet": ("resnet_denoise_color", "resnet_deblur"),
    "restoration.restormer": (
        "restormer_denoise",
        "restormer_denoise_gray",
        "restormer_deblur",
        "restormer_derain",
        "restormer_dual_pixel",
    ),
    "restoration.neighbor2neighbor": ("neighbor2neighbor", "blind_spot_unet"),
    "restoration.noise2noise": ("noise2noise",),
    "restoration.noise2noise_shared": ("noise2noise_shared",),
    "restoration.noise2self": ("noise2self_unet",),
    "restoration.noise2void": ("noise2void", "noise2void_gray"),
    "restoration.unet": ("unet", "unet_gray", "unet_bilinear", "unet_nearest", "unet_nearest_gray", "unet_segmentation"),
    "generative.cyclegan": ("cyclegan_resnet9", "cyclegan_resnet6", "cyclegan_discriminator"),
    "generative.context_encoder": (
        "context_encoder",
        "context_encoder_100",
        "context_encoder_random",
        "context_encoder_discriminator",
    ),
    "generative.deepfill": ("deepfill_v2", "deepfill_v2_discriminator", "deepfill_v2_guided", "deepfill_v2_guided_discriminator"),
    "generative.gated_inpainting": ("gated_inpainting", "gated_inpainting_discriminator"),
    "generative.old_photos": (
        "old_photo_restorer",
        "old_photo_scratch_restorer",
        "old_photo_large_scratch_restorer",
        "old_photo_vae",
        "old_photo_mapping",
        "old_photo_partial_mapping",
        "old_photo_patch_mapping",
        "old_photo_scratch_detector",
    ),
    "generative.pix2pix": ("pix2pix_unet256", "pix2pix_unet128", "pix2pix_discriminator", "pixelgan_discriminator"),
    "restoration.video_unet": ("video_unet",),
    "generative.cvae_gan": ("cvae_gan", "cvae", "cgan", "fm_cgan", "cvae_gan_discriminator", "cvae_gan_classifier"),
    "generative.cvae_gan_keras": ("cvae_gan_keras", "cvae_gan_keras_discriminator", "cvae_gan_keras_classifier"),
    "generative.gated_pixelcnn": ("gated_pixelcnn_light", "gated_pixelcnn"),
    "generative.pixel_recursive": ("pixel_recursive_x4", "pixel_recursive"),
    "generative.pixelcnn": ("pixelcnn",),
    "generative.residual_pixelcnn": ("residual_pixelcnn",),
    "generative.tgan": ("tgan", "tgan_ucf101", "tgan_discriminator", "tgan_discriminator_ucf101"),
}
"""A network's file -> its configurations."""

_HOME_OF = {name: home for home, names in _CONFIGURATIONS.items() for name in names}


def list_models(task: str | None = None) -> tuple[str, ...]:
    """Names of all published configurations, or of those for one task.

    Raises:
      InputError: unknown task.
    """
    if task is None:
        return tuple(_HOME_OF)
    if task not in TASKS:
        raise InputError(f"unknown task {task!r}: choose one of {', '.join(TASKS)}")
    return tuple(name for name in _HOME_OF if model_card(name).task == task)


def model_card(name: str) -> ModelCard:
    """The card of a published configuration.

    Raises:
      InputError: unknown name; the message offers the nearest ones.
    """
    if name not in _HOME_OF:
        near = difflib.get_close_matches(name, _HOME_OF, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`jaxrestore models` lists them all"
        raise InputError(f"unknown model {name!r}: {hint}")
    module = import_module(f"jaxrestore.models.{_HOME_OF[name]}")
    return next(card for card in module.CARDS if card.name == name)


def cards_of(model: nn.Module) -> tuple[ModelCard, ...]:
    """The cards of a network's class, whatever its fields; none for a class without published configurations."""
    home = sys.modules[type(model).__module__]
    return tuple(card for card in getattr(home, "CARDS", ()) if card.module is type(model))


def create_model(name: str, **overrides: Any) -> nn.Module:
    """The network of a published configuration.

    Args:
      name: as listed by `list_models`.
      **overrides: fields of the module that shall differ from the published ones, such as `dtype`.

    Raises:
      InputError: unknown name or unknown field.
    """
    card = model_card(name)
    known = [f.name for f in dataclasses.fields(card.module) if f.name not in ("parent", "name")]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise InputError(f"model {name} has no field {', '.join(map(repr, unknown))}: its fields are {', '.join(known)}")
    return card.create(**overrides)
