"""Compiling fast: most of these tests' time would be the compiler polishing random samplers that then run once."""

from collections.abc import Callable
from typing import Any

import jax


def compiled(function: Callable, **options: Any) -> Callable:
    """`jax.jit` without the optimisations of the CPU's code generator."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0}, **options)
