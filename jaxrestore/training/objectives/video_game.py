"""A generator of videos against a critic whose singular values are clipped: a Wasserstein game (Saito, Matsumoto and Saito 2017).

Both move at every step, each against the other as it was before: the critic minimises E[score of made] - E[score of real], the generator
-E[score of made]. Every `clip_every` steps the critic is clipped (`nn.singular_values`).
"""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.losses.adversarial import GAMES
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.singular_values import clip_critic
from jaxrestore.training.objectives.clips import clips_of
from jaxrestore.training.objectives.networks import Partner, apply_training, check_whole_batch, make_partner
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Key, Tree, Variables

_OF_LATENTS, _OF_CRITIC = 0xFFFFFF22, 0xFFFFFF23
_GAME = GAMES["wasserstein"]


@dataclass(frozen=True)
class VideoGame:
    """A generator of videos and its critic; `TrainState.extra` holds the critic's state.

    Attributes:
      generator: takes latents (N, slow), uniform in [-1, 1]; its field `slow` says how long they are.
      optimizer: the generator's.
      critic: the partner.
      clip_every: steps between two clippings of the critic.
    """

    generator: nn.Module
    optimizer: optax.GradientTransformation
    critic: Partner
    clip_every: int = 5

    def init(self, key: Key, batch: Any, variables: Variables | None = None) -> TrainState:
        """The state before the first step; given variables are the generator's."""
        initial, later = jax.random.split(key)
        variables = initialise(self.generator, initial, self._example()) if variables is None else variables
        params, stats = variables["params"], variables.get("batch_stats", {})
        critic = self.critic.init(jax.random.fold_in(key, _OF_CRITIC), self._video())
        state = TrainState(jnp.zeros((), jnp.int32), params, stats, self.optimizer.init(params), None, later)
        return state.replace(extra={"critic": critic})

    def step(self, state: TrainState, batch: Any, axis: str | None = None) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step of both.

        Returns:
          The next state, and {"loss", "critic", "gradient_norm"} as float32 scalars: the generator's and the critic's losses.
        """
        before = state.extra["critic"]
        _, frames, side, *_ = self._video().shape
        real = clips_of(state.key, batch, frames, side)
        keys = jax.vmap(lambda k: jax.random.fold_in(jax.random.fold_in(state.key, _OF_LATENTS), k))(batch["index"])
        z = jax.vmap(lambda k: jax.random.uniform(k, self._example().shape[1:], minval=-1.0, maxval=1.0))(keys)

        def of_generator(params: Tree) -> tuple[jax.Array, tuple]:
            variables = {"params": params, **({"batch_stats": state.batch_stats} if state.batch_stats else {})}
            made, new = apply_training(self.generator, variables, z)
            made = made.astype(jnp.float32)
            scores, _ = self.critic.apply(before["params"], before["batch_stats"], made)
            return jnp.mean(_GAME.generator(scores)), (made, new.get("batch_stats", {}))

        def of_critic(params: Tree) -> tuple[jax.Array, Tree]:
            scores_made, stats = self.critic.apply(params, before["batch_stats"], lax.stop_gradient(made))
            scores_real, stats = self.critic.apply(params, stats, real)
            return jnp.mean(_GAME.discriminator(scores_real, scores_made)), stats

        (loss, (made, stats)), gradient = jax.value_and_grad(of_generator, has_aux=True)(state.params)
        (critic_loss, critic_stats), critic_gradient = jax.value_and_grad(of_critic, has_aux=True)(before["params"])
        if axis is not None:
            loss, critic_loss, gradient, critic_gradient = lax.pmean((loss, critic_loss, gradient, critic_gradient), axis)
        updates, optimizer = self.optimizer.update(gradient, state.optimizer, state.params)
        critic = self.critic.update(before, critic_gradient, critic_stats)
        due = (state.step + 1) % self.clip_every == 0
        clipped = lax.cond(due, lambda p: clip_critic(p, critic_stats), lambda p: p, critic["params"])
        new = state.replace(
            step=state.step + 1,
            params=optax.apply_updates(state.params, updates),
            batch_stats=stats,
            optimizer=optimizer,
            extra={"critic": {**critic, "params": clipped}},
        )
        return new, {"loss": loss, "critic": critic_loss, "gradient_norm": optax.tree.norm(gradient)}

    def _example(self) -> jax.ShapeDtypeStruct:
        (latent,) = self.generator.example_inputs
        return latent

    def _video(self) -> jax.ShapeDtypeStruct:
        made = lambda key, z: self.generator.init_with_output(key, z)[0]  # noqa: E731
        return jax.eval_shape(made, jax.eval_shape(lambda: jax.random.key(0)), self._example())


def build(run: Run, *, critic: str, fields: dict[str, Any] | None = None, clip_every: int = 5) -> VideoGame:
    """The game of TGAN; `loss` and `degradation` are not looked at. Batches bring videos, or images over which a window moves.

    Args:
      run: what every objective can use.
      critic: its name in the catalogue.
      fields: fields of the critic that differ from its card's.
      clip_every: steps between two clippings of the critic.
    """
    check_whole_batch(run.config)
    if clip_every < 1:
        raise InputError(f"objective.arguments.clip_every = {clip_every}: must be at least 1")
    if not hasattr(run.model, "slow"):
        raise InputError(f"model.name = {run.config.model.name}: the objective video_game needs a generator of videos, such as tgan")
    if run.config.validation.path is not None:
        raise InputError("validation.path: a generator of videos restores nothing; set validation.path=none")
    return VideoGame(run.model, run.optimizer, make_partner(run.config, critic, fields or {}), clip_every)
