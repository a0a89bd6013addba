"""Missing pixels, brush strokes and writing: rates, shapes against independent drawing, and agreement with their masks."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageDraw
from scipy import stats

from jaxrestore.degradations import font
from jaxrestore.degradations.batches import image_keys
from jaxrestore.degradations.missing import cover, missing, missing_mask
from jaxrestore.degradations.strokes import strokes, strokes_mask, walks
from jaxrestore.degradations.text import compose, text, text_mask
from jaxrestore.ops.segments import segments_distance
from tests.compiled import compiled

KEY = jax.random.key(9)
SIZE = (64, 96)
FINE = 8  # how much finer than the pixels the drawings are that are compared with


def test_missing_pixels_are_independent_and_have_their_rate():
    images = jnp.full((3, 120, 120, 3), 0.5)
    lost = np.asarray(compiled(partial(missing, fill=0.25))(KEY, images, jnp.asarray([0.0, 0.3, 1.0])))
    assert set(np.unique(lost[1])) == {0.25, 0.5}
    np.testing.assert_array_equal(lost[0], 0.5)
    np.testing.assert_array_equal(lost[2], 0.25)
    gone = lost[1] == 0.25
    assert (gone == gone[..., :1]).all()  # all channels together
    gone = gone[..., 0].astype(float)
    assert abs(gone.mean() - 0.3) < 5 * math.sqrt(0.3 * 0.7 / gone.size)
    for a, b in ((gone[1:], gone[:-1]), (gone[:, 1:], gone[:, :-1])):
        assert abs(np.mean((a - 0.3) * (b - 0.3))) < 5 * 0.3 * 0.7 / math.sqrt(a.size)


def test_a_mask_that_is_given():
    images = jax.random.uniform(KEY, (2, 3, 4, 3))
    mask = np.zeros((2, 3, 4, 1), bool)
    mask[1, 2, 0] = True
    covered = cover(KEY, images, mask, np.array([0.5, 0.75]))
    expected = np.array(images)
    expected[1, 2, 0] = 0.75
    np.testing.assert_array_equal(covered, expected)
    expected[0, 2, 0] = 0.75
    np.testing.assert_array_equal(cover(KEY, images, mask[1], 0.75), expected)


@pytest.mark.parametrize(
    ("degrade", "mask"),
    [
        (partial(strokes, fill=0.25), strokes_mask),
        (partial(text, fill=0.25, size=0.3), partial(text_mask, size=0.3)),
        (partial(missing, rate=0.4, fill=0.25), partial(missing_mask, rate=0.4)),
    ],
)
def test_agree_with_their_masks(degrade, mask):
    images = jax.random.uniform(KEY, (2, *SIZE, 3), minval=0.3)
    where = compiled(mask)(KEY, images)
    assert where.shape == (2, *SIZE, 1)
    np.testing.assert_array_equal(compiled(degrade)(KEY, images), np.where(where, np.float32(0.25), images))
    assert 0.01 < np.mean(where) < 0.7


def drawn(size, lines) -> np.ndarray:
    """The share of each pixel that lies under thick lines ((row, column) of both ends, radius), drawn by Pillow FINE times larger."""
    canvas = Picture.new("L", (size[1] * FINE, size[0] * FINE), 0)
    pen = ImageDraw.Draw(canvas)
    for (row, column), (row_end, column_end), radius in lines:
        ends = [(column * FINE, row * FINE), (column_end * FINE, row_end * FINE)]
        pen.line(ends, fill=255, width=round(2 * radius * FINE))
        for x, y in ends:
            r = radius * FINE
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return np.asarray(canvas).reshape(size[0], FINE, size[1], FINE).mean((1, 3)) / 255


def test_segments_by_hand():
    starts, ends = jnp.asarray([[2.5, 1.5], [0.5, 0.5]]), jnp.asarray([[2.5, 3.5], [0.5, 0.5]])
    distance = segments_distance((4, 6), starts, ends, jnp.asarray([1.0, -jnp.inf]))
    np.testing.assert_allclose(distance[2], [0.0, -1.0, -1.0, -1.0, 0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(distance[0, 5], math.hypot(2, 2) - 1, rtol=1e-6)
    assert np.isinf(segments_distance((2, 2), starts[1:], ends[1:], jnp.asarray([-jnp.inf]))).all()


def test_strokes_are_the_thick_lines_of_their_walks():
    geometry = dict(count=(1, 3), vertices=(4, 11), length=0.125, angle=(48.0, 96.0), width=(0.047, 0.156))
    images, keys = jnp.zeros((4, *SIZE, 3)), image_keys(KEY, jnp.arange(4))
    masks = np.asarray(compiled(strokes_mask)(KEY, images))[..., 0]
    lines = compiled(jax.vmap(lambda key: walks(key, SIZE, **geometry)))(keys)
    for mask, starts, ends, radii in zip(masks, *(np.asarray(part) for part in lines), strict=True):
        expected = drawn(SIZE, [line for line in zip(starts, ends, radii, strict=True) if np.isfinite(line[2])])
        assert np.mean(mask != (expected > 0.5)) < 0.004
        np.testing.assert_array_equal(mask[expected == 1.0], True)
        np.testing.assert_array_equal(mask[expected == 0.0], False)


def test_walks_have_the_published_distribution():
    geometry = dict(count=(1, 3), vertices=(4, 11), length=0.125, angle=(48.0, 96.0), width=(0.047, 0.156))
    many = compiled(jax.vmap(lambda key: walks(key, (256, 256), **geometry)))(jax.random.split(KEY, 2000))
    starts, ends, radii = (np.asarray(part).reshape(2000, 11, 3, *part.shape[2:]) for part in many)
    exists = np.isfinite(radii)
    count, pieces = exists.any(1).sum(1), exists.sum(1)
    for values, choices in ((count, range(1, 4)), (pieces[:, 0], range(4, 12))):
        counts = [np.sum(values == c) for c in choices]
        assert sum(counts) == 2000
        assert stats.chisquare(counts).pvalue > 1e-4
    np.testing.assert_array_equal(starts[:, 1:], ends[:, :-1])  # every piece begins where the last one ended
    width = 2 * radii[:, 0, 0]  # the first stroke is always drawn
    assert stats.kstest(width, stats.uniform(0.047 * 256, 0.109 * 256).cdf).pvalue > 1e-4
    assert stats.kstest(starts[:, 0, 0, 1], stats.uniform(0, 256).cdf).pvalue > 1e-4
    # Of pieces that do not touch the border: lengths N(1, 1/2) cut to 0..2 times diagonal / 8, angles 48..96 degrees to alternate sides.
    step = ends - starts
    inner = exists & (ends > 0).all(-1) & (ends < 256).all(-1)
    reach = np.hypot(step[..., 0], step[..., 1]) / (0.125 * 256 * math.sqrt(2))
    assert reach.max() <= 2 + 1e-5
    assert abs(np.mean(reach[exists] < 1e-6) - stats.norm.cdf(-2)) < 0.01
    angle = np.degrees(np.arctan2(step[..., 0], np.abs(step[..., 1])))[inner & (reach > 0.05)]
    assert np.abs(angle).min() > 48 - 0.2
    assert np.mean(angle > 0) == pytest.approx(0.5, abs=0.05)
    sides = np.sign(step[..., 0])[:, :, 0]
    both = inner[:, :-1, 0] & inner[:, 1:, 0] & (reach[:, :-1, 0] > 0.05) & (reach[:, 1:, 0] > 0.05)
    assert (sides[:, 1:] * sides[:, :-1])[both].max() == -1


def test_text_is_its_letters_written_along_its_lines():
    size, layout = (96, 160), dict(lines=(2, 3), letters=(3, 6), size=(0.15, 0.3), weight=(0.1, 0.2), angle=(-20.0, 20.0))
    mask = np.asarray(compiled(partial(text_mask, **layout))(KEY, jnp.zeros((*size, 1))))[..., 0]
    exists, (places, letters) = compose(KEY, size, **layout)
    lines = []
    for (row, column, unit, radius, turn, length), word in zip(np.asarray(places)[exists], np.asarray(letters)[exists], strict=True):
        right_and_down = np.array([[-math.sin(turn), math.cos(turn)], [math.cos(turn), math.sin(turn)]])  # as (row, column)
        for i, letter in enumerate(word[: int(length)]):
            for piece in font.segments(font.ALPHABET[letter]):
                x = (piece[:, 0] + 1 + (font.WIDTH + 2) * (i - length / 2)) * unit
                y = (piece[:, 1] - font.HEIGHT / 2) * unit
                ends = np.array([row, column]) + np.stack([x, y], 1) @ right_and_down
                lines.append((*ends, radius * unit))
    expected = drawn(size, lines)
    agree, either = mask & (expected > 0.5), mask | (expected > 0.5)
    assert agree.sum() / either.sum() > 0.95
    np.testing.assert_array_equal(mask[expected == 0.0], False)


def test_letters_are_all_different_and_inside_their_cell():
    shapes = font.distance_fields()
    assert len(font.ALPHABET) == 62
    assert len({(field < 0.5).tobytes() for field in shapes}) == 62
    for letter in font.ALPHABET:
        points = font.segments(letter).reshape(-1, 2)
        assert (points >= 0).all()
        assert (points <= [font.WIDTH, font.HEIGHT + 2]).all()


def test_text_has_its_distribution():
    layout = dict(lines=(0, 3), letters=(2, 5), size=(0.1, 0.3), weight=(0.1, 0.2), angle=(-30.0, 10.0))
    exists, (places, letters) = compiled(jax.vmap(lambda key: compose(key, (120, 80), **layout)))(jax.random.split(KEY, 2000))
    assert stats.chisquare(np.bincount(np.sum(exists, axis=1), minlength=4)).pvalue > 1e-4
    places = np.asarray(places)
    assert stats.chisquare(np.bincount(places[:, 0, 5].astype(int))[2:]).pvalue > 1e-4
    assert stats.chisquare(np.bincount(np.asarray(letters).ravel(), minlength=62)).pvalue > 1e-4
    for i, (low, high) in enumerate(((0, 120), (0, 80), (2, 6), (0.3, 0.6), (math.radians(-30), math.radians(10)))):
        assert stats.kstest(places[:, 0, i], stats.uniform(low, high - low).cdf).pvalue > 1e-4
