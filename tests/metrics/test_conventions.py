"""The passport: names read back, every choice does what it says, the literature's defaults."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxrestore.errors import InputError
from jaxrestore.metrics import CONVENTIONS, Convention, convention_for
from jaxrestore.metrics.conventions import COLORS, WINDOWS

conventions = st.builds(
    Convention,
    color=st.sampled_from(sorted(COLORS)),
    border=st.integers(0, 99),
    rounding=st.booleans(),
    peak=st.sampled_from([1.0, 0.5, 219 / 255, 1e-3, 1e9]),
    window=st.sampled_from(sorted(WINDOWS)),
)


@settings(deadline=None, max_examples=50)
@given(conventions)
def test_name_reads_back(convention):
    assert Convention.parse(convention.name) == convention
    stored = json.loads(json.dumps(convention.as_dict()))
    assert Convention.parse(stored["name"]) == convention
    assert {"color", "border", "rounding", "peak", "window", "description"} < set(stored)


def test_names():
    assert Convention.parse("luma+border4+round8") == Convention("luma", border=4, rounding=True)
    assert Convention("rgb").name == "rgb"
    assert all(CONVENTIONS[name].name == name for name in CONVENTIONS)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("lab", "'lab' is not a colour"),
        ("", "'' is not a colour"),
        ("rgb+crop4", "'crop4' is unknown"),
        ("rgb+border-1", "'border-1' is unknown"),
        ("rgb+border2+border3", "second time"),
        ("rgb+peak0", "must be positive"),
    ],
)
def test_bad_names_are_refused_in_one_line(name, complaint):
    with pytest.raises(InputError, match=complaint) as error:
        Convention.parse(name)
    assert "\n" not in str(error.value)


def test_defaults_of_the_literature():
    assert convention_for("sr", 3).name == "luma+border3+round8"
    assert convention_for("super_resolution", 4) == convention_for("sr", 4)
    assert convention_for("denoise", channels=1).name == "gray"
    assert convention_for("denoising").name == "rgb"
    assert convention_for("jpeg").name == "luma+round8"
    with pytest.raises(InputError, match="task 'dehaze' is unknown"):
        convention_for("dehaze")


def test_prepare_rounds_converts_and_crops():
    image = np.zeros((6, 7, 3), np.float32)
    image[2, 3] = [1.7, 0.4 / 255, -0.5]  # red overflows, green rounds to 0
    prepared = Convention("luma", border=2, rounding=True).prepare(image)
    assert prepared.shape == (2, 3, 1)
    np.testing.assert_allclose(255.0 * prepared[0, :, 0], [16.0, 16.0 + 65.481, 16.0], rtol=1e-6)


def test_prepare_keeps_one_channel_as_it_is():
    image = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5, 1)
    for color in COLORS:
        np.testing.assert_array_equal(Convention(color).prepare(image), image)


def test_prepare_takes_integers_and_half_precision():
    picture = np.array([[[0], [51], [255]]], np.uint8)
    expected = np.array([[[0.0], [0.2], [1.0]]], np.float32)
    np.testing.assert_allclose(Convention().prepare(picture), expected, rtol=1e-6)
    np.testing.assert_allclose(Convention().prepare(picture.astype(np.uint16) * 257), expected, rtol=1e-6)
    assert Convention().prepare(jnp.asarray(expected, jnp.bfloat16)).dtype == jnp.float32
    with pytest.raises(InputError, match="int32"):
        Convention().prepare(picture.astype(np.int32))


def test_prepare_refuses_what_does_not_suit():
    with pytest.raises(InputError, match="nothing is left"):
        Convention(border=4).prepare(np.zeros((8, 20, 3), np.float32))
    with pytest.raises(InputError, match="1 or 3 channels"):
        Convention("luma").prepare(np.zeros((8, 8, 4), np.float32))
