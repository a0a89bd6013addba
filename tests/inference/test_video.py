"""Frames through a function while others are read and written: order, bounds, errors, and an end that leaves nothing running."""

import threading
import time

import pytest

from jaxrestore.inference.video import in_the_background, restored


def test_order_is_kept_and_few_are_ahead():
    read, ahead = [], []

    def frames():
        for i in range(30):
            read.append(i)
            yield i

    for done in restored(frames(), lambda i: -i, ahead=2):
        ahead.append(len(read) + done)
    assert read == list(range(30))
    assert max(ahead) <= 2 * 2 + 3


def test_reading_restoring_and_writing_overlap():
    busy, most = set(), []

    def at(what):
        busy.add(what)
        most.append(len(busy))
        time.sleep(0.01)
        busy.discard(what)

    def frames():
        for i in range(8):
            at("reading")
            yield i

    def restore(i):
        at("restoring")
        return i

    for _ in restored(frames(), restore):
        at("writing")
    assert max(most) == 3


@pytest.mark.parametrize("where", ["reading", "restoring"])
def test_an_error_comes_out_in_its_place(where):
    def frames():
        yield from range(3)
        if where == "reading":
            raise ValueError("broken file")
        yield 3

    def restore(i):
        if i == 3:
            raise ValueError("too large")
        return i

    before, results = threading.active_count(), restored(frames(), restore)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="broken file" if where == "reading" else "too large"):
        next(results)
    assert threading.active_count() == before


def test_leaving_early_ends_the_threads_and_closes_the_source():
    closed = []

    def frames():
        try:
            yield from range(10**9)
        finally:
            closed.append(True)

    before = threading.active_count()
    results = restored(frames(), lambda i: i)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    results.close()
    assert threading.active_count() == before
    assert closed == [True]


def test_nothing_gives_nothing():
    assert list(in_the_background([])) == []
