"""Initial values: the distributions of the papers, and a way to draw them that compiles nothing.

`model.init` compiles one random sampler per distinct shape, which takes half a minute for a deep network. `initialise` asks for the
shapes only, lets every layer say which initialiser each of its parameters wants, and draws the values with NumPy:
the same distributions, a function of the key alone, in well under a second.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.nn.shapes import note, noted_shapes, only_shapes
from jaxrestore.typing import DType, Key, Variables


def parameter(module: nn.Module, name: str, initialiser: Callable, shape: tuple[int, ...], dtype: DType) -> jax.typing.ArrayLike:
    """`module.param`, and a note of which initialiser the parameter wants when `initialise` is asking."""
    note((*module.path, name), initialiser)
    # Tracing a random sampler for each of a thousand parameters would take seconds.
    return module.param(name, zeros if only_shapes() else initialiser, shape, dtype)


@dataclass(frozen=True)
class VarianceScaling:
    """Random values whose variance is `gain**2 / fan`, for kernels laid out (..., in, out).

    Attributes:
      gain: sqrt(2) before a ReLU (He et al. 2015), 1 before a linear layer, sqrt(1/3) for torch's own default.
      fan: "in" (keeps the forward variance), "out" (keeps the backward one) or "mean" of the two (Glorot and Bengio 2010).
      distribution: "normal" or "uniform".
    """

    gain: float = math.sqrt(2.0)
    fan: str = "in"
    distribution: str = "normal"

    def deviation(self, shape: tuple[int, ...]) -> float:
        """Standard deviation of the values of a kernel of this shape."""
        window = math.prod(shape[:-2])
        channels = {"in": shape[-2], "out": shape[-1], "mean": (shape[-2] + shape[-1]) / 2}[self.fan]
        return self.gain / math.sqrt(window * channels)

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> jax.Array:
        """Draw with JAX: what `model.init` uses."""
        if self.distribution == "uniform":
            return math.sqrt(3.0) * self.deviation(shape) * jax.random.uniform(key, shape, dtype, -1.0, 1.0)
        return self.deviation(shape) * jax.random.normal(key, shape, dtype)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draw with NumPy: what `initialise` uses."""
        if self.distribution == "uniform":
            return math.sqrt(3.0) * self.deviation(shape) * generator.uniform(-1.0, 1.0, shape)
        return self.deviation(shape) * generator.standard_normal(shape)


@dataclass(frozen=True)
class Uniform:
    """Uniform values in [-bound, bound]; the default bias of torch has bound 1 / sqrt(fan in)."""

    bound: float

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> jax.Array:
        """Draw with JAX: what `model.init` uses."""
        return jax.random.uniform(key, shape, dtype, -self.bound, self.bound)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draw with NumPy: what `initialise` uses."""
        return generator.uniform(-self.bound, self.bound, shape)


@dataclass(frozen=True)
class Normal:
    """Normal values.

    Attributes:
      deviation: standard deviation.
      mean: their mean.
    """

    deviation: float
    mean: float = 0.0

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> jax.Array:
        """Draw with JAX: what `model.init` uses."""
        return self.mean + self.deviation * jax.random.normal(key, shape, dtype)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draw with NumPy: what `initialise` uses."""
        return self.mean + self.deviation * generator.standard_normal(shape)


@dataclass(frozen=True)
class Constant:
    """The same value everywhere."""

    value: float

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> jax.Array:
        """Fill with JAX: what `model.init` uses."""
        return jnp.full(shape, self.value, dtype)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Fill with NumPy: what `initialise` uses."""
        return np.full(shape, self.value)


@dataclass(frozen=True)
class Identity:
    """The kernel (height, width, C, C) of a convolution that changes nothing."""

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> jax.Array:
        """Make with JAX: what `model.init` uses."""
        return jnp.asarray(self._kernel(shape), dtype)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Make with NumPy: what `initialise` uses."""
        return self._kernel(shape)

    @staticmethod
    def _kernel(shape: tuple[int, ...]) -> np.ndarray:
        kernel = np.zeros(shape)
        kernel[shape[0] // 2, shape[1] // 2] = np.eye(*shape[2:])
        return kernel


@dataclass(frozen=True)
class FanUniform:
    """Uniform values in [-1, 1] / sqrt(fan in) of the kernel that a bias belongs to; a layer asks for `of(kernel's shape)`."""

    def of(self, kernel_shape: tuple[int, ...]) -> Uniform:
        """The initialiser of the bias beside a kernel (..., in, out)."""
        return Uniform(1.0 / math.sqrt(math.prod(kernel_shape[:-1])))


he_normal = VarianceScaling()
glorot_uniform = VarianceScaling(gain=1.0, fan="mean", distribution="uniform")
torch_default = VarianceScaling(gain=math.sqrt(1.0 / 3.0), distribution="uniform")
zeros = Constant(0.0)
ones = Constant(1.0)

TORCH_INIT: Mapping[str, Any] = MappingProxyType({"kernel_init": torch_default, "bias_init": FanUniform()})
"""What torch's layers begin with where a reference says nothing else; fields of `nn.conv.Conv` and its kin."""


def bias_initialiser(bias_init: Callable | FanUniform, kernel_shape: tuple[int, ...]) -> Callable:
    """The initialiser of the bias of a layer with this kernel (..., in, out)."""
    return bias_init.of(kernel_shape) if isinstance(bias_init, FanUniform) else bias_init


def initialise(model: nn.Module, key: Key, *example: Any, **keywords: Any) -> Variables:
    """Initial variables of a network, without compiling its initialisation.

    Args:
      model: any Flax module; layers of `jaxrestore.nn` are drawn by NumPy, parameters of other layers by their own initialisers.
      key: random key; the values are a function of it and of each parameter's path.
      *example: arguments of the module's `__call__`; only shapes and dtypes matter, `jax.ShapeDtypeStruct` will do.
      **keywords: further arguments of `__call__`.

    Returns:
      {"params": ..., and "batch_stats": ... where the network keeps statistics}, NumPy values as JAX arrays.
    """
    shapes, wanted = noted_shapes(model, key, *example, **keywords)
    seed = np.asarray(jax.random.key_data(key)).tobytes()
    flat = flax.traverse_util.flatten_dict(shapes)
    return flax.traverse_util.unflatten_dict({path: _draw(path, leaf, wanted, seed, key) for path, leaf in flat.items()})


def _draw(path: tuple[str, ...], leaf: jax.ShapeDtypeStruct, wanted: Mapping, seed: bytes, key: Key) -> jax.Array:
    digest = hashlib.sha256(seed + "/".join(path).encode()).digest()
    initialiser = wanted.get(path[1:])
    if path[0] == "batch_stats" and initialiser is None:
        initialiser = ones if path[-1] == "var" else zeros
    if initialiser is None:
        raise ValueError(f"parameter {'/'.join(path)} does not come from a layer of jaxrestore.nn: use model.init for this network")
    if hasattr(initialiser, "draw"):
        generator = np.random.default_rng(np.frombuffer(digest, np.uint32))
        return jnp.asarray(initialiser.draw(generator, leaf.shape), leaf.dtype)
    return initialiser(jax.random.fold_in(key, int.from_bytes(digest[:4], "little")), leaf.shape, leaf.dtype)
