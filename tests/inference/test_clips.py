"""Networks that take several frames at once: clips give what the whole video gives, from wherever a run goes on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.data.images import from_float, to_float
from jaxrestore.inference.clips import ClipRestorer, restored_clips, restored_clips_ahead, takes_clips, where_to_read
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.restoration.video_unet import VideoUNet
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import save_weights
from tests.cli.command import refused_in_one_line, run
from tests.compiled import compiled

SMALL = VideoUNet((3,))


@pytest.fixture(scope="module")
def variables():
    drawn = initialise(SMALL, jax.random.key(0), *SMALL.example_inputs)
    return jax.tree.map(lambda leaf: np.asarray(3 * leaf), drawn)


@pytest.fixture(scope="module")
def video() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 9, 12, 3), np.uint8)


@pytest.fixture(scope="module")
def expected(variables, video) -> np.ndarray:
    return np.asarray(compiled(SMALL.apply)(variables, to_float(video)[None]))[0]


@pytest.mark.parametrize(("halo", "step"), [(0, 1), (1, 1), (1, 4), (3, 2), (3, 6)])
def test_every_frame_is_seen_with_its_neighbours(halo, step):
    for count in range(1, 30):
        clips = []

        def restore(clip, clips=clips):
            clips.append(tuple(clip))
            return [(frame, clip[0], clip[-1]) for frame in clip]

        whole = list(restored_clips(range(count), restore, halo, step))
        assert [frame for frame, _, _ in whole] == list(range(count))
        for frame, begin, end in whole:
            assert begin <= max(frame - halo, 0)
            assert end >= min(frame + halo, count - 1)
        assert {len(clip) for clip in clips} == {min(count, step + 2 * halo)}  # one program for all
        for first in range(count):
            start = where_to_read(first, halo, step)
            assert list(restored_clips(range(start, count), restore, halo, step, first)) == whole[first:]


def test_an_error_ends_the_reading():
    closed = []

    def frames():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    def restore(clip):
        if 7 in clip:
            raise ValueError("too large")
        return clip

    made = restored_clips_ahead(frames(), restore, 1, 2)
    with pytest.raises(ValueError, match="too large"):
        list(made)
    assert closed == [True]


def test_a_network_says_how_many_frames_it_sees():
    model = VideoUNet((2, 3))
    seen, count = model.frames_seen, 2 * model.frames_seen + 5
    video = np.random.default_rng(1).random((1, count, 4, 4, 3), np.float32)
    variables = initialise(model, jax.random.key(0), video)
    variables = jax.tree.map(lambda leaf: jnp.abs(leaf) + 0.01, variables)  # so that no ReLU hides a frame
    apply = compiled(model.apply)
    other = video.copy()
    other[:, count // 2] += 0.5
    changed = np.abs(apply(variables, other) - apply(variables, video)).max((0, 2, 3, 4)) > 0
    np.testing.assert_array_equal(changed, np.abs(np.arange(count) - count // 2) <= seen)
    assert takes_clips(model)
    assert not takes_clips(DnCNN())


def test_clips_give_what_the_whole_video_gives(variables, video, expected):
    for tile in ("auto", 12):  # tiles of all frames, with what they need around them
        restorer = ClipRestorer("small", SMALL, variables, tile)
        made = np.stack(list(restored_clips(list(video), restorer, restorer.halo, restorer.step)))
        assert restorer.step + 2 * restorer.halo < len(video)
        difference = np.abs(made.astype(int) - from_float(expected, np.dtype(np.uint8)))
        assert difference.max() <= 1  # rounded from float noise apart
        assert (difference > 0).mean() < 1e-3
    assert np.abs(made.astype(int) - video).max() > 20


def test_any_channels(variables, video):
    restorer = ClipRestorer("small", SMALL, variables)
    grey = video[:4, ..., :1]
    in_color = np.asarray(compiled(SMALL.apply)(variables, to_float(np.repeat(grey, 3, -1))[None]))[0].mean(-1, keepdims=True)
    assert np.abs(np.stack(restorer(list(grey))).astype(int) - from_float(in_color, np.dtype(np.uint8))).max() <= 1
    alpha = np.random.default_rng(2).integers(0, 256, (4, 9, 12, 1), np.uint8)
    transparent = np.stack(restorer(list(np.concatenate([video[:4], alpha], -1))))
    np.testing.assert_array_equal(transparent[..., 3:], alpha)
    np.testing.assert_array_equal(transparent[..., :3], np.stack(restorer(list(video[:4]))))


def test_the_command_restores_a_video(tmp_path, capsys, variables):
    from tests.data import clips

    save_weights(tmp_path / "small.safetensors", variables, SMALL)
    source = clips.make(tmp_path / "clip.mkv", "-c:v", "ffv1", "-pix_fmt", "bgr0", size="12x10", frames=15)
    arguments = ["restore", source, "-o", tmp_path / "out.mkv", "--weights", tmp_path / "small.safetensors"]
    run(*arguments, "--lossless")
    restored = np.asarray(compiled(SMALL.apply)(variables, to_float(clips.pixels(source))[None]))[0]
    difference = np.abs(clips.pixels(tmp_path / "out.mkv").astype(int) - from_float(restored, np.dtype(np.uint8)))
    assert difference.max() <= 1
    assert "VideoUNet takes no sigma" in refused_in_one_line(capsys, *arguments, "--sigma", 25)
    arguments[-2:] = ["--model", "video_unet"]
    assert "video_unet: the package ships no weights" in refused_in_one_line(capsys, *arguments)
