"""One atomic checkpoint of everything a run needs to go on exactly: state, data iterator, and a checksum for each leaf.

    RUN/checkpoints/<step>/state   parameters, statistics, optimiser, average, key (Orbax)
                          /data    the data iterator, per process
                          /meta    model, step, configuration, checksums, what was transferred
                          /metrics the validation score

Orbax restores a damaged file without a word, so every leaf's checksum is verified after reading.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grain
import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from jaxrestore.errors import InputError
from jaxrestore.training.state import TrainState, from_storable, to_storable
from jaxrestore.weights.checksum import checksums, verify
from jaxrestore.weights.orbax_folder import read_arrays

_WORST = -1e9  # the score of a checkpoint that was not validated: never the best unless there is no other


class Checkpoints:
    """The checkpoints of one run. The newest and the best are kept, whatever their order.

    Args:
      folder: the run's folder.
    """

    def __init__(self, folder: Path):
        logging.getLogger("absl").setLevel(logging.ERROR)
        self.folder = Path(folder).resolve() / "checkpoints"
        policy = preservation_policy.AnyPreservationPolicy(
            [
                preservation_policy.LatestN(1),
                preservation_policy.BestN(n=1, get_metric_fn=lambda metrics: metrics["psnr"], reverse=False),
            ]
        )
        options = ocp.CheckpointManagerOptions(
            preservation_policy=policy,
            best_fn=lambda metrics: metrics["psnr"],
            cleanup_tmp_directories=True,
            enable_async_checkpointing=False,
        )
        try:
            self.manager = ocp.CheckpointManager(self.folder, options=options)
        except OSError as error:
            raise InputError(f"{self.folder}: cannot keep checkpoints there: {error.strerror or error}") from error

    def latest(self) -> int | None:
        """Step of the newest checkpoint, or None."""
        return self.manager.latest_step()

    def save(self, state: TrainState, iterator: grain.DatasetIterator, meta: Mapping[str, Any], psnr: float | None = None) -> None:
        """Write a checkpoint of the state's step; it appears whole or not at all."""
        stored = to_storable(state)
        if jax.process_count() == 1:  # from the host at once; Orbax would cut each replica into slices, one compilation for each shape
            stored = jax.tree.map(np.asarray, jax.device_get(stored))
        step = int(state.step)
        self.manager.save(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(stored),
                data=grain.checkpoint.CheckpointSave(iterator),
                meta=ocp.args.JsonSave({**meta, "step": step, "checksums": checksums(stored)}),
            ),
            metrics={"psnr": _WORST if psnr is None else psnr},
            force=True,
        )

    def meta(self) -> dict[str, Any]:
        """What the newest checkpoint says of itself."""
        step = self.latest()
        return self._read(step, meta=ocp.args.JsonRestore())["meta"]

    def restore(self, like: TrainState, iterator: grain.DatasetIterator) -> TrainState:
        """The newest state, laid out and sharded like `like`; the iterator is set to go on after it.

        Raises:
          InputError: the checkpoint is damaged or belongs to another network.
        """
        step = self.latest()
        # Read once by ourselves: on a damaged index Orbax throws its insides at the terminal, this raises one line.
        read_arrays(self.folder / str(step) / "state")
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, to_storable(like))
        read = self._read(
            step,
            state=ocp.args.StandardRestore(abstract),
            data=grain.checkpoint.CheckpointRestore(iterator),
            meta=ocp.args.JsonRestore(),
        )
        verify(read["state"], read["meta"]["checksums"], f"{self.folder / str(step)}")
        return from_storable(read["state"])

    def _read(self, step: int | None, **items: Any) -> Any:
        try:
            return self.manager.restore(step, args=ocp.args.Composite(**items))
        except InputError:
            raise
        except Exception as error:
            first = str(error).strip().split("\n")[0][:200]
            raise InputError(
                f"{self.folder / str(step)}: cannot be read ({type(error).__name__}: {first}); "
                "remove that folder to go on from an older one"
            ) from error

    def close(self) -> None:
        """Finish what is being written."""
        self.manager.close()
