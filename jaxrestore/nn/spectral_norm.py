"""Spectral normalisation: a layer whose kernel is divided by its largest singular value, which holds a discriminator Lipschitz.

    x = SpectralNorm(Conv(64, name="conv_0"))(x, train=train)

The layer's parameters stay where they are: `params/conv_0/kernel` is the kernel before the division. The estimates of the two singular
vectors lie in `batch_stats/conv_0`, as `u` over the output channels and `v` over the rest in torch's order.
"""

from dataclasses import dataclass

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.nn.shapes import note
from jaxrestore.typing import DType, Image, Key

_KERNELS = ("kernel", "kernel_transposed")


@dataclass(frozen=True)
class UnitVector:
    """A random direction: normal values divided by their length."""

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> jax.Array:
        """Draw with JAX: what `model.init` uses."""
        x = jax.random.normal(key, shape, dtype)
        return x / jnp.linalg.norm(x)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draw with NumPy: what `initialise` uses."""
        x = generator.standard_normal(shape)
        return x / np.linalg.norm(x)


class SpectralNorm(nn.Module):
    """A layer with its kernel W, as a matrix (out, everything else), divided by an estimate of its largest singular value, u W v.

    With `train=True` every call improves the estimate by power iteration, v = W^T u / |W^T u| and u = W v / |W v|, and keeps it; otherwise
    the kept one is used. No gradient flows through u and v. An estimate that was never improved is a random one.

    Attributes:
      layer: a `Conv`, `ConvTranspose` or Flax `Dense`; its bias is left alone.
      iterations: power iterations of a call, at least 1.
      keeps_v: whether v is kept beside u, as torch does. Otherwise every call finds v, and an improved u, from the kept u by power
        iteration, as TensorFlow codes do; with `train=False` that u is used but not kept.
      epsilon: least length by which a vector is divided.

    Takes and gives what the layer does.

    Reference: Miyato, Kataoka, Koyama and Yoshida, "Spectral Normalization for Generative Adversarial Networks", ICLR 2018, section 2.1 and
      algorithm 1; as torch.nn.utils.spectral_norm.
    """

    layer: nn.Module
    iterations: int = 1
    keeps_v: bool = True
    epsilon: float = 1e-12

    @nn.compact
    def __call__(self, image: Image | jax.Array, train: bool = False) -> jax.Array:
        """Apply the layer with its kernel normalised."""
        if self.iterations < 1:
            raise InputError(f"iterations is {self.iterations}: it must be at least 1")
        if self.is_initializing():
            self.layer(image)  # makes the parameters
        params = jax.tree.map(jnp.asarray, dict(self.layer.variables["params"]))
        name = next(name for name in _KERNELS if name in params)
        matrix = _matrix(name, lax.stop_gradient(params[name])).astype(jnp.float32)
        kept = [self._vector(vector, size) for vector, size in zip("uv" if self.keeps_v else "u", matrix.shape, strict=False)]
        u, v = jnp.asarray(kept[0].value), jnp.asarray(kept[-1].value)
        train = train and not self.is_initializing()
        if train or not self.keeps_v:
            for _ in range(self.iterations):
                v = self._unit(_product(u, matrix))
                u = self._unit(_product(matrix, v))
        if train:
            for variable, vector in zip(kept, (u, v), strict=False):
                variable.value = vector
        singular_value = _product(u, _product(_matrix(name, params[name]).astype(jnp.float32), v))
        params[name] = params[name] / singular_value.astype(params[name].dtype)
        return self.layer.clone(parent=None).apply({"params": params}, image)

    def _vector(self, name: str, size: int) -> nn.Variable:
        """A variable beside the layer's own: where the reference has it, and one place to look."""
        initialiser = UnitVector()
        note((*self.layer.path, name), initialiser)
        return self.layer.scope.variable("batch_stats", name, lambda: initialiser(self.make_rng("params"), (size,)))

    def _unit(self, x: jax.Array) -> jax.Array:
        return x / jnp.maximum(jnp.linalg.norm(x), self.epsilon)


def _matrix(name: str, kernel: jax.Array) -> jax.Array:
    """(..., in, out) as (out, in * ...), in torch's order."""
    if name == "kernel_transposed":
        kernel = kernel[::-1, ::-1]
    return jnp.moveaxis(kernel, (-1, -2), (0, 1)).reshape(kernel.shape[-1], -1)


def _product(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.dot(a, b, precision=lax.Precision.HIGHEST)
