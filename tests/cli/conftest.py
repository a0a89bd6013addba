"""These tests compute longer than they compile: here the compiler optimises."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def _optimised() -> Iterator[None]:
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)
