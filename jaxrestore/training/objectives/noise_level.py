"""Denoisers that are told how strong the noise is: each image gets a level of its own, and the network a map of it.

image --+ noise of level s, then the recipe's other steps --> degraded -+-> network -> restored, compared with the image
        s ~ uniform over the recipe's interval --> map of s ------------'
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxrestore.degradations.noise import gaussian
from jaxrestore.degradations.recipes import Recipe, parse
from jaxrestore.errors import InputError
from jaxrestore.models.inputs import side_inputs
from jaxrestore.nn.initialise import initialise
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised, as_float
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Key, Variables

_LEVELS = 255.0


@dataclass(frozen=True)
class NoiseLevel(Supervised):
    """Minimise the mean of `loss(model(noisy image, its noise level), image)`.

    Attributes:
      sigma: (low, high) of the noise's standard deviation in grey levels.
      then: degrades the noisy image further, such as by clipping; None does nothing.
      told: the level in grey levels that the network is told in validation; None where nothing is validated.
    """

    sigma: tuple[float, float] = (0.0, 50.0)
    then: Callable | None = None
    told: float | None = None

    def init(self, key: Key, batch: Batch, variables: Variables | None = None) -> TrainState:
        """The state before the first step, from given variables or from the network's initialisers."""
        if variables is None:
            variables = initialise(self.model, jax.random.fold_in(key, 0), *jax.eval_shape(self._told_inputs, key, batch)[0])
        return super().init(key, batch, variables)

    def inputs(self, key: Key, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """(degraded, its noise level as the last channel; clean) of a batch; image k's depend on the key and on index k alone."""
        told, clean = self._told_inputs(key, batch)
        return jnp.concatenate(told, -1), clean

    def _told_inputs(self, key: Key, batch: Batch) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        clean = as_float(batch["image"][:, : self.side, : self.side])

        def one(index: jax.Array, image: jax.Array) -> tuple[jax.Array, jax.Array]:
            level_key, noise_key, then_key = jax.random.split(jax.random.fold_in(key, index), 3)
            sigma = jax.random.uniform(level_key, (), image.dtype, *self.sigma)
            noisy = gaussian(noise_key, image, sigma)
            noisy = noisy if self.then is None else self.then(then_key, noisy)
            return noisy, jnp.full_like(noisy[..., :1], sigma / _LEVELS)

        return jax.vmap(one)(batch["index"], clean), clean

    def network_inputs(self, degraded: jax.Array) -> tuple[jax.Array, ...]:
        """What the network is applied to: the image, and the map of its noise level."""
        return degraded[..., :-1], degraded[..., -1:]

    def restore(self, variables: Variables, degraded: jax.Array) -> jax.Array:
        """Denoise at the level of the validation images."""
        return self.model.apply(variables, degraded, jnp.full_like(degraded[..., :1], (self.told or 0.0) / _LEVELS))


def build(run: Run) -> NoiseLevel:
    """The objective of denoisers with a noise map. `degradation` begins with gaussian:sigma=low..high, and what validates with one sigma.

    Raises:
      InputError: another degradation, no fixed level to validate with, or a network that takes no noise level.
    """
    config = run.config
    if "noise_level" not in side_inputs(run.model):
        raise InputError(f"model.name = {config.model.name!r}: it takes no noise level; train it with the objective supervised")
    sigma, then = _noise("degradation", config.degradation)
    told = None
    if config.validation.path is not None:
        low, told = _noise("validation.recipe", config.validation.recipe or config.degradation)[0]
        if low != told:
            raise InputError("validation.recipe must have one noise level, such as gaussian:sigma=25: the network is told it")
    plain = supervised.build(run)
    fields = {field.name: getattr(plain, field.name) for field in dataclasses.fields(plain)}
    return NoiseLevel(**{**fields, "degrade": None}, sigma=sigma, then=then, told=told)


def _noise(field: str, text: str) -> tuple[tuple[float, float], Recipe | None]:
    """The interval of a recipe's noise, and its other steps."""
    recipe = parse(text) if text else Recipe(())
    first, *rest = recipe.steps or (None,)
    if first is None or first.name != "gaussian":
        raise InputError(f"{field} = {text!r}: for the objective noise_level it must begin with gaussian:sigma=low..high")
    sigma = dict(first.arguments)["sigma"]
    low, high = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    return (float(low), float(high)), Recipe(tuple(rest)) if rest else None
