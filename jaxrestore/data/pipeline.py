"""From a source of images to batches for training, and to whole images for evaluation.

The training stream is a pure function of (source, seed, patch, augment): record k of the infinite stream is always the same picture, cut at
the same place. Batch b is records b * batch_size to (b + 1) * batch_size. Worker processes, restarts and the number of hosts change who
computes a record, never what it is.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import absl.flags
import grain
import grain.experimental
import numpy as np

from jaxrestore.data.sources import UnpairedFolders
from jaxrestore.data.transforms import CropAndFlip, CutClip
from jaxrestore.data.video_clips import VideoClips
from jaxrestore.errors import InputError

# Batches are sent through pipes, which was measured to be no slower for crops; shared memory is only 64 MB in a plain container.
_NEVER_SHARED = grain.experimental.DatasetOptions(min_shm_size=sys.maxsize)
_AHEAD = 2  # batches that are prepared before they are asked for, per worker
_LOOK_FOR_PARENT_S = 1.0
_FAR = 1 << 32


class TrainingBatches(grain.DatasetIterator):
    """An infinite iterator of batches whose state is one place in the stream.

    Args:
      stream: batches by number, of all shards.
      batch_size: records in a batch of one shard.
      identity: what makes this stream this stream; a state of another one is refused.
      workers: processes that prepare batches.
      shard: (index, count) of this process.
    """

    def __init__(
        self, stream: grain.MapDataset, batch_size: int, identity: Mapping[str, Any], workers: int = 0, shard: tuple[int, int] = (0, 1)
    ) -> None:
        super().__init__()
        self._stream = stream
        self._identity = dict(identity)
        self._workers = workers
        self._shard = shard
        self._records_a_step = batch_size * shard[1]
        self._step = 0
        # The iterator at work, alone or not at all; closed and let go when this process ends while the interpreter still stands, which it
        # does not any more in __del__.
        self._inner: list[grain.DatasetIterator] = []
        weakref.finalize(self, _let_go, self._inner)

    def __next__(self) -> dict[str, np.ndarray]:
        self.start_prefetch()
        batch = next(self._inner[0])
        self._step += 1
        return batch

    def get_state(self) -> dict[str, Any]:
        """The place in the stream, the same on every process of a run and for any number of workers; ready for JSON."""
        return {"next_record": self._step * self._records_a_step, **self._identity}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to the place where `get_state` was called.

        Raises:
          InputError: the state is of another stream, or lies inside one of this stream's batches.
        """
        different = [f"{name} {state.get(name)!r}, not {value!r}" for name, value in self._identity.items() if state.get(name) != value]
        if different:
            raise InputError(
                f"the saved place is in another stream of data, with {'; '.join(different)}: start a new run, or restore these"
            )
        step, rest = divmod(state["next_record"], self._records_a_step)
        if rest:
            raise InputError(
                f"the saved place, record {state['next_record']}, lies inside a batch of {self._records_a_step}: "
                "go on with the batch size that the run had"
            )
        self._step = step
        _let_go(self._inner)

    def start_prefetch(self) -> None:
        """Start preparing batches, in a thread or in worker processes."""
        self._assert_not_closed()
        if self._inner:
            return
        index, count = self._shard
        batches = self._stream[index + self._step * count :: count]
        # A worker prepares in its one thread; without workers one thread prepares beside the training.
        ahead = 0 if self._workers else _AHEAD
        prefetched = batches.to_iter_dataset(grain.ReadOptions(num_threads=min(ahead, 1), prefetch_buffer_size=ahead))
        if self._workers:
            options = grain.MultiprocessingOptions(num_workers=self._workers, per_worker_buffer_size=_AHEAD)
            prefetched = grain.experimental.WithOptionsIterDataset(prefetched, _NEVER_SHARED).mp_prefetch(options, start_worker)
        self._inner.append(iter(prefetched))

    def close(self) -> None:
        """Stop the workers; they are stopped at the latest when this process ends, however it ends."""
        _let_go(self._inner)
        super().close()

    def __del__(self) -> None:
        # The base class closes here, where at the end of the process not even functions are left; the finaliser has done it by then.
        pass

    def __str__(self) -> str:
        return f"TrainingBatches(step={self._step}, workers={self._workers}, shard={self._shard})"


def _let_go(iterators: list[grain.DatasetIterator]) -> None:
    while iterators:
        iterators.pop().close()


def training_batches(
    source: Any,
    *,
    batch_size: int,
    patch: int,
    seed: int,
    workers: int = 0,
    augment: bool = True,
    shard: tuple[int, int] = (0, 1),
) -> grain.DatasetIterator:
    """An infinite stream of batches of random crops, shuffled anew each epoch.

    Args:
      source: random access to {"image": (H, W, C)} and, for pairs, "degraded": a class of `sources`, or any other with a length. From
        `UnpairedFolders` "image" and "degraded" come in orders of their own, from `VideoClips` clips in place of images.
      batch_size: records in a batch of this process.
      patch: side of the square crops (of the clean images, for pairs).
      seed: of the order, the crops and the flips; any whole number that is not negative.
      workers: processes that decode and cut, 0 for a thread of this one. The batches are the same for any number.
      augment: whether the crops are turned and mirrored at random.
      shard: (index, count): this process and how many there are. Together the processes get, at each step, the next batch_size * count
        records of the same stream, the first process the first batch_size of them.

    Returns:
      An iterator of {"image": (N, patch, patch, C) as the source gives it, mostly uint8, "index": (N,) int64} and for pairs "degraded":
      (N, patch / scale, patch / scale, C), for pictures of classes "label": (N,) int32, for videos "video": (N, T, patch, patch, C) in
      place of "image". `index` is the record's place in the whole infinite stream. `get_state` and `set_state` say and
      set the place, as JSON; close() stops the workers.

    Raises:
      InputError: the source is empty, or a number is out of range.
    """
    index, count = shard
    for name, value, least in (("batch_size", batch_size, 1), ("patch", patch, 1), ("seed", seed, 0), ("workers", workers, 0)):
        if value < least:
            raise InputError(f"{name} is {value}; it must be at least {least}")
    if not 0 <= index < count:
        raise InputError(f"shard is {shard}: the index must be from 0 to the count less 1")
    if len(source) == 0:
        raise InputError(f"{source!r} holds no images")
    if not absl.flags.FLAGS.is_parsed():  # grain asks for its own flags when it starts workers
        absl.flags.FLAGS.mark_as_parsed()
    if isinstance(source, UnpairedFolders):
        # Neighbouring seeds are those of other runs: the second order comes from one that is far away.
        orders = [_records(source.clean, patch, seed, augment), _records(source.degraded, patch, seed + _FAR, augment)]
        records = grain.experimental.ZipMapDataset(orders).map(_side_by_side)
        images: Any = [len(source.clean), len(source.degraded)]
    else:
        records, images = _records(source, patch, seed, augment), len(source)
    stream = records.batch(batch_size, drop_remainder=True)
    return TrainingBatches(stream, batch_size, {"seed": seed, "images": images}, workers, shard)


def _records(source: Any, patch: int, seed: int, augment: bool) -> grain.MapDataset:
    # Epoch e is shuffled with seed + e: mixed, so that runs whose seeds are neighbours do not share epochs.
    shuffle_seed = int(np.random.SeedSequence(seed).generate_state(1)[0])
    is_video = isinstance(source, VideoClips)
    cut = CutClip(source.frames, patch, seed, augment) if is_video else CropAndFlip(patch, seed, augment)
    return grain.MapDataset.source(source).shuffle(seed=shuffle_seed).repeat(None).map_with_index(cut)


def _side_by_side(records: tuple[Mapping[str, Any], Mapping[str, Any]]) -> dict[str, Any]:
    clean, degraded = records
    return {**clean, "degraded": degraded["image"]}


def evaluation_images(source: Any) -> Iterator[dict[str, Any]]:
    """Every image of a source once, whole and in order: {"image": (H, W, C), "name": str} and for pairs "degraded"."""
    names = getattr(source, "names", None)
    for index in range(len(source)):
        yield {**source[index], "name": names[index] if names else str(index)}


def start_worker(index: int, count: int) -> None:
    """What a worker process does first: keep off accelerators and signals, and end when its parent ends.

    Args:
      index: of this worker.
      count: of workers.
    """
    del index, count
    # grain imports JAX, whose backends would each take memory of the accelerator, or the accelerator itself.
    os.environ["JAX_PLATFORMS"] = "cpu"
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_platforms", "cpu")
    # Ctrl-C and a cluster's SIGTERM reach the whole process group: the parent alone decides, and needs its workers to save in peace.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        _end_with(parent.pid, parent.sentinel)


def _end_with(parent: int, sentinel: int) -> None:
    """End this process as soon as its parent has ended, even by SIGKILL, which tells nobody.

    Linux could send a signal (PR_SET_PDEATHSIG), but sends it when the *thread* that started this process ends, and grain starts workers
    from a thread of its own.
    """

    def watch() -> None:
        while os.getppid() == parent:
            # The sentinel is a pipe that closes with the parent; other children of the parent may hold it open, so its number is asked too.
            if multiprocessing.connection.wait([sentinel], _LOOK_FOR_PARENT_S):
                break
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="watch-parent").start()
