"""MemNet: a persistent memory network for image restoration.

Tai, Yang, Liu and Xu, ICCV 2017, https://arxiv.org/abs/1708.02209

    bicubic luma x -> features B0 -> memory block -> B1 -> memory block -> B2 ...
                                                     |                     |
                                                  + x = y1              + x = y2   ...      sum of w_m * y_m -> luma

    memory block:  B_(m-1) -> recursive unit -> H1 -> unit -> H2 ...;      B0, ..., B_(m-1), H1, ..., HR -> BN, ReLU, 1x1 -> B_m
    unit:          -+-> BN, ReLU, conv -> BN, ReLU, conv -> + ->           the convolutions are the same for all units of a block
                    `---------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import Constant, VarianceScaling, parameter
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image

_he_over_outputs = VarianceScaling(fan="out")


class MemNet(nn.Module):
    """Recursive units with gates that remember everything before.

    Attributes:
      memories: number of memory blocks (M in the paper).
      recursions: recursive units in a block (R).
      features: channels of every hidden layer.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. The image that each memory block predicts (multi-supervision) is sown as
    "supervised" in the collection "intermediates".
    """

    memories: int = 6
    recursions: int = 6
    features: int = 64
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Restore."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, kernel_init=_he_over_outputs, **types)

        def normalised(x: Image, name: str) -> Image:
            return nn.relu(BatchNorm(**types, name=name)(x, train))

        memory = [conv(self.features, name="features")(normalised(image, "features_norm"))]
        reconstruction = conv(self.channels, name="reconstruction")
        result = jnp.zeros_like(image)
        for m in range(self.memories):
            x, short = memory[-1], []
            convolutions = conv(self.features, name=f"memory_{m}_conv_a"), conv(self.features, name=f"memory_{m}_conv_b")
            for r in range(self.recursions):
                y = convolutions[0](normalised(x, f"memory_{m}_unit_{r}_norm_a"))
                x = x + convolutions[1](normalised(y, f"memory_{m}_unit_{r}_norm_b"))
                short.append(x)
            gate = normalised(jnp.concatenate([*memory, *short], -1), f"memory_{m}_gate_norm")
            memory.append(conv(self.features, 1, name=f"memory_{m}_gate")(gate))
            y = image + reconstruction(normalised(memory[-1], f"memory_{m}_end_norm")).astype(image.dtype)
            self.sow("intermediates", "supervised", y)
            weight = parameter(self, f"ensemble_{m}", Constant(1.0 / self.memories), (1,), self.param_dtype)
            result = result + jnp.asarray(weight, image.dtype).reshape(1, 1, 1, 1) * y
        return result


def reference_names(model: MemNet) -> dict[str, str]:
    """Our paths -> the names in the authors' Caffe network, tyshiwo/MemNet."""
    names = {"features": "conv1", "reconstruction.kernel": "Recon_w", "reconstruction.bias": "Recon_b"}

    def norm(ours: str, theirs: str) -> None:
        names.update({f"{ours}.{leaf}": f"bn_{theirs}.{leaf}" for leaf in ("mean", "var")})
        names.update({f"{ours}.scale": f"scale_{theirs}.weight", f"{ours}.bias": f"scale_{theirs}.bias"})

    norm("features_norm", "conv1")
    for m in range(model.memories):
        number = f"{m + 1:02d}"
        for part in "ab":
            names |= {f"memory_{m}_conv_{part}.kernel": f"conv{number}_w{part}", f"memory_{m}_conv_{part}.bias": f"conv{number}_b{part}"}
            for r in range(model.recursions):
                norm(f"memory_{m}_unit_{r}_norm_{part}", f"conv{number}_{r + 1:02d}_{part}")
        names[f".ensemble_{m}"] = f"weight_output_end_{number}.weight"
        names[f"memory_{m}_gate"] = f"conv_transition_{number}"
        norm(f"memory_{m}_gate_norm", f"conv_transition_{number}")
        norm(f"memory_{m}_end_norm", f"conv_end_{number}")
    return names


_card = partial(
    ModelCard,
    module=MemNet,
    task="super_resolution",
    paper="https://arxiv.org/abs/1708.02209",
    channels=1,
    interpolated=True,
    scales=(2, 3, 4),
    reference="tyshiwo/MemNet (licence not seen)",
    reference_names=reference_names,
)

CARDS = (
    _card(
        name="memnet_m6r6",
        parameters=695_497,
        published={
            "Set5 x2": (37.78, 0.9597),
            "Set14 x2": (33.28, 0.9142),
            "B100 x2": (32.08, 0.8978),
            "Urban100 x2": (31.31, 0.9195),
            "Set5 x3": (34.09, 0.9248),
            "Set14 x3": (30.00, 0.8350),
            "B100 x3": (28.96, 0.8001),
            "Urban100 x3": (27.56, 0.8376),
            "Set5 x4": (31.74, 0.8893),
            "Set14 x4": (28.26, 0.7723),
            "B100 x4": (27.40, 0.7281),
            "Urban100 x4": (25.50, 0.7630),
        },
        notes="the paper counts the 676,992 weights of the convolutions; biases, normalisations and ensemble weights are counted here too",
    ),
    _card(
        name="memnet_m10r10",
        fields=dict(memories=10, recursions=10),
        parameters=1_422_029,
        notes="the paper counts the 1,373,312 weights of the convolutions",
    ),
)
