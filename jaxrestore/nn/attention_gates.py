"""Attention gates: a coarse map says which places of a fine one matter."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.conv_block import ConvUnit
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.typing import DType, Image


class AdditiveAttentionGate(nn.Module):
    """Features times one attention map, from the features and a gating signal of the same size.

        features ------+-> conv 1x1, BN -> + -> ReLU -> conv 1x1, BN -> sigmoid -> * -> gated
                       |      gate -> conv 1x1, BN -^                              ^
                       `-----------------------------------------------------------'

    Attributes:
      hidden: channels in which the two are added.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) and a gate (N, H, W, C'), gives (N, H, W, C).

    Reference: Oktay et al., "Attention U-Net", MIDL 2018, figure 2, in the form of LeeJunHyun/Image_Segmentation, which normalises and
      gates at the finer of the two sizes.
    """

    hidden: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, features: Image, gate: Image, train: bool = False) -> Image:
        """Gate."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)

        def unit(name: str, width: int, x: Image) -> jax.Array:
            return ConvUnit(width, lambda x: x, 1, use_bias=True, kernel_init=TORCH_INIT["kernel_init"], **types, name=name)(x, train)

        x = nn.relu(unit("gate", self.hidden, gate) + unit("features", self.hidden, features))
        return features * nn.sigmoid(unit("attention", 1, x))


def additive_attention_gate_names(ours: str, theirs: str) -> dict[str, str]:
    """Paths inside an `AdditiveAttentionGate` -> the module names of LeeJunHyun/Image_Segmentation.

    Args:
      ours: path of the gate.
      theirs: the reference's name of it.
    """
    parts = {"gate": "W_g", "features": "W_x", "attention": "psi"}
    return {f"{ours}/{part}/{kind}": f"{theirs}.{path}.{i}" for part, path in parts.items() for i, kind in enumerate(("conv", "norm"))}


class GridAttentionGate(nn.Module):
    """Features times one attention map that is found on a coarser grid, near the gating signal's.

        features -> conv s, stride s -> + -> ReLU -> conv 1x1 -> sigmoid -> enlarge -> * features -> conv 1x1, BN
                gate -> conv 1x1, resize ^

    Attributes:
      hidden: channels in which the two are added.
      stride: how many times coarser the grid is on which the attention is found.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) and a gate (N, H', W', C') of any size, gives the gated features (N, H, W, C) and the attention (N, H, W, 1) in
    [0, 1]. H and W are at least `stride`.

    Reference: Oktay et al., "Attention U-Net: Learning Where to Look for the Pancreas", MIDL 2018, equations 1 and 2 and figure 2;
      Schlemper et al., "Attention Gated Networks", Medical Image Analysis 2019.
    """

    hidden: int
    stride: int = 2
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, features: Image, gate: Image, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Gate."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        theta = Conv(self.hidden, self.stride, self.stride, padding=0, use_bias=False, **types, name="theta")(features)
        phi = interpolate(Conv(self.hidden, 1, **types, name="phi")(gate), size=theta.shape[1:3])
        attention = nn.sigmoid(Conv(1, 1, **types, name="psi")(nn.relu(theta + phi)))
        attention = interpolate(attention, size=features.shape[1:3])
        gated = BatchNorm(**types, name="output_norm")(Conv(features.shape[-1], 1, **types, name="output")(attention * features), train)
        return gated, attention


def grid_attention_gate_names(ours: str, theirs: str) -> dict[str, str]:
    """Paths inside a `GridAttentionGate` -> the module names of ozan-oktay/Attention-Gated-Networks.

    Args:
      ours: path of the gate.
      theirs: the reference's name of it.
    """
    names = {f"{ours}/{part}": f"{theirs}.{part}" for part in ("theta", "phi", "psi")}
    return names | {f"{ours}/output": f"{theirs}.W.0", f"{ours}/output_norm": f"{theirs}.W.1"}
