"""Restoring a stream of frames: what comes before and after the network happens while it computes."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_AHEAD = 2
_POLL = 0.1


def in_the_background(items: Iterable[_Item], ahead: int = _AHEAD) -> Iterator[_Item]:
    """The same items, made by a thread of their own, a few before they are asked for.

    Args:
      items: what to make; an exception among them is raised here in its place.
      ahead: how many may wait.

    Yields:
      The items in their order.
    """
    waiting: queue.Queue[tuple[bool, _Item | BaseException | None]] = queue.Queue(ahead)
    stopped = threading.Event()

    def put(is_item: bool, value: _Item | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                waiting.put((is_item, value), timeout=_POLL)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                if not put(True, item):
                    return
            put(False, None)
        except BaseException as error:
            put(False, error)
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            is_item, value = waiting.get()
            if is_item:
                yield value
            elif value is None:
                return
            else:
                raise value
    finally:
        stopped.set()
        thread.join()


def restored(frames: Iterable[_Item], restore: Callable[[_Item], _Result], ahead: int = _AHEAD) -> Iterator[_Result]:
    """Frames, restored one by one.

    Three things happen at once: frames are read, one is restored, and those that are done are handed on. At most `2 * ahead + 3` frames are
    in memory, however long the video is.

    Args:
      frames: as they come.
      restore: what to do with each.
      ahead: how many may wait before it, and how many after it.

    Yields:
      The restored frames in their order.
    """

    def one_by_one() -> Iterator[_Result]:
        with contextlib.closing(in_the_background(frames, ahead)) as read:
            for frame in read:
                yield restore(frame)

    with contextlib.closing(in_the_background(one_by_one(), ahead)) as done:
        yield from done
