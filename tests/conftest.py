"""What every test runs under: shape annotations checked, ranks never promoted silently, compiled quickly rather than well."""

import gc
import os
from importlib.metadata import version

# Eight virtual devices on one CPU: what the parallel tests need must be said before JAX starts. The emitters of later years take three
# times as long to compile; a version that no longer knows the earlier ones would refuse the flag.
os.environ["XLA_FLAGS"] = " ".join(
    (
        os.environ.get("XLA_FLAGS", ""),
        "--xla_force_host_platform_device_count=8",
        "--xla_cpu_use_fusion_emitters=false" if version("jaxlib").startswith("0.10.") else "",
    )
)

from jaxtyping import install_import_hook

install_import_hook("jaxrestore", "beartype.beartype")

import jax  # noqa: E402 (not before the flags and the hook)

jax.config.update("jax_numpy_rank_promotion", "raise")
# Most of the tests' time would be the compiler polishing functions that then run once, on a few pixels.
jax.config.update("jax_disable_most_optimizations", True)


def pytest_runtest_teardown(item, nextitem):
    """Let a file's compiled functions go at its end: with the gigabytes of thousands of tests in memory, each test takes twice as long."""
    if nextitem is None or nextitem.path != item.path:
        jax.clear_caches()
        gc.collect()
        gc.freeze()  # what is left will stay, and need not be looked at again
