"""Every published configuration by name. Names are strings here, so that listing them imports no network."""

import dataclasses
import difflib
import sys
from importlib import import_module
from typing import Any

import flax.linen as nn

from jaxrestore.errors import InputError
from jaxrestore.models.card import TASKS, ModelCard

_HOME_OF = {
    "srcnn_915": "super_resolution.srcnn",
    "srcnn_955": "super_resolution.srcnn",
    "drcn": "super_resolution.drcn",
    "fsrcnn_x2": "super_resolution.fsrcnn",
    "fsrcnn_x3": "super_resolution.fsrcnn",
    "fsrcnn_x4": "super_resolution.fsrcnn",
    "espcn_x2": "super_resolution.espcn",
    "espcn_x3": "super_resolution.espcn",
    "espcn_x4": "super_resolution.espcn",
    "espcn_ycbcr_x2": "super_resolution.espcn",
    "espcn_ycbcr_x3": "super_resolution.espcn",
    "espcn_ycbcr_x4": "super_resolution.espcn",
    "vdsr": "super_resolution.vdsr",
    "srresnet_x2": "super_resolution.srresnet",
    "srresnet_x4": "super_resolution.srresnet",
    "srgan_x4": "super_resolution.srresnet",
    "msrresnet_x2": "super_resolution.msrresnet",
    "msrresnet_x3": "super_resolution.msrresnet",
    "msrresnet_x4": "super_resolution.msrresnet",
    "edsr_baseline_x2": "super_resolution.edsr",
    "edsr_baseline_x3": "super_resolution.edsr",
    "edsr_baseline_x4": "super_resolution.edsr",
    "edsr_x2": "super_resolution.edsr",
    "edsr_x3": "super_resolution.edsr",
    "edsr_x4": "super_resolution.edsr",
    "mdsr_baseline": "super_resolution.mdsr",
    "mdsr": "super_resolution.mdsr",
    "enhancenet_x4": "super_resolution.enhancenet",
    "memnet_m6r6": "super_resolution.memnet",
    "memnet_m10r10": "super_resolution.memnet",
    "srdensenet_x4": "super_resolution.srdensenet",
    "rdn_x2": "super_resolution.rdn",
    "rdn_x3": "super_resolution.rdn",
    "rdn_x4": "super_resolution.rdn",
    "rdn_small_x2": "super_resolution.rdn",
    "rdn_small_x3": "super_resolution.rdn",
    "rdn_small_x4": "super_resolution.rdn",
    "carn": "super_resolution.carn",
    "carn_m": "super_resolution.carn",
    "carn_x2": "super_resolution.carn",
    "carn_x3": "super_resolution.carn",
    "carn_x4": "super_resolution.carn",
    "rcan_x2": "super_resolution.rcan",
    "rcan_x3": "super_resolution.rcan",
    "rcan_x4": "super_resolution.rcan",
    "esrgan_x4": "super_resolution.esrgan",
    "real_esrgan_x2": "super_resolution.esrgan",
    "real_esrgan_x1": "super_resolution.esrgan",
    "rnan_x2": "super_resolution.rnan",
    "rnan_x3": "super_resolution.rnan",
    "rnan_x4": "super_resolution.rnan",
    "san_x2": "super_resolution.san",
    "san_x3": "super_resolution.san",
    "san_x4": "super_resolution.san",
    "han_x2": "super_resolution.han",
    "han_x3": "super_resolution.han",
    "han_x4": "super_resolution.han",
    "swinir_classical_x2": "super_resolution.swinir",
    "swinir_classical_x3": "super_resolution.swinir",
    "swinir_classical_x4": "super_resolution.swinir",
    "swinir_classical_x8": "super_resolution.swinir",
    "swinir_lightweight_x2": "super_resolution.swinir",
    "swinir_lightweight_x3": "super_resolution.swinir",
    "swinir_lightweight_x4": "super_resolution.swinir",
    "swinir_real_x4": "super_resolution.swinir",
    "swinir_real_large_x4": "super_resolution.swinir",
    "swinir_denoise_color": "super_resolution.swinir",
    "swinir_denoise_gray": "super_resolution.swinir",
    "swinir_jpeg_gray": "super_resolution.swinir",
    "ipt_x2": "super_resolution.ipt",
    "ipt_x3": "super_resolution.ipt",
    "ipt_x4": "super_resolution.ipt",
    "ipt": "super_resolution.ipt",
    "diffir_x2": "super_resolution.diffir",
    "diffir_x4": "super_resolution.diffir",
    "idn_x2": "super_resolution.idn",
    "idn_x3": "super_resolution.idn",
    "idn_x4": "super_resolution.idn",
    "imdn_x2": "super_resolution.imdn",
    "imdn_x3": "super_resolution.imdn",
    "imdn_x4": "super_resolution.imdn",
    "dncnn_gray": "restoration.dncnn",
    "dncnn_gray_blind": "restoration.dncnn",
    "dncnn_color_blind": "restoration.dncnn",
    "drunet_color_blind_light": "restoration.drunet",
    "edcnn": "restoration.edcnn",
    "edcnn_no_skip": "restoration.edcnn",
    "edcnn_pixel_shuffle": "restoration.edcnn",
    "edcnn_reshape": "restoration.edcnn",
    "edcnn_unpooling": "restoration.edcnn",
    "edcnn_transposed": "restoration.edcnn",
    "edcnn_x4": "restoration.edcnn",
    "edcnn_no_skip_x4": "restoration.edcnn",
    "edcnn_segmentation": "restoration.edcnn",
    "edcnn_segmentation_pixel_shuffle": "restoration.edcnn",
    "edcnn_segmentation_reshape": "restoration.edcnn",
    "edcnn_segmentation_unpooling": "restoration.edcnn",
    "edcnn_segmentation_transposed": "restoration.edcnn",
}


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
