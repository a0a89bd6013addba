"""Drawing images from autoregressive networks, pixel by pixel.

Applying a network to the whole image for each value costs as many whole passes as there are values. Here each layer keeps what it has seen
instead: its inputs in the few rows above and the few pixels to the left. A value then costs one pixel's work, whatever the image's size.

A network for it has, beside `__call__`, the methods `memory`, `left`, `above`, `here` and `remember` of `nn.gated_pixels.GatedPixels`.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.typing import ArrayLike, Image, Key, Labels, Variables


def sample(
    network: nn.Module,
    variables: Variables,
    key: Key,
    image: Image,
    mask: ArrayLike | None = None,
    label: Labels | None = None,
    *,
    logits: ArrayLike | None = None,
    temperature: float | jax.Array = 1.0,
) -> jax.Array:
    """Draw the missing pixels of images, each from its distribution given all pixels before it.

    Args:
      network: an autoregressive network with fields `levels` and `channels`.
      variables: its variables.
      key: random key; image k's draw depends on the key and on k alone.
      image: (N, H, W, channels) in [0, 1], known where `mask` is False; what it holds elsewhere does not matter.
      mask: (N, H, W, 1), True where a pixel is missing; None for everywhere.
      label: (N,), for networks with classes.
      logits: (N, H, W, channels, levels), added to the network's own.
      temperature: logits are divided by it; 0 takes the most probable value each time.

    Returns:
      (N, H, W, channels), the known pixels as they were, the others multiples of 1 / (levels - 1).

    Raises:
      InputError: another number of channels, or a network with classes without labels.

    Reference: Ramachandran et al., "Fast Generation for Convolutional Autoregressive Models", ICLR workshops 2017.
    """
    count, height, width, channels = image.shape
    if channels != network.channels:
        raise InputError(f"image has {channels} channels: the network draws {network.channels}")
    if label is None and getattr(network, "classes", 0):
        raise InputError(f"label is missing: a network of {network.classes} classes needs one for each image, (N,)")
    image = jnp.asarray(image)
    mask = jnp.ones((count, height, width, 1), bool) if mask is None else jnp.asarray(mask).astype(bool)
    known = jnp.where(mask, 0.0, image)
    shown = jnp.round(known * (network.levels - 1)) / (network.levels - 1)  # the levels that the network knows

    def call(method: str, *arguments: Any) -> Any:
        return network.apply(variables, *arguments, method=method)

    def row(memory: Any, given: tuple) -> tuple[Any, jax.Array]:
        index, pixels, missing, added = given
        above = call("above", memory)
        noise = temperature * row_noise(key, index, (count, width, channels, network.levels))
        bias = noise if added is None else noise + added

        def pixel(left: list[jax.Array], given: tuple) -> tuple[list[jax.Array], list[jax.Array]]:
            over, value, absent, bias = given
            inputs = []
            for channel in range(channels):
                found, inputs = call("here", left, over, value[:, None, None], label)
                drawn = jnp.argmax(found[:, 0, 0, channel] + bias[:, channel], -1) / (network.levels - 1)
                value = value.at[:, channel].set(jnp.where(absent[:, 0], drawn.astype(value.dtype), value[:, channel]))
            inputs = [value[:, None, None], *inputs[1:]]  # no layer but the first sees the last channel here
            return [jnp.concatenate([old[:, :, 1:], new], 2) for old, new in zip(left, inputs, strict=True)], inputs

        columns = ([jnp.moveaxis(x[:, :, :, None], 2, 0) for x in above], *(jnp.moveaxis(x, 1, 0) for x in (pixels, missing, bias)))
        _, inputs = lax.scan(pixel, call("left", count), columns)
        inputs = [jnp.moveaxis(x[:, :, 0, 0], 0, 1)[:, None] for x in inputs]  # (N, 1, W, C)
        return call("remember", memory, inputs, label), inputs[0][:, 0]

    rows = (jnp.arange(height), *(None if x is None else jnp.moveaxis(jnp.asarray(x), 1, 0) for x in (shown, mask, logits)))
    _, drawn = lax.scan(row, call("memory", count, width), rows)
    return jnp.where(mask, jnp.moveaxis(drawn, 0, 1), known)


def row_noise(key: Key, row: ArrayLike, shape: tuple[int, int, int, int]) -> jax.Array:
    """The Gumbel noise (N, W, channels, levels) of one row: the largest of logits and noise is a draw from their softmax."""
    keys = jax.vmap(lambda k: jax.random.fold_in(jax.random.fold_in(key, row), k))(jnp.arange(shape[0]))
    return jax.vmap(lambda k: jax.random.gumbel(k, shape[1:]))(keys)
