"""Compiling fast: most of these tests' time would be the compiler polishing random samplers that then run once."""

from collections.abc import Callable, Mapping
from typing import Any

import jax

LATER_EMITTERS = {"xla_cpu_use_fusion_emitters": True}
"""Where bits count: the emitters that tests use otherwise (tests/conftest.py) join a product and a sum in some shapes, not in others."""


def compiled(function: Callable, compiler: Mapping[str, Any] | None = None, **options: Any) -> Callable:
    """`jax.jit` without the optimisations of the CPU's code generator; with further options of the compiler."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0, **(compiler or {})}, **options)
