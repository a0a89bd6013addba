"""Self-attention of convolutional adversarial networks: every place adds a weighted mean of all places."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, parameter, zeros
from jaxrestore.typing import DType, Image


class SelfAttention(nn.Module):
    """image + gain * softmax(query(image) key(image)^T) value(image), with one learnt number as gain, zero at first.

    Attributes:
      inner: channels of queries and keys.
      dtype: computation type; the weights are always float32.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C). Time and memory grow with the square of the number of pixels.

    Reference: Zhang, Goodfellow, Metaxas and Odena, "Self-Attention Generative Adversarial Networks", ICML 2019, section 3.
    """

    inner: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Attend."""
        batch, channels = image.shape[0], image.shape[-1]
        conv = partial(Conv, kernel_size=1, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        query, key = (conv(self.inner, name=name)(image).reshape(batch, -1, self.inner) for name in ("query", "key"))
        value = conv(channels, name="value")(image).reshape(batch, -1, channels)
        gain = parameter(self, "gain", zeros, (1,), self.param_dtype)
        scores = jnp.einsum("nqc,nkc->nqk", query, key, preferred_element_type=jnp.float32)
        seen = jnp.einsum("nqk,nkc->nqc", jax.nn.softmax(scores, axis=-1).astype(value.dtype), value)
        return image + jnp.asarray(gain, seen.dtype).reshape(1, 1, 1, 1) * seen.reshape(image.shape)
