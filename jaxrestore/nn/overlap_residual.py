"""Two convolutions around which as many channels pass as input and output share."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image


class OverlapResidualBlock(nn.Module):
    """Convolution, normalisation, activation, convolution, normalisation, sum with the input, activation.

    Where input and output have different numbers of channels, only the first channels, as many as both have, are summed.

    Attributes:
      features: output channels.
      norm: batch normalisation after both convolutions.
      activation: applied element by element.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H, W, features).

    Reference: the block of czbiohub/noise2self; Batson and Royer, "Noise2Self", ICML 2019, appendix.
    """

    features: int
    norm: bool = True
    activation: Callable = nn.leaky_relu
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Apply."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = image
        for i in range(2):
            x = self.activation(x) if i else x
            x = Conv(self.features, **TORCH_INIT, **types, name=f"conv_{i}")(x)
            x = BatchNorm(**types, name=f"norm_{i}")(x, train) if self.norm else x
        both = min(x.shape[-1], image.shape[-1])
        shared = image[..., :both].astype(x.dtype)
        return self.activation(x + jnp.pad(shared, ((0, 0), (0, 0), (0, 0), (0, x.shape[-1] - both))))


def overlap_residual_names(ours: str, theirs: str, norm: bool = True) -> dict[str, str]:
    """Paths inside an `OverlapResidualBlock` -> the module names of czbiohub/noise2self.

    Args:
      ours: path of the block.
      theirs: the reference's name of it.
      norm: as for the block.
    """
    kinds = ("conv", "norm") if norm else ("conv",)
    return {f"{ours}/{kind}_{i}": f"{theirs}.{kind}{i + 1}" for kind in kinds for i in range(2)}
