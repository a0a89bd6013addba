"""Adversarial restoration: a restorer, the generator, against a discriminator that learns to tell its images from clean ones.

    generator:      content * loss(restored, clean) + features(restored, clean) + weight * game.generator(scores of restored)
    discriminator:  discriminator_weight * game.discriminator(scores of clean, scores of restored) + penalty * (|gradient| - 1)^2

Both move at every step, from one batch. `critic_steps` lets the generator move only at every so many steps; its learning rate follows the
run's steps all the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.losses.adversarial import GAMES, Game
from jaxrestore.losses.penalties import gradient_penalty
from jaxrestore.training.masking import takes_mask
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.feature_loss import FeatureLoss
from jaxrestore.training.objectives.image_pool import empty_pool, exchange_over
from jaxrestore.training.objectives.networks import Partner, check_whole_batch, make_partner
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised
from jaxrestore.training.optimizers import make_optimizer
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Key, Tree, Variables

GameName = Literal[
    "minimax",
    "vanilla",
    "non_saturating",
    "least_squares",
    "hinge",
    "relativistic_average",
    "relativistic_average_least_squares",
    "wasserstein",
]

# Folded into the state's key: far from the indices of images, which are folded into it for their degradations.
_OF_POOL, _OF_PENALTY, _OF_DISCRIMINATOR = 0xFFFFFF01, 0xFFFFFF02, 0xFFFFFF03


@dataclass(frozen=True)
class Adversarial:
    """A generator and a discriminator, each with its optimiser.

    `TrainState.extra` holds "discriminator" (a `Partner`'s state), "features" (a VGG's weights, where there is a feature loss) and "pool".

    Attributes:
      generator: what the restorer minimises without a partner: its network, content loss, degradation and optimiser.
      discriminator: the partner. It gives scores (N, ...), or several arrays of them, which count alike.
      game: what the two minimise.
      weight: of the game in the generator's loss.
      content: of the content loss.
      features: perceptual loss, or None.
      discriminator_weight: of the game in the discriminator's loss; authors who halve it write 0.5.
      penalty: weight of the gradient penalty; 0 leaves it out. It needs a discriminator without batch normalisation.
      critic_steps: the generator moves at every so many steps of the discriminator.
      discriminator_first: the generator plays against the discriminator of after its step (pix2pix), not of before (ESRGAN).
      conditional: the discriminator sees the degraded image beside the clean or restored one, concatenated along the channels.
      pool: restored images of earlier steps that are kept and shown to the discriminator; 0 keeps none.
    """

    generator: Supervised
    discriminator: Partner
    game: Game
    weight: float = 1e-3
    content: float = 1.0
    features: FeatureLoss | None = None
    discriminator_weight: float = 1.0
    penalty: float = 0.0
    critic_steps: int = 1
    discriminator_first: bool = False
    conditional: bool = False
    pool: int = 0

    def init(self, key: Key, batch: Batch, variables: Variables | None = None) -> TrainState:
        """The state before the first step; given variables are the generator's."""
        state = self.generator.init(key, batch, variables)
        degraded, clean = jax.eval_shape(self.generator.inputs, state.key, batch)
        seen = jax.eval_shape(self._seen, clean, degraded)
        extra: dict[str, Any] = {"discriminator": self.discriminator.init(jax.random.fold_in(key, _OF_DISCRIMINATOR), seen)}
        if self.features is not None:
            extra["features"] = self.features.variables()
        if self.pool:
            extra["pool"] = empty_pool(self.pool, seen.shape[1:])
        return state.replace(extra=extra)

    def step(self, state: TrainState, batch: Batch, axis: str | None = None) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step of the discriminator and, when it is its turn, of the generator.

        Returns:
          The next state, and {"loss", "content", "features", "adversarial", "discriminator", "gradient_norm"} as float32 scalars: the
          generator's loss and its parts before their weights ("features" where there are any), the discriminator's loss, the norm of the
          generator's gradient (0 where it is not its turn).
        """
        degraded, clean = self.generator.inputs(state.key, batch)
        forward = lambda params: self.generator.forward(params, state.batch_stats, degraded, state.key, batch)  # noqa: E731
        raw, pull_back, stats = jax.vjp(forward, state.params, has_aux=True)
        images = jax.tree.map(lambda image: image.astype(jnp.float32), raw)

        before, extra = state.extra["discriminator"], dict(state.extra)
        fake = self._seen(lax.stop_gradient(images[0]), degraded)
        if self.pool:
            extra["pool"], fake = exchange_over(extra["pool"], self._key(state, _OF_POOL), fake, axis)
        after, discriminator_loss = self._discriminator_step(state, before, self._seen(clean, degraded), fake, batch, axis)
        extra["discriminator"] = after

        against = after if self.discriminator_first else before
        of_images = lambda images: self._generator_loss(state, against, images, clean, degraded, axis)  # noqa: E731
        (loss, parts), cotangent = jax.value_and_grad(of_images, has_aux=True)(images)
        cotangent = jax.tree.map(lambda c, image: c.astype(image.dtype), cotangent, raw)

        def move(_: None) -> tuple:
            (gradient,) = pull_back(cotangent)
            gradient = gradient if axis is None else lax.pmean(gradient, axis)
            return *self.generator.moved(state, gradient), optax.tree.norm(gradient)

        stay = lambda _: (state.params, state.optimizer, state.ema, jnp.zeros(()))  # noqa: E731
        if self.critic_steps == 1:
            params, optimizer, ema, norm = move(None)
        else:
            params, optimizer, ema, norm = lax.cond((state.step + 1) % self.critic_steps == 0, move, stay, None)
        metrics = {"loss": loss, **parts, "discriminator": discriminator_loss}
        metrics = metrics if axis is None else lax.pmean(metrics, axis)
        stats = self.generator.keep_frozen(state.batch_stats, stats)
        new = state.replace(step=state.step + 1, params=params, batch_stats=stats, optimizer=optimizer, ema=ema, extra=extra)
        return new, {**metrics, "gradient_norm": norm}

    def _discriminator_step(
        self, state: TrainState, partner: dict[str, Any], real: jax.Array, fake: jax.Array, batch: Batch, axis: str | None
    ) -> tuple[dict[str, Any], jax.Array]:
        key = self._key(state, _OF_DISCRIMINATOR)

        def of_params(params: Tree) -> tuple[jax.Array, Tree]:
            scores_real, stats = self._scores(params, partner["batch_stats"], real, key)
            scores_fake, stats = self._scores(params, stats, fake, key)
            loss = self.discriminator_weight * self._mean(lambda r, f: self.game.discriminator(r, f, axis), scores_real, scores_fake)
            if self.penalty:
                loss += self.penalty * jnp.mean(self._penalties(state, params, partner["batch_stats"], real, fake, batch))
            return loss, stats

        (loss, stats), gradient = jax.value_and_grad(of_params, has_aux=True)(partner["params"])
        gradient = gradient if axis is None else lax.pmean(gradient, axis)
        return self.discriminator.update(partner, gradient, stats), loss

    def _penalties(self, state: TrainState, params: Tree, stats: Tree, real: jax.Array, fake: jax.Array, batch: Batch) -> jax.Array:
        key_of_step = self._key(state, _OF_DISCRIMINATOR)
        # Image by image, with a key from each image's index: the same however the batch is cut.
        keys = jax.vmap(lambda index: jax.random.fold_in(self._key(state, _OF_PENALTY), index))(batch["index"])
        score = lambda images: sum(jnp.sum(s) for s in self._scores(params, stats, images, key_of_step)[0])  # noqa: E731
        return jax.vmap(lambda key, r, f: gradient_penalty(score, key, r[None], f[None])[0])(keys, real, fake)

    def _generator_loss(
        self, state: TrainState, partner: dict[str, Any], images: tuple, clean: jax.Array, degraded: jax.Array, axis: str | None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        restored, earlier = images
        key = self._key(state, _OF_DISCRIMINATOR)
        scores_fake, _ = self._scores(partner["params"], partner["batch_stats"], self._seen(restored, degraded), key)
        scores_real = scores_fake
        if self.game.relative:
            scores_real, _ = self._scores(partner["params"], partner["batch_stats"], self._seen(clean, degraded), key)
        parts = {"adversarial": self._mean(lambda r, f: self.game.generator(f, r, axis), scores_real, scores_fake)}
        loss = self.weight * parts["adversarial"]
        if self.content:
            parts["content"] = self.generator.mean_loss(restored, earlier, clean)
            loss += self.content * parts["content"]
        if self.features is not None:
            parts["features"] = jnp.mean(self.features(state.extra["features"], restored, clean))
            loss += parts["features"]
        return loss, parts

    def _scores(self, params: Tree, stats: Tree, images: jax.Array, key: Key) -> tuple[list[jax.Array], Tree]:
        output, stats = self.discriminator.apply(params, stats, images, key=key)
        return jax.tree.leaves(output), stats

    def _mean(self, loss: Callable, *scores: list[jax.Array]) -> jax.Array:
        return jnp.mean(jnp.stack([jnp.mean(loss(*of_one)) for of_one in zip(*scores, strict=True)]))

    def _seen(self, image: jax.Array, degraded: jax.Array) -> jax.Array:
        """What the discriminator looks at. One that takes a mask sees the hole in what is known, as the filled image will be used."""
        if takes_mask(self.discriminator.model):
            known, missing = degraded[..., :-1], degraded[..., -1:]
            return jnp.concatenate([jnp.where(missing > 0, image, known), missing], -1)
        if not self.conditional:
            return image
        if image.shape[:-1] != degraded.shape[:-1]:
            raise InputError(
                f"objective.arguments.conditional: the degraded image {degraded.shape[1:-1]} and the clean one {image.shape[1:-1]} "
                "must have one size"
            )
        return jnp.concatenate([degraded, image], -1)

    def _key(self, state: TrainState, salt: int) -> Key:
        return jax.random.fold_in(jax.random.fold_in(state.key, salt), state.step)


def build(
    run: Run,
    *,
    discriminator: str,
    fields: dict[str, Any] | None = None,
    game: GameName = "vanilla",
    weight: float = 1e-3,
    content: float = 1.0,
    features: str | None = None,
    layers: dict[str, float] | None = None,
    textures: dict[str, float] | None = None,
    depth: int = 19,
    distance: Literal["l1", "mse"] = "l1",
    channel_divisor: int = 1,
    discriminator_weight: float = 1.0,
    discriminator_rate: float | None = None,
    penalty: float = 0.0,
    critic_steps: int = 1,
    discriminator_first: bool = False,
    conditional: bool = False,
    pool: int = 0,
) -> Adversarial:
    """The game between the network of `model` and a discriminator of the catalogue.

    Args:
      run: what every objective can use; `loss` is the content loss.
      discriminator: its name in the catalogue.
      fields: fields of the discriminator that differ from its card's.
      game: what the two minimise, a name of `losses.adversarial.GAMES`.
      weight: of the game in the generator's loss.
      content: of the content loss; 0 leaves it out.
      features: file of a VGG's weights for the perceptual and texture losses; none leaves them out.
      layers: weights of the layers that are compared; by default {"conv5_4": 1.0}.
      textures: weights of the layers whose textures are compared.
      depth: of the VGG, 16 or 19.
      distance: between features.
      channel_divisor: of a narrower VGG than the published one.
      discriminator_weight: of the game in the discriminator's loss.
      discriminator_rate: highest learning rate of the discriminator; by default the generator's. Its schedule is the generator's.
      penalty: weight of the gradient penalty, 10 as published.
      critic_steps: steps of the discriminator for each of the generator.
      discriminator_first: whether the generator plays against the discriminator of after its step.
      conditional: whether the discriminator sees the degraded image too.
      pool: restored images that are kept for the discriminator.
    """
    check_whole_batch(run.config)
    for name, value, low in (
        ("weight", weight, 0.0),
        ("content", content, 0.0),
        ("discriminator_weight", discriminator_weight, 0.0),
        ("penalty", penalty, 0.0),
        ("critic_steps", critic_steps, 1),
        ("pool", pool, 0),
    ):
        if not low <= value < float("inf"):
            raise InputError(f"objective.arguments.{name} = {value}: must be at least {low}")
    generator = supervised.build(run)
    partner = make_partner(run.config, discriminator, fields or {}, discriminator_rate)
    if takes_mask(partner.model) and not takes_mask(run.model):
        raise InputError(f"objective.arguments.discriminator = {discriminator}: it takes a mask, and the network does not")
    if critic_steps > 1:
        generator = replace(generator, optimizer=make_optimizer(run.config.optimizer, run.config.steps, run.factors, critic_steps))
    feature_loss = None
    if features is not None:
        chosen = layers if layers is not None else {} if textures else {"conv5_4": 1.0}
        feature_loss = FeatureLoss(features, depth, tuple(chosen.items()), distance, tuple((textures or {}).items()), 16, channel_divisor)
    return Adversarial(
        generator=generator,
        discriminator=partner,
        game=GAMES[game],
        weight=weight,
        content=content,
        features=feature_loss,
        discriminator_weight=discriminator_weight,
        penalty=penalty,
        critic_steps=critic_steps,
        discriminator_first=discriminator_first,
        conditional=conditional,
        pool=pool,
    )
