"""Supervised restoration of videos: every frame is degraded on its own, some are missing, and the whole clip is compared."""

from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.clips import clips_of
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised
from jaxrestore.typing import Key, Tree

_OF_FRAMES = 0xFFFFFF24


@dataclass(frozen=True)
class VideoRestoration(Supervised):
    """Minimise the mean of `loss(model(clip without some frames, which are missing), clip)`.

    Attributes:
      frames: of a clip.
      window: side of its frames.
      missing: frames of each clip that are missing, never the first or last.
    """

    frames: int = 5
    window: int = 64
    missing: int = 1

    def inputs(self, key: Key, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """(degraded, clean) clips (N, frames, window, window, C)."""
        clean = clips_of(key, batch, self.frames, self.window)
        if self.degrade is None:
            return clean, clean
        keys = jax.vmap(lambda k: jax.random.split(jax.random.fold_in(key, k), self.frames))(batch["index"])
        return jax.vmap(jax.vmap(self.degrade))(keys, clean), clean

    def gone(self, key: Key, batch: Batch) -> jax.Array:
        """Which frames are missing, (N, frames): clip k's depend on the key and its index alone."""
        keys = jax.vmap(lambda k: jax.random.fold_in(jax.random.fold_in(key, _OF_FRAMES), k))(batch["index"])
        inner = jnp.arange(self.frames - 2) < self.missing
        inner = jax.vmap(lambda k: jax.random.permutation(k, inner))(keys)
        return jnp.pad(inner, ((0, 0), (1, 1)))

    def forward(self, params: Tree, stats: Tree, degraded: jax.Array, key: Key, batch: Batch) -> tuple[tuple, Tree]:
        """((restored clip, []), {})."""
        return (self.model.apply({"params": params}, degraded, self.gone(key, batch)), []), {}


def build(run: Run, *, frames: int = 5, window: int = 64, missing: int = 1) -> VideoRestoration:
    """Restoration of clips against `loss`. Batches bring videos, or images over which a window moves.

    Args:
      run: what every objective can use.
      frames: of a clip, at least 3.
      window: side of its frames.
      missing: frames of each clip that are missing.
    """
    if frames < 3:
        raise InputError(f"objective.arguments.frames = {frames}: must be at least 3")
    if not 0 <= missing <= frames - 2:
        raise InputError(f"objective.arguments.missing = {missing}: must be 0 to {frames - 2} of {frames} frames, the ends stay")
    if run.config.validation.path is not None:
        raise InputError("validation.path: validation restores pictures, not videos; set validation.path=none")
    plain: Any = supervised.build(run)
    given = {field.name: getattr(plain, field.name) for field in fields(Supervised)}
    return VideoRestoration(**given, frames=frames, window=window, missing=missing)
