"""A small network for every distinct set of options in the catalogue: widths and depths shrink, everything else stays."""

import dataclasses
from typing import Any

import flax.linen as nn

from jaxrestore.models.card import ModelCard
from jaxrestore.models.catalogue import list_models, model_card

# Widths and depths, with what they become; a tuple keeps its length where that is an option.
_SHRUNK: dict[str, Any] = {
    **dict.fromkeys(("features", "growth", "pyramid_features", "prior_features", "mapping_features", "tail_features", "most_features"), 8),
    **dict.fromkeys(("detector_features", "backbone_features", "bottleneck", "dense_features", "dense", "hidden", "last_features"), 8),
    **dict.fromkeys(("prior_hidden", "latent", "slow", "fast", "input_channels", "classes", "shrunk"), 8),
    **dict.fromkeys(("blocks", "refinement", "layers", "prior_layers", "prior_depth", "middle", "recursions", "memories"), 1),
    "depth": 2,
    "reduction": 2,
    "steps": 2,
    "levels": 2,
}
_EXCEPTIONS: dict[str, dict[str, Any]] = {
    "SwinIR": dict(features=12, depths=(2,), heads=(2,), tail_features=8, window=4),
    "IPT": dict(features=8, image_size=12, heads=2, shave=4),
    "CvT": dict(features=(8, 8, 16), depths=(1, 1, 1), heads=(1, 2, 2)),
    "CvTRestorer": dict(features=(8, 8, 16), depths=(1, 1, 1), heads=(1, 2, 2), decoder_depths=(1, 1)),
    "DeblurGANv2Inception": dict(channel_divisor=16, depths=(1, 1, 1), classes=1000),
    "DeblurGANv2MobileNet": dict(width=0.25, last_features=32),
    "RegionFPN": dict(depths=(1, 1, 1, 1)),
    "DeblurGANDiscriminator": dict(depth=3),
    "CycleGANDiscriminator": dict(depth=3),
    "Pix2PixDiscriminator": dict(depth=3),
    "DeepImagePrior": dict(down_features=(8, 8), up_features=(8, 8), skip_features=(4, 4)),
    "DRCN": dict(recursions=3),
    "MemNet": dict(memories=2, recursions=2),
    "NAFNet": dict(encoder=(1, 1), decoder=(1, 1), middle=1),
    "Restormer": dict(blocks=(1, 1), heads=(1, 2)),
    "DiffIR": dict(blocks=(1, 1), heads=(1, 2)),
    "DPDNN": dict(steps=1),
    "RRDBNet": dict(depth=1),
    "IRCNNSet": dict(levels=25),
    "Pix2Pix": dict(levels=5),
    "ConvDeconvNet": dict(depth=8),
    "VDSR": dict(depth=4),
    "DnCNN": dict(depth=4),
    "FDnCNN": dict(depth=4),
    "FFDNet": dict(depth=4),
    "IDN": dict(features=64, depth=1),
    "IMDN": dict(features=16),
    "CARN": dict(features=16),
    "RCAN": dict(groups=1),
    "HAN": dict(groups=2),
    "SAN": dict(groups=1),
    "PatchCNN": dict(depth=3),
    "PixelCNN": dict(levels=4),
    "VideoUNet": dict(features=(8, 8)),
    "CVAEGAN": dict(encoder_features=(8,) * 5, features=(8,) * 5),
    "CVAEGANClassifier": dict(features=(8,) * 5),
    "CVAEGANDiscriminator": dict(features=(8,) * 4),
    "KerasCVAEGAN": dict(encoder_features=(8,) * 4, features=(8,) * 4),
    "KerasJudge": dict(features=(8,) * 4),
    "TGAN": dict(temporal_features=(8,) * 4, features=16),
}


def small(card: ModelCard) -> nn.Module:
    """The card's network with small widths and depths."""
    model = card.create()
    mine = {field.name for field in dataclasses.fields(model)} & set(_SHRUNK)
    fields = {name: _shrunk(getattr(model, name), _SHRUNK[name]) for name in mine if getattr(model, name) is not None}
    return model.clone(**{**fields, **_EXCEPTIONS.get(type(model).__name__, {})})


def _shrunk(value: Any, to: int) -> Any:
    return tuple(min(n, to) for n in value) if isinstance(value, tuple) else min(value, to)


def small_networks() -> dict[str, nn.Module]:
    """Name of the first card -> its small network, one for each class and choice of options; numbers are no options here."""
    found: dict[tuple, tuple[str, nn.Module]] = {}
    for name in list_models():
        model = small(model_card(name))
        values = {field.name: getattr(model, field.name) for field in dataclasses.fields(model) if field.name not in ("parent", "name")}
        options = tuple(value if isinstance(value, bool | str) else value is None for value in values.values())
        found.setdefault((type(model), options), (name, model))
    return dict(found.values())
