"""Autoregressive likelihood: every value of the clean image is told from the values before it, and from the degraded image if there is one.

The loss is the mean of -log p over all values, in nats; divide by log(2) for bits per dimension. A network that restores has a method
`distributions(degraded, clean, train)` that gives several predictions, of which all are scored: for `PixelRecursive` that of both its
parts and that of the conditioning network alone (Dahl et al. 2017, equation 6). Any other is applied to the clean image, and to the batch's
"label" where it has classes, and gives one.
"""

from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.networks import apply_training, check_labels
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised, as_float
from jaxrestore.typing import ArrayLike, Key, Tree


@dataclass(frozen=True)
class Autoregressive(Supervised):
    """Minimise the sum, over a network's predictions, of the mean of -log p(value)."""

    def inputs(self, key: Key, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """(degraded, clean) of a batch; the clean image twice where nothing degrades it."""
        if self.degrade is None and "degraded" not in batch:
            clean = as_float(batch["image"][:, : self.side, : self.side])
            return clean, clean
        return super().inputs(key, batch)

    def forward(self, params: Tree, stats: Tree, degraded: jax.Array, key: Key, batch: Batch) -> tuple[tuple, Tree]:
        """((logits (N, H, W, C, levels), further predictions), new statistics)."""
        variables = {"params": params, **({"batch_stats": stats} if stats else {})}
        clean = as_float(batch["image"][:, : self.side, : self.side])
        if not hasattr(self.model, "distributions"):
            label = (batch["label"],) if getattr(self.model, "classes", 0) else ()
            logits, new = apply_training(self.model, variables, clean, *label)
            return (logits, []), new.get("batch_stats", {})
        predictions, new = self.model.apply(variables, degraded, clean, train=True, method="distributions", mutable=["batch_stats"])
        return (predictions[0], list(predictions[1:])), new.get("batch_stats", {})

    def mean_loss(self, restored: jax.Array, earlier: list[jax.Array], clean: jax.Array) -> jax.Array:
        """The sum of all predictions' mean -log p of the clean values."""
        return sum((jnp.mean(negative_log_likelihood(logits, clean)) for logits in (restored, *earlier)), jnp.zeros(()))


def negative_log_likelihood(logits: ArrayLike, image: ArrayLike) -> jax.Array:
    """-log p of each value of an image.

    Args:
      logits: (N, H, W, C, levels).
      image: (N, H, W, C) in [0, 1]; values between levels count as the nearest one.

    Returns:
      (N, H, W, C), in nats.
    """
    logits, image = jnp.asarray(logits, jnp.float32), jnp.asarray(image)
    levels = logits.shape[-1]
    chosen = jax.nn.one_hot(jnp.round(image * (levels - 1)).astype(jnp.int32), levels, dtype=jnp.float32)
    return -jnp.sum(chosen * jax.nn.log_softmax(logits), -1)


def build(run: Run) -> Autoregressive:
    """The likelihood of an autoregressive network; `loss` is not looked at."""
    if not hasattr(run.model, "levels"):
        raise InputError(
            f"model.name = {run.config.model.name}: the objective autoregressive needs a network that gives distributions of levels"
        )
    check_labels(run.config, getattr(run.model, "classes", 0))
    if run.config.validation.path is not None and not hasattr(run.model, "distributions"):
        raise InputError(f"validation.path: {run.config.model.name} generates and restores nothing; set validation.path=none")
    plain: Any = supervised.build(run)
    return Autoregressive(**{field.name: getattr(plain, field.name) for field in fields(Supervised)})
