"""What every network keeps: equality with its reference, any size, one image as in a batch, bfloat16, gradients everywhere."""

from collections.abc import Callable, Mapping
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.models.inputs import side_inputs
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import from_reference, to_reference
from tests.compiled import compiled
from tests.parity.golden import Golden, goldens

Inputs = tuple[Any, ...]


def cases(models: Mapping[str, Any], group: str = "restoration") -> list:
    """Parameters (golden, its value) of a test, for a table golden's name or pattern -> value; skipped where the goldens are absent."""
    parameters = []
    for pattern, value in models.items():
        for golden in goldens(f"{group}/{pattern}"):
            case, marks = (golden, ()) if isinstance(golden, Golden) else (golden.values[0], golden.marks)
            parameters.append(pytest.param(case, value, id=str(case), marks=marks))
    return parameters


def check_equals_reference(
    model: nn.Module,
    golden: Golden,
    *inputs: Any,
    state: Mapping[str, np.ndarray] | None = None,
    expected: np.ndarray | None = None,
    tolerance: float | None = None,
    after: Callable = lambda x: x,
    **keywords: Any,
) -> tuple[Any, Any]:
    """With the reference's weights, a network gives what the reference gave, and its weights go back to the reference's, to the bit.

    Args:
      model: built through its public fields.
      golden: the case.
      *inputs: what the network is applied to; by default the golden's input.
      state: the reference's tensors; by default those of the golden.
      expected: by default the golden's output.
      tolerance: by default the golden's.
      after: of the network's result, what is compared with `expected`, in the reference's unit.
      **keywords: further arguments of the network.

    Returns:
      (variables, result of the network).
    """
    state = golden.state if state is None else state
    variables = from_reference(model, state)
    result = compiled(lambda v, *x: model.apply(v, *x, **keywords))(variables, *(inputs or (golden.input,)))
    tolerance = golden.tolerance if tolerance is None else tolerance
    np.testing.assert_allclose(after(result), golden.output if expected is None else expected, atol=tolerance, rtol=0)
    for name, value in to_reference(model, variables).items():
        np.testing.assert_array_equal(value, state[name], err_msg=name)
    return variables, result


def random_inputs(model: nn.Module, count: int = 2, height: int = 7, width: int = 9, seed: int = 1) -> Inputs:
    """Images with the side inputs that a network takes."""
    random = np.random.default_rng(seed)
    images = random.random((count, height, width, getattr(model, "channels", 3)), np.float32)
    maps = {
        "noise_level": random.random((count, height, width, 1), np.float32) / 5,
        "mask": random.random((count, height, width, 1)) < 0.3,
    }
    return images, *(maps[name] for name in side_inputs(model))


def check_alone_as_together(
    model: nn.Module,
    inputs: Inputs,
    tolerance: float = 2e-5,
    bfloat16: float = 0.1,
    variables: Any = None,
    uncompiled: bool = False,
    **keywords: Any,
) -> Any:
    """An input gives the same whatever it is in a batch with, and where; bfloat16 comes close.

    Args:
      model: a small network.
      inputs: at least two of each.
      tolerance: between two batches, and between compiled and not.
      bfloat16: of the result's standard deviation, plus 0.03.
      variables: by default the initial ones.
      uncompiled: also apply the network to the second input alone and not compiled, which takes several times as long as to compile it.
      **keywords: further arguments of the network.

    Returns:
      The result of all inputs together.
    """
    variables = initialise(model, jax.random.key(0), *inputs) if variables is None else variables
    apply = compiled(lambda v, *x: model.apply(v, *x, **keywords))
    together = apply(variables, *inputs)
    chex.assert_tree_all_finite(together)
    together = jax.device_get(together)
    second = jax.tree.map(lambda x: x[1:2], together)
    # The same shapes, so nothing is compiled again.
    only_second = jax.device_get(apply(variables, *(np.repeat(np.asarray(x)[1:2], len(x), 0) for x in inputs)))
    for i in range(len(inputs[0])):
        chex.assert_trees_all_close(jax.tree.map(lambda x: x[i : i + 1], only_second), second, atol=tolerance)  # noqa: B023
    if uncompiled:
        chex.assert_trees_all_close(model.apply(variables, *(x[1:2] for x in inputs), **keywords), second, atol=tolerance)
    half = compiled(lambda v, *x: model.clone(dtype=jnp.bfloat16).apply(v, *x, **keywords))(variables, *inputs)
    for low, full in zip(jax.tree.leaves(half), jax.tree.leaves(together), strict=True):
        assert low.dtype == full.dtype
        chex.assert_trees_all_close(low, full, atol=bfloat16 * float(np.std(full)) + 0.03)
    return together


def check_every_parameter_learns(
    model: nn.Module, inputs: Inputs, unused: tuple[str, ...] = (), seeds: int = 4, jitter: float = 0.05, **keywords: Any
) -> None:
    """The gradient is finite, and nowhere zero but in the parameters that cannot be reached.

    Args:
      model: a small network.
      inputs: what it takes.
      unused: parts of the paths of parameters that this application cannot reach.
      seeds: with few channels a ReLU may silence a part of the network by accident, but not with each seed.
      jitter: noise on the initial parameters, for networks that begin where no parameter matters.
      **keywords: further arguments of the network.
    """

    def loss(params: Any, statistics: Any) -> jax.Array:
        options = {**keywords, **(dict(train=True, mutable="batch_stats") if statistics else {})}
        result = model.apply({"params": params, **statistics}, *inputs, **options)
        result = result[0] if statistics else result
        # A weight for each element: the mean after a normalisation depends on nothing.
        weights = [np.random.default_rng(3).standard_normal(leaf.shape, np.float32) for leaf in jax.tree.leaves(result)]
        return sum(jnp.mean(jnp.square(leaf - 0.3) * (2 + w)) for leaf, w in zip(jax.tree.leaves(result), weights, strict=True))

    gradient = compiled(jax.grad(loss))
    learnt: dict[str, bool] = {}
    for seed in range(seeds):
        variables = initialise(model, jax.random.key(seed), *inputs)
        noise = np.random.default_rng(seed).standard_normal
        params = jax.tree.map(lambda leaf: np.asarray(leaf) + jitter * noise(leaf.shape, np.float32), variables.pop("params"))  # noqa: B023
        found = gradient(params, variables)
        chex.assert_tree_all_finite(found)
        for path, leaf in jax.tree_util.tree_leaves_with_path(found):
            name = jax.tree_util.keystr(path, simple=True, separator="/")
            learnt[name] = learnt.get(name, False) or bool(np.any(leaf))
        if {name for name, learns in learnt.items() if not learns} == {name for name in learnt if any(part in name for part in unused)}:
            return
    for name, learns in learnt.items():
        assert learns != any(part in name for part in unused), name
