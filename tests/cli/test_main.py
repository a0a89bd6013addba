"""The front door: help at once, wrong arguments, exit codes."""

import subprocess
import sys

import pytest

from jaxrestore.cli import main as front
from jaxrestore.errors import InputError


@pytest.mark.parametrize("arguments", [[], ["bogus"], ["restore"], ["restore", "a.png"], ["evaluate", "--task", "paint", "--data", "."]])
def test_wrong_arguments_end_with_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        front.main(arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize("name", ["", *front.COMMANDS])
def test_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        front.main([*([name] if name else []), "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in front.COMMANDS) if not name else f"jaxrestore {name}" in shown


def _demo_raises(monkeypatch, error: BaseException) -> int:
    def run(self):
        raise error

    monkeypatch.setattr(front.Demo, "run", run)
    with pytest.raises(SystemExit) as stop:
        front.main(["demo"])
    return stop.value.code


def test_exit_codes(monkeypatch, capsys):
    assert _demo_raises(monkeypatch, InputError("a.png is\n  empty")) == 2
    assert capsys.readouterr().err == "jaxrestore: error: a.png is empty\n"
    assert _demo_raises(monkeypatch, MemoryError()) == 2
    assert _demo_raises(monkeypatch, KeyboardInterrupt()) == 130


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(front.Demo, "run", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        front.main(["demo"])


def test_help_loads_nothing_heavy():
    code = "import sys; from jaxrestore.cli.main import main\ntry: main(['--help'])\nfinally: print(sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "restore" in shown
    for heavy in ("jax", "numpy", "flax", "PIL", "cv2", "grain"):
        assert f"'{heavy}'" not in shown


def test_the_real_process():
    finished = subprocess.run(
        [sys.executable, "-m", "jaxrestore", "restore", "absent.png", "-o", "out.png"], capture_output=True, text=True, timeout=60
    )
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == "jaxrestore: error: absent.png does not exist\n"


def test_train_hands_over_its_arguments(monkeypatch):
    from jaxrestore.training import loop

    seen = []
    monkeypatch.setattr(loop, "main", lambda *arguments: seen.append(arguments))
    front.main(["train", "experiments/some.py", "optimizer.learning_rate=1e-4", "steps=10"])
    assert seen == [("experiments/some.py", ("optimizer.learning_rate=1e-4", "steps=10"))]
