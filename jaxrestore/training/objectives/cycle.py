"""Two generators, each the other's inverse, learn from images that do not belong together: CycleGAN.

    degraded x --restorer--> like clean   --back--> x again            judge_clean:    clean y against restorer(x)
    clean y    ----back----> like degraded --restorer--> y again       judge_degraded: degraded x against back(y)

    generators: weight * both games + cycle * (d(back(restorer(x)), x) + d(restorer(back(y)), y)) + identity * (d(back(x), x) + ...)
    judges:     discriminator_weight * each one's game, against images of a pool

Zhu, Park, Isola and Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.losses import cycle as losses
from jaxrestore.losses.adversarial import GAMES, Game
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.adversarial import GameName
from jaxrestore.training.objectives.image_pool import empty_pool, exchange_over
from jaxrestore.training.objectives.networks import Partner, check_whole_batch, make_partner
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Key, Tree, Variables

_JUDGES = ("judge_clean", "judge_degraded")
_OF_PARTNERS, _OF_POOLS = 0xFFFFFF10, 0xFFFFFF11


@dataclass(frozen=True)
class Cycle:
    """The restorer, the generator of the way back, and a discriminator for each kind of image.

    `TrainState.extra` holds the partners "back", "judge_clean" and "judge_degraded", and with a pool "pool_clean" and "pool_degraded".

    Attributes:
      restorer: its network, the distance of the cycle and the identity (its loss), degradation and optimiser.
      back: the generator of the way back.
      judge: the discriminators: two networks of one kind, whose parameters differ.
      game: what discriminators and generators minimise.
      weight: of both games in the generators' loss.
      cycle: of the cycle's distances.
      identity: of what a generator changes in images of its target kind; 0 leaves it out.
      discriminator_weight: of its game in each discriminator's loss.
      pool: made images that are kept for each discriminator; 0 keeps none.
    """

    restorer: Supervised
    back: Partner
    judge: Partner
    game: Game
    weight: float = 1.0
    cycle: float = 10.0
    identity: float = 5.0
    discriminator_weight: float = 0.5
    pool: int = 50

    def init(self, key: Key, batch: Batch, variables: Variables | None = None) -> TrainState:
        """The state before the first step; given variables are the restorer's."""
        state = self.restorer.init(key, batch, variables)
        degraded, clean = jax.eval_shape(self.restorer.inputs, state.key, batch)
        if degraded.shape != clean.shape:
            raise InputError(
                f"the objective cycle needs degraded images of the clean ones' shape {clean.shape[1:]}, got {degraded.shape[1:]}"
            )
        keys = jax.random.split(jax.random.fold_in(key, _OF_PARTNERS), 3)
        extra: dict[str, Any] = {"back": self.back.init(keys[0], clean)}
        extra |= {name: self.judge.init(key, clean) for name, key in zip(_JUDGES, keys[1:], strict=True)}
        if self.pool:
            extra |= {name: empty_pool(self.pool, clean.shape[1:]) for name in ("pool_clean", "pool_degraded")}
        return state.replace(extra=extra)

    def step(self, state: TrainState, batch: Batch, axis: str | None = None) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step of both generators against the discriminators of before, and one of these against the images made in it.

        Returns:
          The next state, and {"loss", "adversarial", "cycle", "identity", "discriminator", "gradient_norm"} as float32 scalars: the
          generators' loss and its parts before their weights, the discriminators' loss, the norm of the restorer's gradient.
        """
        degraded, clean = self.restorer.inputs(state.key, batch)
        extra = dict(state.extra)

        def of_generators(params: dict[str, Tree]) -> tuple[jax.Array, tuple]:
            return self._generators_loss(state, params, degraded, clean, batch, axis)

        (loss, (parts, made, stats)), gradients = jax.value_and_grad(of_generators, has_aux=True)(
            {"restorer": state.params, "back": extra["back"]["params"]}
        )
        gradients = gradients if axis is None else lax.pmean(gradients, axis)
        params, optimizer, ema = self.restorer.moved(state, gradients["restorer"])
        extra["back"] = self.back.update(extra["back"], gradients["back"], stats["back"])

        discriminator_loss = jnp.zeros(())
        for i, (name, real) in enumerate(zip(_JUDGES, (clean, degraded), strict=True)):
            fake = lax.stop_gradient(made[name])
            if self.pool:
                pool = name.replace("judge", "pool")
                key = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(state.key, _OF_POOLS), state.step), i)
                extra[pool], fake = exchange_over(extra[pool], key, fake, axis)
            extra[name], of_judge = self._judge_step(state, extra[name], real, fake, axis)
            discriminator_loss += of_judge

        metrics = {"loss": loss, **parts, "discriminator": discriminator_loss}
        metrics = metrics if axis is None else lax.pmean(metrics, axis)
        statistics = self.restorer.keep_frozen(state.batch_stats, stats["restorer"])
        new = state.replace(step=state.step + 1, params=params, batch_stats=statistics, optimizer=optimizer, ema=ema, extra=extra)
        return new, {**metrics, "gradient_norm": optax.tree.norm(gradients["restorer"])}

    def _generators_loss(
        self, state: TrainState, params: dict[str, Tree], degraded: jax.Array, clean: jax.Array, batch: Batch, axis: str | None
    ) -> tuple[jax.Array, tuple]:
        stats = {"restorer": state.batch_stats, "back": state.extra["back"]["batch_stats"]}
        key = self._key(state)

        def restore(image: jax.Array) -> jax.Array:
            (restored, _), stats["restorer"] = self.restorer.forward(params["restorer"], stats["restorer"], image, state.key, batch)
            return restored.astype(jnp.float32)

        def send_back(image: jax.Array) -> jax.Array:
            result, stats["back"] = self.back.apply(params["back"], stats["back"], image, key=key)
            return result.astype(jnp.float32)

        made = {"judge_clean": restore(degraded), "judge_degraded": send_back(clean)}
        returned = send_back(made["judge_clean"]), restore(made["judge_degraded"])
        games = [
            jnp.mean(self.game.generator(*self._scores(state, state.extra[name], made[name], real), axis))
            for name, real in zip(_JUDGES, (clean, degraded), strict=True)
        ]
        parts = {
            "adversarial": games[0] + games[1],
            "cycle": jnp.mean(losses.cycle_consistency(degraded, clean, *returned, self.restorer.loss)),
        }
        loss = self.weight * parts["adversarial"] + self.cycle * parts["cycle"]
        if self.identity:
            parts["identity"] = jnp.mean(losses.identity(degraded, clean, send_back(degraded), restore(clean), self.restorer.loss))
            loss += self.identity * parts["identity"]
        return loss, (parts, made, stats)

    def _scores(self, state: TrainState, judge: dict[str, Any], made: jax.Array, real: jax.Array) -> tuple[jax.Array, jax.Array | None]:
        fake, _ = self.judge.apply(judge["params"], judge["batch_stats"], made, key=self._key(state))
        if not self.game.relative:
            return fake, None
        return fake, self.judge.apply(judge["params"], judge["batch_stats"], real, key=self._key(state))[0]

    def _judge_step(
        self, state: TrainState, judge: dict[str, Any], real: jax.Array, fake: jax.Array, axis: str | None
    ) -> tuple[dict[str, Any], jax.Array]:
        def of_params(params: Tree) -> tuple[jax.Array, Tree]:
            scores_real, stats = self.judge.apply(params, judge["batch_stats"], real, key=self._key(state))
            scores_fake, stats = self.judge.apply(params, stats, fake, key=self._key(state))
            return self.discriminator_weight * jnp.mean(self.game.discriminator(scores_real, scores_fake, axis)), stats

        (loss, stats), gradient = jax.value_and_grad(of_params, has_aux=True)(judge["params"])
        gradient = gradient if axis is None else lax.pmean(gradient, axis)
        return self.judge.update(judge, gradient, stats), loss

    def _key(self, state: TrainState) -> Key:
        return jax.random.fold_in(jax.random.fold_in(state.key, _OF_PARTNERS), state.step)


def build(
    run: Run,
    *,
    discriminator: str,
    fields: dict[str, Any] | None = None,
    game: GameName = "least_squares",
    weight: float = 1.0,
    cycle: float = 10.0,
    identity: float = 5.0,
    discriminator_weight: float = 0.5,
    discriminator_rate: float | None = None,
    pool: int = 50,
) -> Cycle:
    """The cycle of the network of `model`, another of its kind for the way back, and two discriminators.

    Args:
      run: what every objective can use; `loss` is the distance of the cycle and the identity.
      discriminator: name in the catalogue of the discriminators' network.
      fields: fields of it that differ from its card's.
      game: a name of `losses.adversarial.GAMES`.
      weight: of the games in the generators' loss.
      cycle: of the cycle's distances.
      identity: of the identity's; the paper's, where it takes it, is half the cycle's.
      discriminator_weight: of the game in a discriminator's loss.
      discriminator_rate: highest learning rate of the discriminators; by default the generators'.
      pool: made images that are kept for each discriminator.
    """
    check_whole_batch(run.config)
    for name, value in (
        ("weight", weight),
        ("cycle", cycle),
        ("identity", identity),
        ("discriminator_weight", discriminator_weight),
        ("pool", pool),
    ):
        if not 0 <= value < float("inf"):
            raise InputError(f"objective.arguments.{name} = {value}: must be at least 0")
    return Cycle(
        restorer=supervised.build(run),
        back=make_partner(run.config, run.config.model.name, run.config.model.fields),
        judge=make_partner(run.config, discriminator, fields or {}, discriminator_rate),
        game=GAMES[game],
        weight=weight,
        cycle=cycle,
        identity=identity,
        discriminator_weight=discriminator_weight,
        pool=pool,
    )
