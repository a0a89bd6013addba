"""Variational restoration, with or without partners: CVAE, CGAN, feature-matching CGAN and CVAE-GAN.

    divergence        KL(q(z | degraded) || N(0, 1)), summed over the latent
    reconstruction    |x - x'|^2 / 2, and the same of the discriminator's and of the classifier's features, summed over each
    mean_features     |E f_D(x) - E f_D(x_p)|^2 / 2 of the discriminator's features, x_p made from the prior
    class_features    the same of the classifier's features, class by class
    adversarial       -log D(x') - log D(x_p)

    discriminator     -log D(x) - log(1 - D(x')) - log(1 - D(x_p))
    classifier        -log C(class | x)

With weights 3, 1, 1e-3, 1e-3 and 0 this is CVAE-GAN (Bao et al. 2017, equation 7 and section 4.1); without partners a CVAE; of
`mean_features` alone the feature-matching CGAN, of `adversarial` alone the CGAN. The expectations of the matched features are those of the
whole batch, however it is split over devices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.losses.adversarial import GAMES
from jaxrestore.losses.feature_matching import mean_feature_matching, pairwise_feature_matching
from jaxrestore.losses.variational import gaussian_divergence
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.networks import Partner, check_labels, check_whole_batch, make_partner
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised
from jaxrestore.training.state import TrainState
from jaxrestore.typing import ArrayLike, Key, Tree, Variables

_OF_LATENTS, _OF_DISCRIMINATOR, _OF_CLASSIFIER = 0xFFFFFF11, 0xFFFFFF12, 0xFFFFFF13
_GAME = GAMES["vanilla"]


@dataclass(frozen=True)
class Variational:
    """An encoder and a generator with up to two partners.

    `TrainState.extra` holds "discriminator" and "classifier" (`Partner`s' states) where there are such. Batches bring "label" (N,) for
    networks with classes.

    Attributes:
      restorer: the network with the method `both` of `CVAEGAN`, its degradation and optimiser; its loss is not looked at.
      discriminator: tells real from made images; it has the method `judge` of `CVAEGANDiscriminator`.
      classifier: tells classes; it has the method `judge` too.
      divergence: weight, as all below.
      reconstruction: of the pairs.
      mean_features: of the discriminator's mean features.
      class_features: of the classifier's mean features of each class.
      adversarial: of the game in the restorer's loss.
    """

    restorer: Supervised
    discriminator: Partner | None = None
    classifier: Partner | None = None
    divergence: float = 3.0
    reconstruction: float = 1.0
    mean_features: float = 1e-3
    class_features: float = 1e-3
    adversarial: float = 0.0

    def init(self, key: Key, batch: Batch, variables: Variables | None = None) -> TrainState:
        """The state before the first step; given variables are the restorer's."""
        state = self.restorer.init(key, batch, variables)
        clean = jax.eval_shape(self.restorer.inputs, state.key, batch)[1]
        partners = {
            name: partner.init(jax.random.fold_in(key, salt), clean)
            for name, partner, salt in (
                ("discriminator", self.discriminator, _OF_DISCRIMINATOR),
                ("classifier", self.classifier, _OF_CLASSIFIER),
            )
            if partner is not None
        }
        return state.replace(extra=partners)

    def step(self, state: TrainState, batch: Batch, axis: str | None = None) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step of the restorer and of its partners, all against each other as they were before it.

        Returns:
          The next state, and {"loss", the terms that there are before their weights, "discriminator", "classifier", "gradient_norm"} as
          float32 scalars.
        """
        degraded, clean = self.restorer.inputs(state.key, batch)
        label, (noise, prior) = batch.get("label"), self.latents(state.key, batch["index"])

        def of_params(params: Tree) -> tuple[jax.Array, tuple]:
            variables = {"params": params, **({"batch_stats": state.batch_stats} if state.batch_stats else {})}
            arguments = (degraded, noise, prior, label)
            (restored, made, mean, log_variance), new = self.restorer.model.apply(
                variables, *arguments, train=True, method="both", mutable=["batch_stats"]
            )
            terms = self.terms(state.extra, restored.astype(jnp.float32), made.astype(jnp.float32), clean, mean, log_variance, label, axis)
            loss = sum((getattr(self, name) * value for name, value in terms.items()), jnp.zeros(()))
            return loss, (terms, restored, made, new.get("batch_stats", {}))

        (loss, (terms, restored, made, stats)), gradient = jax.value_and_grad(of_params, has_aux=True)(state.params)
        metrics, extra = {"loss": loss, **terms}, dict(state.extra)
        if self.discriminator is not None:
            extra["discriminator"], metrics["discriminator"] = self._discriminator_step(state, clean, restored, made, axis)
        if self.classifier is not None:
            extra["classifier"], metrics["classifier"] = self._classifier_step(state, clean, label, axis)
        if axis is not None:
            metrics, gradient = lax.pmean((metrics, gradient), axis)
        params, optimizer, ema = self.restorer.moved(state, gradient)
        stats = self.restorer.keep_frozen(state.batch_stats, stats)
        new = state.replace(step=state.step + 1, params=params, batch_stats=stats, optimizer=optimizer, ema=ema, extra=extra)
        return new, {**metrics, "gradient_norm": optax.tree.norm(gradient)}

    def latents(self, key: Key, index: ArrayLike) -> tuple[jax.Array, jax.Array]:
        """(noise of the code, latents of the prior), (N, latent) each: image k's depend on the key and its index alone."""
        keys = jax.vmap(lambda k: jax.random.fold_in(jax.random.fold_in(key, _OF_LATENTS), k))(index)
        both = jax.vmap(lambda k: jax.random.normal(k, (2, self.restorer.model.latent)))(keys)
        return both[:, 0], both[:, 1]

    def terms(
        self,
        partners: dict[str, Any],
        restored: jax.Array,
        made: jax.Array,
        clean: jax.Array,
        mean: jax.Array,
        log_variance: jax.Array,
        label: jax.Array | None,
        axis: str | None = None,
    ) -> dict[str, jax.Array]:
        """The restorer's terms before their weights; those of weight 0 are left out."""
        terms: dict[str, jax.Array] = {}
        if self.divergence:
            terms["divergence"] = jnp.mean(jnp.sum(gaussian_divergence(mean, log_variance), -1))
        pairs = pairwise_feature_matching(restored, clean)
        if self.discriminator is not None:
            scores, seen = {}, {}
            for name, images in (("clean", clean), ("restored", restored), ("made", made)):
                scores[name], seen[name] = _judge(self.discriminator, partners["discriminator"], images)
            pairs = pairs + pairwise_feature_matching(seen["restored"], seen["clean"])
            if self.mean_features:
                made_mean, clean_mean = (_whole(lax.pmean, jnp.mean(seen[name], 0), axis)[None] for name in ("made", "clean"))
                terms["mean_features"] = mean_feature_matching(made_mean, clean_mean)
            if self.adversarial:
                terms["adversarial"] = jnp.mean(_GAME.generator(scores["restored"]) + _GAME.generator(scores["made"]))
        if self.classifier is not None:
            seen = {
                name: _judge(self.classifier, partners["classifier"], images)[1]
                for name, images in (("clean", clean), ("restored", restored), ("made", made))
            }
            pairs = pairs + pairwise_feature_matching(seen["restored"], seen["clean"])
            if self.class_features:
                terms["class_features"] = class_feature_matching(seen["made"], seen["clean"], label, self.classifier.model.classes, axis)
        if self.reconstruction:
            terms["reconstruction"] = jnp.mean(pairs)
        return terms

    def _discriminator_step(
        self, state: TrainState, clean: jax.Array, restored: jax.Array, made: jax.Array, axis: str | None
    ) -> tuple[dict[str, Any], jax.Array]:
        partner, before = self.discriminator, state.extra["discriminator"]

        def of_params(params: Tree) -> tuple[jax.Array, Tree]:
            stats, scores = before["batch_stats"], []
            for images in (clean, lax.stop_gradient(restored), lax.stop_gradient(made)):
                found, stats = partner.apply(params, stats, images.astype(jnp.float32))
                scores.append(found)
            real, *fakes = scores
            return jnp.mean(_GAME.discriminator(real, fakes[0])) + jnp.mean(_GAME.fake(fakes[1])), stats

        (loss, stats), gradient = jax.value_and_grad(of_params, has_aux=True)(before["params"])
        gradient = gradient if axis is None else lax.pmean(gradient, axis)
        return partner.update(before, gradient, stats), loss

    def _classifier_step(self, state: TrainState, clean: jax.Array, label: jax.Array, axis: str | None) -> tuple[dict[str, Any], jax.Array]:
        partner, before = self.classifier, state.extra["classifier"]

        def of_params(params: Tree) -> tuple[jax.Array, Tree]:
            logits, stats = partner.apply(params, before["batch_stats"], clean)
            return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, label)), stats

        (loss, stats), gradient = jax.value_and_grad(of_params, has_aux=True)(before["params"])
        gradient = gradient if axis is None else lax.pmean(gradient, axis)
        return partner.update(before, gradient, stats), loss


def class_feature_matching(made: jax.Array, real: jax.Array, label: ArrayLike, classes: int, axis: str | None = None) -> jax.Array:
    """sum over the classes in the batch of |E f(made) - E f(real)|^2 / 2, expectations over the images of the class.

    Args:
      made: (N, D), features of made images.
      real: (N, D), features of real ones of the same classes.
      label: (N,).
      classes: number of labels.
      axis: the mapped axis over which the batch is split, if it is.

    Reference: Bao et al. 2017, equation 5.
    """
    member = jax.nn.one_hot(label, classes, axis=0)  # (classes, N)
    count = _whole(lax.psum, jnp.sum(member, 1, keepdims=True), axis)
    return 0.5 * jnp.sum(jnp.square(_whole(lax.psum, member @ (made - real), axis) / jnp.maximum(count, 1.0)))


def _whole(reduce: Callable, values: jax.Array, axis: str | None) -> jax.Array:
    return values if axis is None else reduce(values, axis)


def _judge(partner: Partner, state: dict[str, Any], images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(scores, features) as in training; the statistics that this would move are dropped."""
    variables = {"params": state["params"], **({"batch_stats": state["batch_stats"]} if state["batch_stats"] else {})}
    (scores, features), _ = partner.model.apply(variables, images, train=True, method="judge", mutable=["batch_stats"])
    return scores.astype(jnp.float32), features.astype(jnp.float32)


def build(
    run: Run,
    *,
    divergence: float = 3.0,
    reconstruction: float = 1.0,
    mean_features: float = 1e-3,
    class_features: float = 1e-3,
    adversarial: float = 0.0,
    discriminator: str | None = None,
    discriminator_fields: dict[str, Any] | None = None,
    classifier: str | None = None,
    classifier_fields: dict[str, Any] | None = None,
) -> Variational:
    """A CVAE, CGAN, feature-matching CGAN or CVAE-GAN; `loss` is not looked at.

    Args:
      run: what every objective can use.
      divergence: weight of the divergence from the prior.
      reconstruction: of the pairs, images and features.
      mean_features: of the discriminator's mean features.
      class_features: of the classifier's mean features of each class.
      adversarial: of the game in the restorer's loss.
      discriminator: name in the catalogue; none leaves it and its terms out.
      discriminator_fields: its fields that differ from the card's.
      classifier: name in the catalogue; none leaves it and its terms out. Batches must bring labels.
      classifier_fields: its fields that differ from the card's.
    """
    check_whole_batch(run.config)
    weights = dict(
        divergence=divergence,
        reconstruction=reconstruction,
        mean_features=mean_features,
        class_features=class_features,
        adversarial=adversarial,
    )
    for name, value in weights.items():
        if not 0.0 <= value < float("inf"):
            raise InputError(f"objective.arguments.{name} = {value}: must be at least 0")
    if not hasattr(run.model, "both"):
        raise InputError(f"model.name = {run.config.model.name}: the objective variational needs an encoder and a generator")
    if adversarial and discriminator is None:
        raise InputError(f"objective.arguments.adversarial = {adversarial}: a game needs objective.arguments.discriminator=...")
    partners = {
        role: None if name is None else make_partner(run.config, name, fields or {})
        for role, name, fields in (("discriminator", discriminator, discriminator_fields), ("classifier", classifier, classifier_fields))
    }
    known = getattr(run.model, "classes", 0)
    check_labels(run.config, known)
    if partners["classifier"] is not None:
        told = partners["classifier"].model.classes
        check_labels(run.config, told, "objective.arguments.classifier_fields.classes")
        if known and told != known:
            raise InputError(f"objective.arguments.classifier_fields.classes = {told}: the restorer has {known}; they must be the same")
    return Variational(supervised.build(run), **partners, **weights)
