"""A run killed at any moment and started again ends with the same bits as one that was left alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

EXPERIMENT = """
from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation
config = Experiment(
    model=Model("dncnn_color_blind", {"depth": 3, "features": 8}),
    data=Data("dead_leaves", source="dead_leaves", patch=16, batch=8),
    degradation="gaussian:sigma=0..55", loss="l1", steps=120, optimizer=Optimizer(rate=1e-2, clip=1.0, ema=0.9),
    validation=Validation("dead_leaves", crop=32, images=1, every=40),
    log_every=1, checkpoint_every=10, run="unnamed",
)
"""


def start(experiment: Path, run: Path, *overrides: str) -> subprocess.Popen:
    jax_settings = {"XLA_FLAGS": "--xla_force_host_platform_device_count=1", "JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    environment = {**os.environ, **jax_settings}
    command = [sys.executable, "-m", "jaxrestore", "train", str(experiment), f"run={run}", *overrides]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen) -> str:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    return output


def wait_for(condition, process: subprocess.Popen, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.002)


def steps_logged(run: Path) -> int:
    log = run / "log.jsonl"
    return log.read_text().count("loss") if log.exists() else 0


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
            except (OSError, IndexError, ValueError):
                continue
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture(scope="module")
def experiment(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("experiment") / "small.py"
    path.write_text(EXPERIMENT)
    return path


@pytest.fixture(scope="module")
def uninterrupted(experiment, tmp_path_factory) -> dict[str, np.ndarray]:
    run = tmp_path_factory.mktemp("uninterrupted")
    finish(start(experiment, run))
    return load_file(run / "weights.safetensors")


def assert_same_bits(run: Path, expected: dict[str, np.ndarray]) -> None:
    weights = load_file(run / "weights.safetensors")
    assert weights.keys() == expected.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(value.view(np.uint32), expected[name].view(np.uint32), err_msg=name)
    steps = [line.split('"step": ')[1].split(",")[0] for line in (run / "log.jsonl").read_text().splitlines() if '"loss"' in line]
    assert steps == [str(i) for i in range(1, 121)]  # the log reads as if never interrupted


@pytest.mark.timeout(600)
@pytest.mark.parametrize("workers", [0, 2])
def test_killed_runs_end_with_the_same_bits(experiment, uninterrupted, tmp_path, workers):
    in_a_save = [lambda: any((tmp_path / "checkpoints").glob("*tmp*"))]
    between_two = [lambda: steps_logged(tmp_path) > 60]
    for moment in between_two if workers else in_a_save + between_two:
        process = start(experiment, tmp_path, f"data.workers={workers}")
        wait_for(moment, process)
        children = children_of(process.pid)
        process.kill()
        process.communicate()
        if workers:
            assert len(children) >= workers
        deadline = time.monotonic() + 20
        while any(is_running(child) for child in children):
            assert time.monotonic() < deadline, "worker processes outlive their killed parent"
            time.sleep(0.1)
    output = finish(start(experiment, tmp_path, f"data.workers={workers}"))
    assert "goes on from step" in output
    assert_same_bits(tmp_path, uninterrupted)


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is a POSIX signal")
def test_asked_to_stop_it_saves_and_ends_cleanly(experiment, uninterrupted, tmp_path):
    process = start(experiment, tmp_path)
    wait_for(lambda: steps_logged(tmp_path) > 15, process)
    process.send_signal(signal.SIGTERM)
    output = finish(process)
    assert "as asked" in output
    stopped = steps_logged(tmp_path)
    assert 15 < stopped < 120
    assert (tmp_path / "checkpoints" / str(stopped)).is_dir()
    assert not (tmp_path / "weights.safetensors").exists()
    finish(start(experiment, tmp_path))
    assert_same_bits(tmp_path, uninterrupted)
