"""One training step spread over many devices, three ways with the same numbers.

`jit` over a mesh lets XLA place the collectives and is the default; `shard_map` and `pmap` run the step once per device on its part of the
batch and average inside. The state is replicated, the batch is split along its first axis.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxrestore.errors import InputError
from jaxrestore.nn.norm import DATA_AXIS


def make_mesh(devices: int | None = None) -> Mesh:
    """A one-dimensional mesh over all devices of all hosts, or over the first few.

    Raises:
      InputError: more devices asked for than there are.
    """
    available = jax.devices()
    count = len(available) if devices is None else devices
    if not 1 <= count <= len(available):
        raise InputError(f"{count} devices asked for, {len(available)} are there")
    return jax.make_mesh((count,), (DATA_AXIS,), axis_types=(AxisType.Auto,), devices=available[:count])


def put_batch(batch: Mapping[str, np.ndarray], mesh: Mesh) -> dict[str, jax.Array]:
    """This host's part of a batch onto its devices, as part of one global array.

    Raises:
      InputError: the batch cannot be split evenly.
    """
    sharding = NamedSharding(mesh, P(DATA_AXIS))
    size = len(next(iter(batch.values()))) * jax.process_count()
    if size % mesh.size:
        raise InputError(f"data.batch = {size} cannot be split over {mesh.size} devices: take a multiple of {mesh.size}")
    return {name: jax.make_array_from_process_local_data(sharding, np.asarray(value)) for name, value in batch.items()}


def replicate(tree: Any, mesh: Mesh) -> Any:
    """Every leaf whole on every device, in buffers of its own (they may be donated)."""
    sharding = NamedSharding(mesh, P())
    return jax.tree.map(lambda leaf: jax.device_put(leaf, sharding, may_alias=False), tree)


def compile_step(step: Callable, mesh: Mesh, mode: str = "jit") -> Callable:
    """Compile `step(state, batch, axis=None) -> (state, metrics)` over a mesh.

    Args:
      step: a pure step; it averages over `axis` when given one.
      mesh: from `make_mesh`.
      mode: "jit", "shard_map" or "pmap".

    Returns:
      (state, batch) -> (state, metrics): replicated state, split batch; the state given is consumed (donated).
    """
    replicated, split = NamedSharding(mesh, P()), NamedSharding(mesh, P(DATA_AXIS))
    match mode:
        case "jit":
            return jax.jit(step, in_shardings=(replicated, split), out_shardings=(replicated, replicated), donate_argnums=0)
        case "shard_map":
            # Without the replication check: with it, gradients of replicated parameters are summed before the step averages them.
            mapped = jax.shard_map(
                partial(step, axis=DATA_AXIS), mesh=mesh, in_specs=(P(), P(DATA_AXIS)), out_specs=(P(), P()), check_vma=False
            )
            return jax.jit(mapped, donate_argnums=0)
        case "pmap":
            return _pmapped(step, mesh)
        case unknown:
            raise ValueError(f"unknown mode {unknown!r}")


def _pmapped(step: Callable, mesh: Mesh) -> Callable:
    devices = list(mesh.devices.flat)
    mapped = jax.pmap(partial(step, axis=DATA_AXIS), DATA_AXIS, in_axes=(None, 0), out_axes=None, devices=devices)

    def run(state: Any, batch: Mapping[str, jax.Array]) -> tuple[Any, Any]:
        parts = {name: value.reshape(len(devices), -1, *value.shape[1:]) for name, value in batch.items()}
        return mapped(state, parts)

    return run
