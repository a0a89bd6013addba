"""One network with a head and a tail for each of several tasks, of which every batch is given one at random: IPT's pre-training.

The task of a step follows from the seed and the step alone. What the other tasks have for themselves gets no gradient then; an adaptive
optimiser still moves it a little along its averages. The paper's contrastive loss between the patches of an image is left out.

Chen et al., "Pre-Trained Image Processing Transformer", CVPR 2021, section 3.2.
"""

import dataclasses
from dataclasses import dataclass

import jax
from jax import lax

from jaxrestore.degradations import recipes
from jaxrestore.errors import InputError
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Tree

_OF_TASK = 0xFFFFFF30


@dataclass(frozen=True)
class MultiTask(Supervised):
    """Supervised restoration of one task at a time.

    Attributes:
      tasks: the objective of each, with the network's field `task` and its own degradation and size.
    """

    tasks: tuple[Supervised, ...] = ()

    def task_of(self, state: TrainState) -> jax.Array:
        """Number of the task of the next step, int32."""
        key = jax.random.fold_in(jax.random.fold_in(state.key, _OF_TASK), state.step)
        return jax.random.randint(key, (), 0, len(self.tasks))

    def _gradient(self, state: TrainState, batch: Batch) -> tuple[jax.Array, Tree, Tree]:
        return lax.switch(self.task_of(state), [task._gradient for task in self.tasks], state, dict(batch))


def build(run: Run, *, degradations: str) -> MultiTask:
    """The tasks of a network.

    Args:
      run: what every objective can use; `degradation` is that of the task that is validated, the one of the network's field `task`.
      degradations: a recipe for each of the network's tasks, in its order, joined by "|"; `data.patch` is the clean side of the task that
        enlarges most, the others are cut to inputs of the same size.
    """
    scales = getattr(run.model, "scales", None)
    if not isinstance(scales, tuple) or not hasattr(run.model, "task"):
        raise InputError(f"model.name = {run.config.model.name}: the objective multi_task needs a network with tasks, such as ipt")
    parsed = [recipes.parse(text.strip()) for text in degradations.split("|")]
    if len(parsed) != len(scales):
        raise InputError(f"objective.arguments.degradations has {len(parsed)} recipes: the network has {len(scales)} tasks")
    for recipe, scale in zip(parsed, scales, strict=True):
        if recipe.scale * scale != 1:
            raise InputError(f"objective.arguments.degradations: {recipe} does not shrink by its task's {scale}")
    if run.config.data.patch % max(scales):
        raise InputError(f"data.patch = {run.config.data.patch}: must be a multiple of {max(scales)}, the largest enlargement")
    plain = supervised.build(run)
    tasks = tuple(
        dataclasses.replace(plain, model=run.model.clone(task=i), degrade=recipe, side=run.config.data.patch // max(scales) * scale)
        for i, (recipe, scale) in enumerate(zip(parsed, scales, strict=True))
    )
    own = tasks[run.model.task]
    return MultiTask(**{field.name: getattr(own, field.name) for field in dataclasses.fields(Supervised)}, tasks=tasks)
