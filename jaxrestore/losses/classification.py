"""Losses that compare a class for each pixel."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
from numpy import ndarray

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import as_single


def softmax_cross_entropy(
    logits: Float[Array | ndarray, "*batch h w classes"], labels: Int[Array | ndarray, "*batch h w"], ignore: int | None = None
) -> Float[Array, "*batch"]:
    """Mean over the pixels of -log softmax(logits)[label].

    Args:
      logits: (..., H, W, K), any range.
      labels: (..., H, W), 0 to K - 1. A pixel with another label gives NaN rather than a plausible number.
      ignore: a label whose pixels do not count; an image with no other pixel gives 0.

    Returns:
      (...,): one value for each image, float32 or wider; log(K) where the logits are all equal.

    Raises:
      InputError: fewer than two classes.

    Reference: Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015, section 3.
    """
    classes = logits.shape[-1]
    if classes < 2:
        raise InputError(f"logits have {classes} class: a classification loss needs at least two")
    log_probability = jax.nn.log_softmax(as_single(logits))
    # A sum over a one-hot choice and not a gather, whose derivative scatters.
    chosen = jax.nn.one_hot(labels, classes, dtype=log_probability.dtype)
    error = -jnp.sum(chosen * log_probability, -1)
    valid = (labels >= 0) & (labels < classes)
    error = jnp.where(valid, error, jnp.nan)
    if ignore is None:
        return jnp.mean(error, (-2, -1))
    counted = jnp.asarray(labels != ignore)
    return jnp.sum(jnp.where(counted, error, 0.0), (-2, -1)) / jnp.maximum(jnp.sum(counted, (-2, -1)), 1)
