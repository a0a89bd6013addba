"""Non-local attention: every pixel becomes a weighted mean of all pixels."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, zeros
from jaxrestore.typing import DType, Image


class NonLocal(nn.Module):
    """image + W(softmax(theta(image) phi(image)^T) g(image)): the embedded Gaussian form.

    Attributes:
      inner: channels of the embeddings.
      normalised_over: "keys": the weights of the pixels that one pixel sees sum to one; "queries": what one pixel gives to all pixels sums
        to one, as RNAN's code has it.
      pool: keys and values are the maxima of windows of this side, as SAN's code has them; a side smaller than it is left alone.
      dtype: computation type; the weights are always float32.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C). Time and memory grow with the square of the number of pixels. W begins at zero, so that the module begins
    by changing nothing.

    Raises:
      InputError: another `normalised_over`.

    Reference: Wang, Girshick, Gupta and He, "Non-local Neural Networks", CVPR 2018, section 3.
    """

    inner: int
    normalised_over: str = "keys"
    pool: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Attend."""
        if self.normalised_over not in ("keys", "queries"):
            raise InputError(f"normalised_over is {self.normalised_over!r}: it must be 'keys' or 'queries'")
        batch, height, width, channels = image.shape
        conv = partial(Conv, kernel_size=1, dtype=self.dtype, param_dtype=self.param_dtype)
        query, key, value = (conv(self.inner, **TORCH_INIT, name=name)(image) for name in ("theta", "phi", "g"))
        window = tuple(min(self.pool, side) for side in (height, width))
        key, value = (nn.max_pool(x, window, window) if self.pool > 1 else x for x in (key, value))
        query, key, value = (x.reshape(batch, -1, self.inner) for x in (query, key, value))
        scores = jnp.einsum("nqc,nkc->nqk", query, key, preferred_element_type=jnp.float32)
        weights = jax.nn.softmax(scores, axis=-1 if self.normalised_over == "keys" else -2)
        seen = jnp.einsum("nqk,nkc->nqc", weights.astype(value.dtype), value).reshape(batch, height, width, self.inner)
        return image + conv(channels, kernel_init=zeros, name="W")(seen)
