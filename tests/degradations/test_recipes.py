"""The text of recipes: it means what it says, goes round, and says what is wrong with it."""

from fractions import Fraction

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxrestore.degradations import recipes
from jaxrestore.degradations.compose import chain
from jaxrestore.degradations.erase import erase
from jaxrestore.degradations.noise import gaussian, gaussian_blind
from jaxrestore.degradations.recipes import RECIPES, SCALES, STEPS, Recipe, parse, step
from jaxrestore.errors import InputError
from tests.compiled import compiled

KEY = jax.random.key(2)
IMAGES = np.random.default_rng(0).random((3, 16, 16, 3)).astype(np.float32)


def test_two_steps():
    recipe = parse("gaussian:sigma=25, erase : count = 3:size=0.1..0.3")
    assert recipe == Recipe((step("gaussian", sigma=25), step("erase", count=3, size=(0.1, 0.3))))
    assert str(recipe) == "gaussian:sigma=25,erase:count=3:size=0.1..0.3"
    assert parse("gaussian:sigma=25,erase:size=0.1..0.3;count=3") == recipe
    assert len({recipe, parse("gaussian:sigma=25.0,erase:count=3:size=.1...3")}) == 1


def test_is_the_degradations_it_names():
    key = jax.random.fold_in(KEY, 1)

    def by_hand(key, image):
        return chain(lambda k, x: gaussian(k, x, 25.0), lambda k, x: erase(k, x, count=3, size=(0.1, 0.3)))(key, image)

    recipe = parse("gaussian:sigma=25,erase:count=3:size=0.1..0.3")
    np.testing.assert_allclose(compiled(recipe)(KEY, IMAGES)[1], compiled(by_hand)(key, IMAGES[1]), atol=1e-6)
    ranged = compiled(parse("gaussian:sigma=0..55"))(KEY, IMAGES[0])
    np.testing.assert_array_equal(ranged, compiled(gaussian_blind)(jax.random.fold_in(KEY, 0), IMAGES[0]))


def test_a_range_is_drawn_for_each_image():
    noise = np.asarray(compiled(parse("gaussian:sigma=0..255"))(KEY, np.zeros((50, 16, 16, 1), np.float32)))
    levels = noise.std(axis=(1, 2, 3))
    assert levels.min() < 0.15
    assert levels.max() > 0.85


def test_named_recipes():
    assert not set(RECIPES) & set(STEPS)
    for name, text in RECIPES.items():
        assert parse(name) == parse(text)
        assert str(parse(text)) == text
        assert str(parse(f"{name},clip")) == f"{text},clip"
    assert parse("gaussian_blind") == Recipe((step("gaussian", sigma=(0, 55)),))
    assert [s.name for s in parse("edcnn").steps] == ["low_resolution", "gaussian", "erase", "clip"]


def test_scale():
    assert parse("gaussian:sigma=5").scale == 1
    assert parse("downsample").scale == Fraction(1, 4)
    assert parse("downsample:scale=2,gaussian:sigma=5,downsample:scale=3").scale == Fraction(1, 6)
    assert parse("edcnn").scale == 1
    required = {"sigma": 5.0, "peak": 30.0, "rate": 0.5, "sigma_long": 2.0, "sigma_short": 1.0, "cutoff": 2.0}
    required |= {"quality": 50.0, "width": 3.0, "radius": 2.0, "length": 5.0, "stops": 1.0, "factor": 0.5, "strength": 0.5}
    for name in STEPS:  # no step changes the size without saying so
        made = step(name, **{n: v for n, v in required.items() if n in recipes._parameters(name)})
        result = jax.eval_shape(made, KEY, jax.ShapeDtypeStruct((48, 64, 3), np.float32))
        assert result.shape == (48 * made.scale, 64 * made.scale, 3)
    assert set(SCALES) <= set(STEPS)


def level(low: float, high: float):
    number = st.one_of(st.floats(low, high, exclude_min=low == 0), st.integers(max(int(low), 1), max(int(high), 1)).map(float))
    return st.one_of(number, st.tuples(number, number).map(lambda ends: tuple(sorted(ends))))


counts = st.one_of(st.integers(0, 9), st.tuples(st.integers(0, 4), st.integers(5, 9)))
sizes = st.just(21)  # one, since every size is traced by itself
oriented = {"sigma_long": level(1e-3, 9), "sigma_short": level(1e-3, 9), "angle": level(-180, 180), "size": sizes}
arguments = {
    "gaussian": {"sigma": level(0, 1e5)},
    "gaussian_varying": {"sigma": level(0, 1e5), "cells": st.integers(1, 9)},
    "poisson": {"peak": level(1e-6, 1e5)},
    "poisson_gaussian": {"peak": level(1e-6, 1e5), "sigma": level(0, 1e5)},
    "speckle": {"sigma": level(0, 1e5)},
    "salt_and_pepper": {"rate": level(0, 1), "salt": level(0, 1)},
    "quantise": {"levels": st.integers(2, 65536)},
    "bit_depth": {"bits": st.integers(1, 16)},
    "dither_error_diffusion": {"levels": st.integers(2, 256)},
    "erase": {"count": counts, "size": level(1e-9, 1), "fill": level(0, 1)},
    "strokes": {
        "count": counts,
        "vertices": st.integers(1, 9),
        "length": st.floats(1e-3, 9),
        "angle": level(0, 360),
        "width": level(1e-9, 9),
        "fill": level(0, 1),
    },
    "text": {
        "lines": counts,
        "letters": st.integers(1, 9),
        "size": level(1e-9, 9),
        "weight": st.floats(1e-9, 0.3),
        "angle": level(0, 360),
        "fill": level(0, 1),
    },
    "missing": {"rate": level(0, 1), "fill": level(0, 1)},
    "moire": {"pitch": level(0.5, 1), "angle": level(0, 45), "perspective": st.floats(0, 0.5), "aperture": level(1e-9, 4)},
    "rain": {"rate": level(0, 1), "length": level(0, 99), "width": level(1e-9, 99), "angle": level(0, 90), "opacity": level(0, 1)},
    "haze": {"beta": level(0, 99), "airlight": level(0, 1)},
    "grain": {"sigma": level(0, 1e5), "size": st.floats(0, 16)},
    "scratches": {"lines": counts, "dust": counts, "folds": counts, "opacity": level(0, 1)},
    "fading": {"color": level(0, 1), "contrast": level(0, 1), "yellowing": level(0, 1)},
    "gaussian_blur": {"sigma": level(0, 9), "size": sizes},
    "anisotropic_blur": oriented,
    "generalised_gaussian_blur": oriented | {"shape": level(0.1, 9)},
    "plateau_blur": oriented | {"shape": level(0.1, 9)},
    "sinc_blur": {"cutoff": level(0, 3), "size": sizes},
    "box_blur": {"width": level(0, 9), "size": sizes},
    "defocus": {"radius": level(0, 9), "size": sizes},
    "motion_blur": {"length": level(0, 30), "angle": level(-180, 180), "size": sizes},
    "camera_shake": {"length": level(0, 30), "tremor": level(0, 9), "pull": level(0, 9), "jerks": level(0, 9), "size": sizes},
    "pixel_shift": {"down": level(-9, 9), "right": level(-9, 9)},
    "exposure": {"stops": level(-9, 9), "gamma": level(1, 3)},
    "contrast": {"factor": level(0, 9), "pivot": level(0, 1)},
    "vignetting": {"strength": st.floats(0, 0.99)},
    "gopro_noise": {"split": st.sampled_from(("train", "test"))},
    "div2k": {"track": st.sampled_from(("unknown", "mild", "difficult", "wild")), "scale": st.integers(1, 9)},
    "bsrgan": {"scale": st.integers(2, 4)},
    "real_esrgan": {"scale": st.integers(2, 4)},
    "downsample": {"scale": st.integers(1, 9), "kind": st.sampled_from(["bicubic", "area", "nearest"])},
    "low_resolution": {"scale": st.integers(1, 9)},
    "jpeg": {"quality": level(1, 100), "subsampling": st.sampled_from([420, 444])},
    "clip": {},
}
described_steps = st.sampled_from(sorted(arguments)).flatmap(lambda name: st.tuples(st.just(name), st.fixed_dictionaries(arguments[name])))


@settings(deadline=None, max_examples=25)
@given(st.lists(described_steps, min_size=1, max_size=4))
def test_text_goes_round(described):
    recipe = Recipe(tuple(step(name, **given) for name, given in described))
    again = parse(str(recipe))
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert str(again) == str(recipe)


def test_the_round_trip_covers_every_step():
    assert set(arguments) == set(STEPS)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="gausin:=,;.0123456789-e clp|\n", max_size=30))
def test_any_other_text_is_refused_in_one_line(text: str):
    refusal = None
    try:
        parse(text)
    except InputError as error:
        refusal = str(error)
    assert refusal is None or "\n" not in refusal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty step"),
        ("gaussian:sigma=25,", "empty step"),
        ("gaussian:sigma=25,blurr:sigma=40", "unknown step: 'blurr', did you mean box_blur.* there are gaussian, "),
        ("gausian:sigma=25", "unknown step: 'gausian', did you mean gaussian or gaussian_blur"),
        ("edcn", "did you mean edcnn"),
        ("edcnn:scale=2", "edcnn is a recipe"),
        ("gaussian:sigm=25", "unknown argument of gaussian: 'sigm', did you mean sigma"),
        ("clip:low=0", "unknown argument of clip: 'low'; there is none"),
        ("gaussian", "gaussian needs sigma: write gaussian:sigma="),
        ("gaussian:25", "gaussian: '25' is not argument=value"),
        ("gaussian:sigma=", "gaussian: 'sigma=' is not argument=value"),
        ("gaussian:sigma=1:sigma=2", "gaussian: sigma is given twice"),
        ("gaussian:sigma=loud", "gaussian: sigma is 'loud': it must be a number or low..high"),
        ("gaussian:sigma=0..", r"gaussian: sigma is '0\.\.': an interval is low\.\.high"),
        ("gaussian:sigma=-1", "gaussian: sigma is -1: it must be at least 0"),
        ("gaussian:sigma=0..-1", r"gaussian: sigma is 0\.\.-1: its lower end comes first"),
        ("gaussian:sigma=-1..5", "gaussian: sigma is -1: it must be at least 0"),
        ("salt_and_pepper:rate=0..2", r"salt_and_pepper: rate is 2: it must be in 0\.\.1"),
        ("gaussian:sigma=nan", "sigma is nan"),
        ("gaussian:sigma=inf", "sigma is inf: it must be at least 0 and finite"),
        ("downsample:scale=2..4", r"downsample: scale is 2\.\.4: it must be a whole number"),
        ("downsample:scale=2.5", "downsample: scale is 2.5: it must be a whole number"),
        ("strokes:length=0.1..0.2", r"strokes: length is 0\.1\.\.0\.2: it must be a number"),
        ("gopro_noise:split=none", "gopro_noise: split is 'none': it must be train or test"),
        ("gopro_noise:split=3", "gopro_noise: split is 3: it must be train or test"),
        ("erase:count=1.5", "erase: count is 1.5: it must be a whole number or low"),
        ("erase:size=0.1..1.5", "erase: size is 1.5: it must be greater than 0 and at most 1"),
    ],
)
def test_bad_text(text: str, message: str):
    with pytest.raises(InputError, match=message) as raised:
        parse(text)
    assert "\n" not in str(raised.value)


def test_describes_everything():
    text = recipes.describe()
    for name in [*STEPS, *RECIPES]:
        assert f"\n  {name}: " in text
    assert "      sigma=a number or low..high\n" in text
    assert "      size=a number or low..high (default 0.1..0.3)\n" in text
