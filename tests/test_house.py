"""The house's rules: levels, style, light imports, a catalogue without gaps."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import jaxrestore
import jaxrestore.models
from jaxrestore.errors import InputError
from jaxrestore.models import catalogue

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_module_imports_only_from_the_levels_above_it():
    outcome = run(str(Path(sys.executable).parent / "lint-imports"))
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=["lint", "format"])
def test_style(command):
    outcome = run(str(Path(sys.executable).parent / "ruff"), *command, "--no-cache", ".")
    assert outcome.returncode == 0, outcome.stdout[-3000:]


def test_importing_it_imports_almost_nothing():
    code = "import sys, jaxrestore; print(*{'jax', 'flax', 'torch', 'tensorflow', 'cv2', 'grain', 'numpy'} & set(sys.modules))"
    assert run(sys.executable, "-c", code).stdout.strip() == ""


def test_inference_imports_no_data_pipeline_and_no_other_framework():
    code = (
        "import sys, jaxrestore; jaxrestore.Restorer, jaxrestore.list_models(), jaxrestore.load_weights; "
        "print(*[m for m in ('grain', 'tensorflow_datasets', 'torch', 'tensorflow', 'orbax') if m in sys.modules])"
    )
    outcome = run(sys.executable, "-c", code)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == ""


def test_every_public_name_resolves():
    for name in jaxrestore.__all__:
        assert getattr(jaxrestore, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = jaxrestore.nothing


def test_the_catalogue_names_every_card_where_it_is():
    cards = {}
    for module in pkgutil.walk_packages(jaxrestore.models.__path__, "jaxrestore.models."):
        for card in getattr(import_module(module.name), "CARDS", ()):
            cards[card.name] = module.name
    assert cards == {name: catalogue.model_card(name).module.__module__ for name in catalogue.list_models()}


def test_unknown_names_are_answered_with_near_ones():
    with pytest.raises(InputError, match="did you mean dncnn_gray"):
        catalogue.model_card("dncnn_grey")
    with pytest.raises(InputError, match="has no field 'deepth': its fields are depth"):
        catalogue.create_model("dncnn_gray", deepth=3)
    with pytest.raises(InputError, match="unknown task 'flying'"):
        catalogue.list_models("flying")
