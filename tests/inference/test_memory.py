"""Amounts of memory: how they are written, and the estimate against arithmetic by hand."""

import re
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from jaxrestore.errors import InputError
from jaxrestore.inference.memory import bytes_per_pixel, free_memory, parse_memory
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise


@pytest.mark.parametrize(
    ("text", "amount"), [("2GiB", 2**31), ("1.5g", 1_500_000_000), ("500 MB", 500_000_000), ("64KiB", 65536), (4096, 4096), ("7", 7)]
)
def test_amounts(text, amount):
    assert parse_memory(text) == amount


@pytest.mark.parametrize("text", ["", "two", "-1", "0", "3 apples", "2GiBB", "nan"])
def test_what_is_no_amount(text):
    with pytest.raises(InputError, match="memory"):
        parse_memory(text)


def test_some_memory_is_free():
    assert free_memory() > 2**26


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_limit_on_the_process_counts(monkeypatch):
    resource = pytest.importorskip("resource")
    used = 1024 * int(re.search(r"VmData:\s*(\d+)", Path("/proc/self/status").read_text())[1])
    unlimited, limit = (resource.RLIM_INFINITY,) * 2, used + 2**28
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit) if what == resource.RLIMIT_DATA else unlimited)
    assert free_memory() == pytest.approx(2**27, rel=0.2)


@pytest.mark.parametrize(("features", "unshuffle"), [(16, 1), (64, 2)])
def test_estimate_is_the_live_arrays(features, unshuffle):
    model = DnCNN(depth=5, features=features, channels=3, norm=False, unshuffle=unshuffle)
    variables = initialise(model, jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
    # In the middle: the image (for the skip) and a hidden layer before and after an operation; with the copies of both ends.
    live = 4 * (3 + 2 * features / unshuffle**2)
    assert bytes_per_pixel(model, variables, 3) == pytest.approx(1.3 * live + 3 * 4 * 6, rel=0.1)
