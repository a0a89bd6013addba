"""The video U-Net: frames in time, missing ones, and what it may not look at."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.video_unet import VideoUNet, fill_in_time
from jaxrestore.nn.initialise import initialise
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_every_parameter_learns

SMALL = VideoUNet((4, 5))
VIDEO = np.random.default_rng(0).random((2, 4, 5, 7, 3), np.float32)
MISSING = np.array([[False, True, True, False], [True, False, False, True]])


def test_missing_frames_lie_between_their_neighbours():
    frames = np.array([1.0, 9.0, 9.0, 4.0, 9.0]).reshape(1, 5, 1, 1, 1) * np.ones((3, 1, 2, 2, 1))
    missing = np.array([[0, 1, 1, 0, 1], [1, 1, 0, 1, 1], [1, 1, 1, 1, 1]], bool)
    filled = fill_in_time(jnp.asarray(frames, jnp.float32), missing)
    np.testing.assert_allclose(filled[:, :, 0, 0, 0], [[1, 2, 3, 4, 4], [9, 9, 9, 9, 9], [0.5] * 5], atol=1e-6)


def test_alone_as_together():
    restored = check_alone_as_together(SMALL, (VIDEO, MISSING))
    assert restored.shape == VIDEO.shape
    check_alone_as_together(SMALL, (VIDEO,))


def test_every_parameter_learns():
    check_every_parameter_learns(SMALL, (VIDEO, MISSING))


def test_what_a_missing_frame_holds_does_not_matter():
    variables = initialise(SMALL, jax.random.key(0), VIDEO, MISSING)
    restore = compiled(SMALL.apply)
    other = np.where(MISSING[:, :, None, None, None], 7.0, VIDEO).astype(np.float32)
    restored = restore(variables, VIDEO, MISSING)
    np.testing.assert_array_equal(restored, restore(variables, other, MISSING))
    assert np.abs(restored - restore(variables, VIDEO, ~MISSING)).max() > 1e-3
    # Each of the frames that are there is looked at by each missing one.
    told = compiled(jax.grad(lambda video: jnp.sum(SMALL.apply(variables, video, MISSING)[0, 1])))(VIDEO)
    assert np.abs(told[0]).max((1, 2, 3)).astype(bool).tolist() == [True, False, False, True]
    assert not told[1].any()


def test_shifts_with_its_input():
    variables = initialise(SMALL, jax.random.key(0), VIDEO)
    video = np.pad(np.random.default_rng(1).random((1, 3, 8, 8, 3), np.float32), ((0, 0), (0, 0), (16, 16), (16, 16), (0, 0)))
    restore = compiled(SMALL.apply)
    moved = restore(variables, np.roll(video, (2, 4), (2, 3)))
    np.testing.assert_allclose(moved[:, :, 8:-4, 8:-4], np.roll(restore(variables, video), (2, 4), (2, 3))[:, :, 8:-4, 8:-4], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((VIDEO[0],), r"video has the shape \(4, 5, 7, 3\)"),
        ((VIDEO, MISSING[:1]), r"frame_mask has the shape \(1, 4\): it must be \(2, 4\)"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        SMALL.init(jax.random.key(0), *arguments)
