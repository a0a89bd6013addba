"""What is compiled is kept between runs: whole files only, for this machine, unless the user says no."""

import os
import sys
import time
from pathlib import Path

import pytest

from jaxrestore.cli import compiled
from jaxrestore.errors import InputError


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The folder in which it is kept, for a process that has not imported JAX."""
    monkeypatch.delitem(sys.modules, "jax")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for variable in (compiled.VARIABLE, "JAX_COMPILATION_CACHE_DIR", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, "")  # so that what is set is taken back at the end
        monkeypatch.delenv(variable)
    for variable in ("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setattr(sys, "platform", "linux")
    return compiled._home()


def used() -> Path:
    return Path(os.environ["JAX_COMPILATION_CACHE_DIR"])


def compile_one(name: str, content: str) -> None:
    (used() / f"{name}-cache").write_text(content)


def again(monkeypatch) -> None:
    """As in the next process."""
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")


def test_the_next_run_finds_it(home, tmp_path, monkeypatch):
    assert tmp_path in home.parents
    with compiled.kept():
        compile_one("a", "whole")
    again(monkeypatch)
    with compiled.kept():
        assert (used() / "a-cache").read_text() == "whole"
    assert [path.name for path in home.iterdir()] == ["a-cache"]


def test_runs_at_the_same_time_do_not_meet(home, monkeypatch):
    with compiled.kept():
        first = used()
        compile_one("a", "half")
        again(monkeypatch)
        with compiled.kept():
            assert used() != first
            assert not (used() / "a-cache").exists()
            compile_one("a", "whole")
        assert (home / "a-cache").read_text() == "whole"
        (first / "a-cache").write_text("whole")
    assert (home / "a-cache").read_text() == "whole"
    assert [path.name for path in home.iterdir()] == ["a-cache"]


@pytest.mark.parametrize(("error", "left"), [(KeyboardInterrupt(), []), (InputError("one file of many"), ["a-cache"])], ids=repr)
def test_an_interrupted_run_keeps_nothing(home, error, left):
    def fail():
        with compiled.kept():
            compile_one("a", "half or whole")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert [path.name for path in home.iterdir()] == left


def test_does_not_grow_for_ever(home, monkeypatch):
    home.mkdir(parents=True)
    for age, name in enumerate(("new", "old")):
        (home / f"{name}-cache").write_bytes(bytes(60))
        os.utime(home / f"{name}-cache", (time.time() - 100 * age,) * 2)
    for age, name in ((0, "run-busy"), (1e6, "run-killed")):
        (home / name).mkdir()
        os.utime(home / name, (time.time() - age,) * 2)
    monkeypatch.setattr(compiled, "_LARGEST", 100)
    with compiled.kept():
        pass
    assert sorted(path.name for path in home.iterdir()) == ["new-cache", "run-busy"]


@pytest.mark.parametrize(("variable", "value"), [(compiled.VARIABLE, "off"), ("JAX_COMPILATION_CACHE_DIR", "/elsewhere")])
def test_the_users_word_holds(home, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    before = dict(os.environ)
    with compiled.kept():
        assert dict(os.environ) == before
    assert not home.exists()


def test_a_folder_that_cannot_be_written_to_is_no_failure(home, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(compiled.VARIABLE, str(tmp_path / "file"))
    with compiled.kept():
        assert "JAX_COMPILATION_CACHE_DIR" not in os.environ
