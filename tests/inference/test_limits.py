"""A picture larger than the memory that the process is allowed: restored from file to file under a hard limit."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.cli.command import identity_weights

SIDE = 4000
# MiB beyond what importing took: the budget, compilation, and the stacks of all threads, which count though they are hardly used.
LIMIT = 256
CODE = """
import re, resource, sys
from pathlib import Path
import jax
from jaxrestore.cli.main import main

jax.jit(lambda x: x + 1)(1.0).block_until_ready()
now = 1024 * int(re.search(r"VmData:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
limit = now + int(sys.argv[1]) * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
main(["restore", *sys.argv[2:]])
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def restore(limit: int, *arguments: object) -> subprocess.CompletedProcess:
    """The command in a process that may take so many MiB beyond what importing took."""
    command = [sys.executable, "-c", CODE, str(limit), *map(str, arguments)]
    environment = {"JAX_PLATFORMS": "cpu", "PATH": "", "HOME": "/nowhere", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on a process's data is Linux's")
def test_a_large_picture_within_a_hard_limit(tmp_path):
    weights = identity_weights(tmp_path, 1)
    row = np.random.default_rng(0).integers(0, 256, SIDE, np.uint8)
    image = np.broadcast_to(row, (SIDE, SIDE)).copy()
    image[:, 5] = np.arange(SIDE) % 251
    tifffile.imwrite(tmp_path / "large.tif", image, rowsperstrip=64)
    arguments = (tmp_path / "large.tif", "-o", tmp_path / "out.tif", "--weights", weights)
    outcome = restore(LIMIT, *arguments, "--memory", "60MiB")
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), image)
    # Whole it does not fit.
    assert restore(LIMIT, tmp_path / "large.tif", "-o", tmp_path / "whole.tif", "--weights", weights, "--tile", "off").returncode
    assert not (tmp_path / "whole.tif").exists()
