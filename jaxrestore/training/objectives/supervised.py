"""Supervised restoration: degrade a clean image on the device, restore it, compare."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxrestore.losses import formula
from jaxrestore.nn.initialise import initialise
from jaxrestore.ops.pyramid import gaussian_pyramid
from jaxrestore.training.masking import parted, with_mask
from jaxrestore.training.objectives.networks import apply_training
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Key, Tree, Variables

Batch = Mapping[str, Any]
"""{"image": clean (N, H, W, C), uint8, uint16 or float in [0, 1]; "index": (N,) place in the stream; "degraded": the input, if paired}."""

# Folded into the state's key: far from the indices of images, which are folded into it for their degradations.
_OF_NETWORK = 0xFFFFFF00


@dataclass(frozen=True)
class Supervised:
    """Minimise the mean of `loss(model(degrade(image)), image)`.

    Attributes:
      model: the network.
      loss: (restored, clean) -> one value for each image.
      optimizer: gradient transformation.
      degrade: (key, image (H, W, C)) -> degraded image, for a network that takes a mask with it as one more channel; None where batches
        bring their own.
      accumulate: parts into which a batch is cut.
      ema: share of the old average of the parameters kept at each step, or None.
      supervision: share, in the loss, of the mean loss of the images that the network sows as "intermediates".
      side: clean images are cut to this many rows and columns; None keeps them.
      frozen: paths of normalisation statistics that do not move, as "norm_1/mean".
      remat: levels of the network's blocks that are computed again for the gradient instead of kept.
    """

    model: nn.Module
    loss: Callable
    optimizer: optax.GradientTransformation
    degrade: Callable | None = None
    accumulate: int = 1
    ema: float | None = None
    supervision: float = 0.0
    side: int | None = None
    frozen: frozenset[str] = frozenset()
    remat: int = 0

    def init(self, key: Key, batch: Batch, variables: Variables | None = None) -> TrainState:
        """The state before the first step, from given variables or from the network's initialisers."""
        initial, degradations = jax.random.split(key)
        if variables is None:
            variables = initialise(self.model, initial, *parted(self.model, jax.eval_shape(self.inputs, degradations, batch)[0]))

        @jax.jit
        def start(params: Tree, stats: Tree) -> TrainState:
            ema = None if self.ema is None else params
            return TrainState(jnp.zeros((), jnp.int32), params, stats, self.optimizer.init(params), ema, degradations)

        return start(variables["params"], variables.get("batch_stats", {}))

    def inputs(self, key: Key, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """(degraded, clean) of a batch. Image k's degradation depends on the key and on index k alone, not on how the batch is cut."""
        clean = as_float(batch["image"][:, : self.side, : self.side])
        if self.degrade is None:
            return as_float(batch["degraded"]), clean
        keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(batch["index"])
        return jax.vmap(self.degrade)(keys, clean), clean

    def step(self, state: TrainState, batch: Batch, axis: str | None = None) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step of the optimiser.

        Args:
          state: the state.
          batch: this device's part of the batch.
          axis: name of the mapped axis over which the batch is split, when mapped; gradients and metrics are averaged over it.

        Returns:
          The next state, and {"loss", "gradient_norm"} as float32 scalars.
        """
        loss, gradient, stats = self._gradient(state, batch)
        if axis is not None:
            loss, gradient = lax.pmean((loss, gradient), axis)
        params, optimizer, ema = self.moved(state, gradient)
        new = state.replace(step=state.step + 1, params=params, batch_stats=stats, optimizer=optimizer, ema=ema)
        return new, {"loss": loss, "gradient_norm": optax.tree.norm(gradient)}

    def forward(self, params: Tree, stats: Tree, degraded: jax.Array, key: Key, batch: Batch) -> tuple[tuple, Tree]:
        """Run the network as training does.

        Args:
          params: its parameters.
          stats: its statistics, {} where it has none.
          degraded: its input.
          key: the state's; dropout and noise are drawn from it and from the place of the batch's first image in the stream.
          batch: the batch that the input is of.

        Returns:
          ((restored image, images sown before it), new statistics).
        """
        variables = {"params": params, **({"batch_stats": stats} if stats else {})}
        key = jax.random.fold_in(jax.random.fold_in(key, _OF_NETWORK), batch["index"][0])
        mutable = ["intermediates"] if self.supervision else []
        inputs = self.network_inputs(degraded)
        restored, new = apply_training(self.model, variables, *inputs, key=key, mutable=mutable, remat=self.remat)
        return (restored, jax.tree.leaves(new.get("intermediates", {}))), new.get("batch_stats", {})

    def network_inputs(self, degraded: jax.Array) -> tuple[jax.Array, ...]:
        """What the network is applied to, of a degraded batch."""
        return parted(self.model, degraded)

    def moved(self, state: TrainState, gradient: Tree) -> tuple[Tree, Any, Tree | None]:
        """The parameters, the optimiser's state and the averaged parameters after one step along a gradient."""
        updates, optimizer = self.optimizer.update(gradient, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        ema = None if self.ema is None or state.ema is None else self._average(state.ema, params, state.step)
        return params, optimizer, ema

    def _gradient(self, state: TrainState, batch: Batch) -> tuple[jax.Array, Tree, Tree]:
        def of_part(stats: Tree, part: Batch) -> tuple[jax.Array, Tree, Tree]:
            (loss, new), gradient = jax.value_and_grad(self.part_loss, has_aux=True)(state.params, stats, state, part)
            return loss, gradient, self.keep_frozen(stats, new)

        if self.accumulate == 1:
            return of_part(state.batch_stats, batch)

        def add(carry: tuple, part: Batch) -> tuple[tuple, None]:
            stats, loss, gradient = carry
            part_loss, part_gradient, stats = of_part(stats, part)
            return (stats, loss + part_loss, jax.tree.map(jnp.add, gradient, part_gradient)), None

        parts = jax.tree.map(lambda x: x.reshape(self.accumulate, -1, *x.shape[1:]), dict(batch))
        start = (state.batch_stats, jnp.zeros(()), jax.tree.map(jnp.zeros_like, state.params))
        # Inside a loop XLA's CPU backend computes convolutions' weight gradients many times slower, so there the loop is unrolled.
        unroll = self.accumulate if jax.default_backend() == "cpu" else 1
        (stats, loss, gradient), _ = lax.scan(add, start, parts, unroll=unroll)
        return loss / self.accumulate, jax.tree.map(lambda g: g / self.accumulate, gradient), stats

    def part_loss(self, params: Tree, stats: Tree, state: TrainState, batch: Batch) -> tuple[jax.Array, Tree]:
        """What is differentiated with respect to `params`: the loss of a part of a batch, and the new statistics."""
        degraded, clean = self.inputs(state.key, batch)
        images, new = self.forward(params, stats, degraded, state.key, batch)
        return self.mean_loss(*images, clean), new

    def mean_loss(self, restored: jax.Array, earlier: list[jax.Array], clean: jax.Array) -> jax.Array:
        """The loss of a batch, of which the images made on the way have the share `supervision`.

        One that is a half, a quarter... of the clean image is compared with that level of its Gaussian pyramid.
        """
        images = (restored, *earlier)
        levels = [_level(image.shape[1:3], clean.shape[1:3]) for image in images]
        pyramid = gaussian_pyramid(clean, max(levels) + 1)
        pairs = zip(images, levels, strict=True)
        last, *others = (jnp.mean(self.loss(image.astype(jnp.float32), pyramid[level])) for image, level in pairs)
        if not others:
            return last
        return (1.0 - self.supervision) * last + self.supervision * jnp.mean(jnp.stack(others))

    def keep_frozen(self, old: Tree, new: Tree) -> Tree:
        """New statistics, but for those that do not move."""
        if not self.frozen:
            return new
        name = lambda path: "/".join(str(part.key) for part in path)  # noqa: E731
        return jax.tree_util.tree_map_with_path(lambda path, o, n: o if name(path) in self.frozen else n, old, new)

    def _average(self, ema: Tree, params: Tree, step: jax.Array) -> Tree:
        # Early averages forget faster, so that the random start does not linger.
        keep = jnp.minimum(self.ema, (1.0 + step) / (10.0 + step)).astype(jnp.float32)
        return jax.tree.map(lambda e, p: keep * e + (1.0 - keep) * p, ema, params)


def common_fields(run: Run) -> dict[str, Any]:
    """The fields of `Supervised` that a configuration says, for it and for those that extend it."""
    config = run.config
    return dict(
        model=run.model,
        loss=formula.parse(config.loss),
        optimizer=run.optimizer,
        degrade=with_mask(run.model, run.degrade),
        accumulate=config.optimizer.accumulate,
        ema=config.optimizer.ema,
        supervision=config.supervision,
        side=run.side,
        frozen=run.frozen,
        remat=config.remat,
    )


def _level(size: tuple[int, int], full: tuple[int, int]) -> int:
    """How often `full` is halved to become `size`; 0 where it never does."""
    halves = [tuple(-(-side // 2**level) for side in full) for level in range(max(full).bit_length() + 1)]
    return halves.index(size) if size in halves else 0


def build(run: Run) -> Supervised:
    """The objective of most networks: `loss` against the clean image."""
    return Supervised(**common_fields(run))


def as_float(image: Any) -> jax.Array:
    """Integers of a file as float32 in [0, 1]; floats as they are."""
    top = jnp.iinfo(image.dtype).max if jnp.issubdtype(image.dtype, jnp.integer) else 1
    return jnp.asarray(image, jnp.float32) / top
