"""DiffIR's two stages in one run: first a prior that sees the answer trains the restorer, then diffusion learns to guess that prior.

    stage 1:  extractor(input, answer) -> prior -> restorer(input, prior)                         loss(restored, answer)
    stage 2:  the same prior, noised -> steps of diffusion, given the input alone -> guess
              restorer(input, guess)                                            loss(restored, answer) + |guess - prior|

In stage 2 the extractor stays as it is, and the gradient reaches the restorer through all steps of the diffusion.

Xia et al., "DiffIR: Efficient Diffusion Model for Image Restoration", ICCV 2023, section 4. The published code starts stage 2 with a fresh
optimiser; here its averages go on.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.models.super_resolution.diffir import DiffIR, DiffIRStage1, PriorRestorer, signal_left
from jaxrestore.nn.remat import rematerialised
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.networks import Partner, check_whole_batch
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised
from jaxrestore.training.optimizers import make_optimizer
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Key, Tree, Variables

_OF_NOISE, _OF_EXTRACTOR = 0xFFFFFF20, 0xFFFFFF21


@dataclass(frozen=True)
class DiffusionPrior:
    """The two stages of a `DiffIR`.

    `TrainState.params` are the whole network's, of which stage 1 moves the restorer alone; `TrainState.extra` holds "extractor", a
    `Partner`'s state, which stage 2 leaves alone.

    Attributes:
      second: what stage 2 trains: the network, its content loss, degradation and optimiser.
      extractor: the network of stage 1, of which the partner's state holds the extractor.
      first_stage: steps of stage 1.
      weight: of the guess's distance in stage 2.
    """

    second: Supervised
    extractor: Partner
    first_stage: int
    weight: float = 1.0

    def init(self, key: Key, batch: Batch, variables: Variables | None = None) -> TrainState:
        """The state before the first step; given variables are the whole network's."""
        state = self.second.init(key, batch, variables)
        degraded, clean = jax.eval_shape(self.second.inputs, state.key, batch)
        multiple = self.second.model.multiple
        if degraded.shape[1] % multiple or degraded.shape[2] % multiple:
            raise InputError(f"data.patch: the network's input is {degraded.shape[1:3]}; both must be multiples of {multiple}")
        whole = self.extractor.init(jax.random.fold_in(key, _OF_EXTRACTOR), degraded, clean)
        params = {"extractor": whole["params"]["extractor"]}
        partner = {"params": params, "batch_stats": {}, "optimizer": self.extractor.optimizer.init(params)}
        return state.replace(extra={"extractor": partner})

    def step(self, state: TrainState, batch: Batch, axis: str | None = None) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step of the stage that it is in.

        Returns:
          The next state, and {"loss", "content", "guess", "gradient_norm"} as float32 scalars; "guess", the guessed prior's distance, is 0
          in stage 1.
        """
        degraded, clean = self.second.inputs(state.key, batch)
        partner = state.extra["extractor"]
        players = {"network": state.params, "extractor": partner["params"]}
        first = state.step < self.first_stage

        def stage(loss_of: Any) -> Any:
            return lambda players: jax.value_and_grad(loss_of, has_aux=True)(players, state, degraded, clean, batch)

        (loss, parts), gradient = lax.cond(first, stage(self._first_loss), stage(self._second_loss), players)
        metrics = {"loss": loss, **parts}
        if axis is not None:
            gradient, metrics = lax.pmean((gradient, metrics), axis)
        params, optimizer, ema = self.second.moved(state, gradient["network"])
        moved = self.extractor.update(partner, gradient["extractor"], {})
        # Without a gradient Adam would still coast on its averages.
        moved = jax.tree.map(lambda new, old: jnp.where(first, new, old), moved, partner)
        new = state.replace(step=state.step + 1, params=params, optimizer=optimizer, ema=ema, extra={"extractor": moved})
        return new, {**metrics, "gradient_norm": optax.tree.norm(gradient["network"])}

    def _first_loss(self, players: dict[str, Tree], state: TrainState, degraded: jax.Array, clean: jax.Array, batch: Batch) -> tuple:
        restored, _ = self._with_answer(players["extractor"], players["network"], degraded, clean)
        content = self._content(restored, clean)
        return content, {"content": content, "guess": jnp.zeros(())}

    def _second_loss(self, players: dict[str, Tree], state: TrainState, degraded: jax.Array, clean: jax.Array, batch: Batch) -> tuple:
        _, prior = self._with_answer(players["extractor"], players["network"], degraded, clean)
        prior = lax.stop_gradient(prior)
        key = jax.random.fold_in(jax.random.fold_in(state.key, _OF_NOISE), state.step)
        keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(batch["index"])
        noise = jax.vmap(lambda key: jax.random.normal(key, prior.shape[1:], prior.dtype))(keys)
        left = signal_left(self.second.model.steps)
        noised = left**0.5 * prior + (1.0 - left) ** 0.5 * noise
        with rematerialised(self.second.remat):
            restored, sown = self.second.model.apply({"params": players["network"]}, degraded, noised, mutable=["intermediates"])
        (guess,) = sown["intermediates"]["prior"]
        content = self._content(restored, clean)
        distance = jnp.mean(jnp.abs(guess.astype(jnp.float32) - prior.astype(jnp.float32)))
        return content + self.weight * distance, {"content": content, "guess": distance}

    def _with_answer(self, extractor: Tree, network: Tree, degraded: jax.Array, clean: jax.Array) -> tuple[jax.Array, jax.Array]:
        params = {**extractor, "restorer": network["restorer"]}
        with rematerialised(self.second.remat):
            return self.extractor.model.apply({"params": params}, degraded, clean)

    def _content(self, restored: jax.Array, clean: jax.Array) -> jax.Array:
        return jnp.mean(self.second.loss(restored.astype(jnp.float32), clean))


def build(run: Run, *, first_stage: int, weight: float = 1.0) -> DiffusionPrior:
    """The two stages of DiffIR.

    Args:
      run: what every objective can use; `model` is a DiffIR and `loss` its content loss.
      first_stage: steps of stage 1; the rest of the run is stage 2.
      weight: of the guess's distance in stage 2.
    """
    check_whole_batch(run.config)
    model = run.model
    if not isinstance(model, DiffIR):
        raise InputError(f"model.name = {run.config.model.name}: the objective diffusion_prior trains DiffIR alone")
    if not 0 <= first_stage <= run.config.steps:
        raise InputError(f"objective.arguments.first_stage = {first_stage}: must be from 0 to steps = {run.config.steps}")
    if not 0 <= weight < float("inf"):
        raise InputError(f"objective.arguments.weight = {weight}: must be at least 0")
    return DiffusionPrior(
        second=supervised.build(run),
        extractor=Partner(stage_1(model), make_optimizer(run.config.optimizer, run.config.steps)),
        first_stage=first_stage,
        weight=weight,
    )


def stage_1(model: DiffIR) -> DiffIRStage1:
    """The network of stage 1 that goes with one of stage 2."""
    restorer = PriorRestorer(
        model.scale,
        model.features,
        model.blocks,
        model.refinement,
        model.heads,
        model.expansion,
        model.use_bias,
        model.centred,
        model.channels,
        dtype=model.dtype,
        param_dtype=model.param_dtype,
    )
    return DiffIRStage1(restorer, model.prior_features, model.prior_depth)
