"""Many pictures from files to files: restored in batches of one shape, while others are read and written, on all devices.

Three groups of threads hand batches on: some read and decode, one or two for each device compute, some encode and write. Decoders,
encoders, array arithmetic and compiled networks all let go of Python's lock, so that threads are enough. How far reading runs ahead is
bounded, in batches and in pixels.

Which pictures form a batch follows from the files and the memory, neither from who is faster nor from how many share the work; so do the
results, bit for bit.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from queue import LifoQueue
from typing import Any

import jax
import numpy as np

from jaxrestore.data.images import MAX_PIXELS, Picture, encode, from_float, make_folder, read_image, read_size, write_bytes
from jaxrestore.data.jobs import Job
from jaxrestore.errors import InputError, is_out_of_memory
from jaxrestore.inference.inputs import mask_of_each, read_mask
from jaxrestore.inference.memory import free_memory
from jaxrestore.inference.restorer import Restorer
from jaxrestore.inference.strips import restore_in_strips

# Pixels that are restored together. An accelerator needs many to be busy; a processor gains nothing from more than these.
_BATCH_PIXELS = {"cpu": 2**18}
_BATCH_PIXELS_OF_ACCELERATORS = 2**21
_LARGEST_BATCH = 64
# Pixels, before and after restoring, of the batches that are in memory at the same time, where these are more than one.
_PIXELS_IN_FLIGHT = 2**26
# Those of an accelerator take turns in preparing its input and output on the host.
_COMPUTING_THREADS = {"cpu": 1}
_COMPUTING_THREADS_OF_ACCELERATORS = 2
_MOST_THREADS = 16

Failure = InputError | MemoryError | RuntimeError


@dataclass(frozen=True)
class _Read:
    """A picture with what goes in beside it."""

    index: int
    picture: Picture
    mask: np.ndarray | None

    @property
    def kind(self) -> tuple:
        return self.picture.pixels.shape, self.picture.pixels.dtype


def restore_files(
    restorer: Restorer,
    tasks: Sequence[Job],
    *,
    masks: Path | None = None,
    max_pixels: int | float = MAX_PIXELS,
    devices: Sequence[jax.Device] | None = None,
) -> Iterator[tuple[int, Failure | None]]:
    """Restore picture files; one that fails does not stop the others.

    Args:
      restorer: what restores them.
      tasks: the files; folders for what is written are made where they are missing.
      masks: where content is missing, as for `read_mask`; with a folder each picture has its own.
      max_pixels: a larger picture is refused before it is decoded.
      devices: those that compute; all of this process by default.

    Yields:
      The place of a picture in `tasks`, and why it failed or None, as soon as it is written. The order is that of the first
      picture of each batch.

    Raises:
      InputError: the restorer restores no pictures at all, such as one that lacks a scale.
    """
    devices = tuple(devices or jax.local_devices())
    platform = devices[0].platform
    threads = _COMPUTING_THREADS.get(platform, _COMPUTING_THREADS_OF_ACCELERATORS)
    most = _BATCH_PIXELS.get(platform, _BATCH_PIXELS_OF_ACCELERATORS)
    # Virtual devices of one processor share its memory, threads of one accelerator its own.
    share = threads * (len(devices) if platform == "cpu" else 1)
    memory = (restorer.memory or free_memory()) // share
    replicas = [_Replica.of(restorer, device, memory) for device in devices]
    free: LifoQueue[_Replica] = LifoQueue()
    for replica in reversed(replicas):  # the first is the first to be taken
        for _ in range(threads):
            free.put(replica)
    pools = min(os.cpu_count() or 1, _MOST_THREADS)
    with ExitStack() as stack:
        readers, computers, writers = (
            stack.enter_context(_threads(count, name))
            for count, name in ((pools, "read"), (threads * len(devices), "compute"), (pools, "write"))
        )
        done = set()
        if masks is None:
            with replicas[0].computing() as one:
                for place, error in _in_strips(one, tasks, max_pixels):
                    done.add(place)
                    yield place, error
        batches = _batches(replicas[0].restorer, tasks, most, readers, done)
        line = _Line(tasks, masks, max_pixels, free, readers, computers, writers)
        yield from line.run(batches, restorer.scale, ahead=threads * len(devices) + 2)


@contextmanager
def _threads(count: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Threads that, when all ends early, leave undone what they have not begun."""
    pool = ThreadPoolExecutor(count, f"jaxrestore-{name}")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _Replica:
    """The restorer on one device; None is the default one, on which it is already."""

    device: jax.Device | None
    restorer: Restorer

    @classmethod
    def of(cls, restorer: Restorer, device: jax.Device, memory: int) -> "_Replica":
        other = None if device == jax.local_devices()[0] else device
        return cls(other, restorer.on(other, memory))

    @contextmanager
    def computing(self) -> Iterator[Restorer]:
        with jax.default_device(self.device) if self.device else nullcontext():
            yield self.restorer


@dataclass(frozen=True)
class _Batch:
    """Places of pictures that are restored together, as many as `size` except for the last batches of a shape."""

    places: tuple[int, ...]
    size: int
    pixels: int


def _in_strips(restorer: Restorer, tasks: Sequence[Job], max_pixels: int | float) -> Iterator[tuple[int, Failure | None]]:
    """Restore those that are too large to be held, one after the other; what became of them."""
    for place, task in enumerate(tasks):
        if task.spread is not None:
            continue
        try:
            if restore_in_strips(restorer, task.source, task.target, max_pixels=max_pixels):
                yield place, None
        except (InputError, MemoryError, RuntimeError) as error:
            if not isinstance(error, InputError) and not is_out_of_memory(error):
                raise
            yield place, error


def _batches(restorer: Restorer, tasks: Sequence[Job], most: int, readers: ThreadPoolExecutor, done: set[int]) -> list[_Batch]:
    """Pictures of one size, as their headers say, in batches of equal length; without those that are done."""
    groups: dict[Any, list[int]] = {}
    sizes = readers.map(_size, (task.source for task in tasks)) if len(tasks) > 1 else [None]
    for place, size in enumerate(sizes):
        if place not in done:
            groups.setdefault(size or place, []).append(place)
    batches = []
    for size, places in groups.items():
        height, width = size if isinstance(size, tuple) else (0, 0)
        room = min(max(most // max(height * width, 1), 1), _LARGEST_BATCH, len(places))
        room = restorer.at_once(height, width, 3, room) if room > 1 else 1
        length = -(-len(places) // -(-len(places) // room))
        batches += [_Batch(tuple(places[n : n + length]), length, length * height * width) for n in range(0, len(places), length)]
    return sorted(batches, key=lambda batch: batch.places[0])


def _size(path: Path) -> tuple[int, int] | None:
    try:
        return read_size(path)
    except InputError:  # it will be read by itself, and then fail
        return None


@dataclass(frozen=True)
class _Line:
    """The way of batches through the threads."""

    tasks: Sequence[Job]
    masks: Path | None
    max_pixels: int | float
    free: LifoQueue[_Replica]
    readers: ThreadPoolExecutor
    computers: ThreadPoolExecutor
    writers: ThreadPoolExecutor

    def run(self, batches: list[_Batch], scale: int, ahead: int) -> Iterator[tuple[int, Failure | None]]:
        waiting: deque[tuple[int, Future]] = deque()
        for batch in batches:
            pixels = batch.pixels * (1 + scale**2)
            while waiting and (len(waiting) >= ahead or sum(count for count, _ in waiting) + pixels > _PIXELS_IN_FLIGHT):
                yield from _written(waiting.popleft()[1])
            reads = [self.readers.submit(self.read, place) for place in batch.places]
            waiting.append((pixels, self.computers.submit(self.compute, reads, batch.size)))
        while waiting:
            yield from _written(waiting.popleft()[1])

    def read(self, place: int) -> _Read | tuple[int, Failure]:
        path = self.tasks[place].source
        try:
            picture = read_image(path, max_pixels=self.max_pixels)
            mask = None if self.masks is None else mask_of_each((1, *picture.pixels.shape), read_mask(self.masks, path.name))[0]
        except (InputError, MemoryError) as error:
            return place, error
        return _Read(place, picture, mask)

    def compute(self, reads: list[Future], size: int) -> list[tuple[int, Future | Failure]]:
        """What becomes of each picture, in order: the end of its writing, or why it failed before."""
        results = [read.result() for read in reads]
        kinds: dict[tuple, list[_Read]] = {}
        for result in results:
            if isinstance(result, _Read):
                kinds.setdefault(result.kind, []).append(result)
        done: dict[int, Future | Failure] = dict(result for result in results if not isinstance(result, _Read))
        replica = self.free.get()
        try:
            with replica.computing() as restorer:
                for alike in kinds.values():
                    done |= self.restore(restorer, alike, size)
        finally:
            self.free.put(replica)
        return sorted(done.items())

    def restore(self, restorer: Restorer, alike: list[_Read], size: int) -> dict[int, Future | Failure]:
        try:
            restored = _together(restorer, alike, size, spread=self.tasks[alike[0].index].spread is not None)
        except (InputError, MemoryError, RuntimeError) as error:
            if not isinstance(error, InputError) and not is_out_of_memory(error):
                raise
            if len(alike) == 1:
                return {alike[0].index: error}
            return {place: end for one in alike for place, end in self.restore(restorer, [one], 1).items()}
        return {one.index: self.writers.submit(self.write, one.index, *result) for one, result in zip(alike, restored, strict=True)}

    def write(self, place: int, picture: Picture, spread: np.ndarray | None) -> Failure | None:
        task = self.tasks[place]
        try:
            files = [(task.target, encode(picture, task.target))]
            if spread is not None:
                files.append((task.spread, encode_spread(task.spread, spread, picture)))
            for path, data in files:
                make_folder(path.parent)
                write_bytes(path, data)
        except (InputError, MemoryError) as error:
            return error
        return None


def _written(batch: Future) -> Iterator[tuple[int, Failure | None]]:
    for place, end in batch.result():
        yield place, end.result() if isinstance(end, Future) else end


def _together(restorer: Restorer, alike: list[_Read], size: int, spread: bool) -> list[tuple[Picture, np.ndarray | None]]:
    """Restore pictures of one kind, filled up with copies of the last to a length for which the network is compiled anyway."""
    count = len(alike)
    full = size if 2 * count >= size else 1 << (count - 1).bit_length()
    filled = alike + [alike[-1]] * (full - count)
    pictures = [one.picture for one in filled]
    inputs = {} if filled[0].mask is None else {"mask": np.stack([one.mask for one in filled])}
    if len(filled) == 1 and inputs:
        inputs = {"mask": filled[0].mask}
    if not spread:
        return [(picture, None) for picture in restorer.restore_pictures(pictures, **inputs)[:count]]
    restored, spreads = restorer.restore_pictures_with_spread(pictures, **inputs)
    return list(zip(restored[:count], spreads[:count], strict=True))


def encode_spread(path: Path, spread: np.ndarray, picture: Picture) -> bytes:
    """A file of a spread (H, W, 1 or 3): a TIFF of its values as they are, or a PNG of 16 bits in which white is 1.

    It waits for the same orientation as the picture that it belongs to.
    """
    pixels = spread if path.suffix.lower() != ".png" else from_float(spread, np.uint16)
    return encode(Picture(np.ascontiguousarray(pixels), orientation=picture.orientation), path)
