"""The names of array shapes and of the few other types that appear in signatures everywhere."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

Image = Float[Array | np.ndarray, "... _ _ _"]
"""(..., height, width, channels), floating point, nominally in [0, 1]."""

Video = Float[Array | np.ndarray, "... _ _ _ _"]
"""(..., time, height, width, channels), as images."""

Latents = Float[Array | np.ndarray, "... _"]
"""(..., length): vectors from which images or videos are made."""

Labels = Int[Array | np.ndarray, "..."]
"""(N,): the class of each image, from 0."""

Key = PRNGKeyArray
"""A typed key of `jax.random.key`."""

Side = Any
"""A number of pixels: an int, or the symbol that stands for one where a program for images of any size is traced (`jax.export`)."""

DType = Any
"""Anything that `jnp.dtype` takes: `jnp.bfloat16`, "float32"..."""

Variables = Mapping[str, Any]
"""What a Flax module's `init` gives and `apply` takes: {"params": ..., "batch_stats": ...}."""

Tree = Any
"""A pytree whose leaves are arrays."""

ArrayLike = jax.typing.ArrayLike
