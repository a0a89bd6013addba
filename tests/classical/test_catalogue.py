"""The catalogue of methods: complete, honest about what each needs, and its text says what is wrong with it."""

import inspect

import pytest

from jaxrestore.classical import catalogue
from jaxrestore.classical.catalogue import INPUTS, METHODS, TASKS, call, describe, list_methods, parse
from jaxrestore.errors import InputError
from jaxrestore.models.catalogue import list_models


@pytest.mark.parametrize("name", METHODS)
def test_a_line_says_what_its_function_is(name):
    method, parameters = METHODS[name], catalogue.parameters(name)
    assert method.task in TASKS
    assert method.summary
    assert "\n" not in method.summary
    required = tuple(n for n, p in parameters.items() if p.default is inspect.Parameter.empty)
    assert set(required) == set(method.needs) <= set(INPUTS)
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters.values())
    assert (inspect.getdoc(catalogue.function_of(name)) or "").strip()
    for line in describe(name):  # every default is a value that its text gives back
        argument, _, default = line.partition("=")
        if default.endswith(")"):
            text = default[default.index("(default ") + 9 : -1]
            value = parameters[argument].default
            assert value is None or parse(f"{name}:{argument}={text}").arguments[argument] == value


def test_names_are_not_those_of_networks():
    assert not set(METHODS) & set(list_models())


def test_tasks_divide_them():
    assert sorted(name for task in TASKS for name in list_methods(task)) == sorted(METHODS)
    with pytest.raises(InputError, match="unknown task 'flying'"):
        list_methods("flying")


def test_text_goes_round():
    made = parse("gaussian_filter:truncate=3; sigma_spatial = 2:padding=wrap")
    assert made == call("gaussian_filter", sigma_spatial=2, truncate=3, padding="wrap")
    assert str(made) == "gaussian_filter:sigma_spatial=2:truncate=3:padding=wrap"
    assert parse(str(made)) == made
    assert str(parse("gaussian_filter")) == "gaussian_filter"
    assert "padding=a word (default symmetric)" in describe("gaussian_filter")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not begin with a name"),
        ("gausian_filter", "unknown method: 'gausian_filter', did you mean gaussian_filter"),
        ("gaussian_filter:sigma=2", "unknown argument of gaussian_filter: 'sigma'; there are sigma_spatial, truncate, padding"),
        ("gaussian_filter:sigma_spatial", "gaussian_filter: 'sigma_spatial' is not argument=value"),
        ("gaussian_filter:padding=reflect:padding=zeros", "gaussian_filter: padding is given twice"),
        ("gaussian_filter:sigma_spatial=wide", "gaussian_filter: sigma_spatial is 'wide': it must be a number"),
        ("gaussian_filter:sigma_spatial=1..2", r"gaussian_filter: sigma_spatial is 1\.\.2: it must be a number"),
        ("gaussian_filter:padding=3", "gaussian_filter: padding is 3: it must be a word"),
    ],
)
def test_bad_text(text, message):
    with pytest.raises(InputError, match=message) as raised:
        parse(text)
    assert "\n" not in str(raised.value)
