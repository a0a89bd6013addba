"""Running a command in this process, and small inputs for it."""

from pathlib import Path

import jax
import numpy as np
import pytest

from jaxrestore.cli.main import main
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import save_weights


def run(*arguments: object) -> None:
    """The command must succeed."""
    main([str(argument) for argument in arguments])


def refused(capsys: pytest.CaptureFixture, *arguments: object) -> list[str]:
    """The command must end with code 2 and print nothing but lines of its own to the standard error, no traceback; gives these lines."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        run(*arguments)
    assert stop.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("jaxrestore: ") for line in lines), lines
    assert lines[-1].startswith("jaxrestore: error: ")
    return lines


def refused_in_one_line(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    lines = refused(capsys, *arguments)
    assert len(lines) == 1
    return lines[0]


def identity_weights(folder: Path, channels: int = 3) -> Path:
    """A network that takes no noise off: what it restores is what it was given."""
    model = DnCNN(depth=2, features=2, channels=channels, norm=False)
    variables = jax.tree.map(np.zeros_like, initialise(model, jax.random.key(0), np.zeros((1, 8, 8, channels), np.float32)))
    path = folder / f"identity{channels}.safetensors"
    save_weights(path, variables, model)
    return path


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} if folder.exists() else set()
