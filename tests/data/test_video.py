"""Videos in files: probing, frames in and out, pieces and their joining, without any network."""

import re
import sys
from fractions import Fraction

import numpy as np
import pytest

from jaxrestore.data.video import ffmpeg, pieces
from jaxrestore.data.video.encode import choose_encoding
from jaxrestore.data.video.frames import Damage, frames
from jaxrestore.data.video.join import join, keeps_rotation, what_is_carried
from jaxrestore.data.video.pieces import Pieces
from jaxrestore.data.video.probe import probe, turned
from jaxrestore.errors import InputError
from tests.data import clips

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "LENGTH", 4)


def copy(source, output, **options):
    """The whole way, with frames that are left as they are."""
    info = probe(source)
    info = info if keeps_rotation(info, output) else turned(info)
    encoding = choose_encoding(info, output, **options)
    carried = what_is_carried(info, encoding)
    made = Pieces(output, {})
    made.extend(frames(info), info, encoding)
    made.finish(lambda path: join(path, made.finished, info, encoding, carried))
    assert not made.folder.exists()
    return info, carried


def tagged(*values: str) -> tuple[str, str]:
    names = ("range", "colorspace", "color_primaries", "color_trc")
    return "-vf", "setparams=" + ":".join(f"{name}={value}" for name, value in zip(names, values, strict=True))


class TestColors:
    @pytest.mark.parametrize(
        ("suffix", "coding", "tags"),
        [
            (".mp4", H264, ("tv", "bt709", "bt709", "bt709")),
            (".mp4", ("-c:v", "libx264", "-pix_fmt", "yuv422p"), ("pc", "smpte170m", "bt470bg", "iec61966-2-1")),
            (".mov", ("-c:v", "libx265", "-pix_fmt", "yuv420p10le"), ("tv", "bt2020nc", "bt2020", "smpte2084")),
            (".mkv", ("-c:v", "libx265", "-pix_fmt", "yuv444p10le"), ("tv", "bt2020nc", "bt2020", "arib-std-b67")),
            (".webm", H264, ("tv", "bt709", "bt709", "bt709")),
        ],
    )
    def test_tags_and_what_they_mean_are_kept(self, tmp_path, suffix, coding, tags):
        source = clips.make(tmp_path / "a.mkv", *tagged(*tags), *coding, picture="gradients")
        output = tmp_path / f"b{suffix}"
        info, _ = copy(source, output)
        assert clips.tags(source) == clips.tags(output) == tags
        assert info.dtype == (np.uint16 if "10le" in coding[-1] else np.uint8)
        assert coding[-1].replace("yuv", "") in re.sub("yuvj?", "", clips.said(output))
        difference = np.abs(clips.pixels(source).astype(int) - clips.pixels(output))
        assert difference.mean() < 3  # the cost of coding, 1 to 2; another matrix or range would be ten times that

    @pytest.mark.parametrize("tags", [("tv", "bt709"), ("pc", "smpte170m"), ("tv", "unknown")], ids="-".join)
    @pytest.mark.parametrize("sampling", ["444", "420"])
    def test_the_way_to_rgb_and_back(self, tmp_path, tags, sampling):
        drawn = f"format=gbrp,scale=out_color_matrix={'bt709' if 'bt709' in tags else 'bt601'}:out_range={tags[0]},format=yuv{sampling}p"
        smooth = ("-vf", f"gblur=sigma=3,{drawn},setparams=range={tags[0]}:colorspace={tags[1]}", "-c:v", "ffv1")
        source = clips.make(tmp_path / "a.mkv", *smooth, frames=2, size="64x48")
        copy(source, tmp_path / "b.mp4", crf=0)  # of 8 bits this is lossless from YUV on
        before, after = (clips.stored(path).astype(int) for path in (source, tmp_path / "b.mp4"))
        luma = np.arange(before.shape[1]) < 64 * 48
        assert np.abs(before - after)[:, luma].max() <= (1 if sampling == "444" else 3)
        assert np.abs(before - after)[:, ~luma].max() <= (1 if sampling == "444" else 6)
        assert np.ptp(before[:, ~luma]) > 60

    @pytest.mark.parametrize("format", ["gray", "bgr0", "bgra", "yuv420p", "gbrp16le"])
    def test_lossless_is_bit_for_bit(self, tmp_path, format):
        source = clips.make(tmp_path / "a.mkv", "-c:v", "ffv1", "-pix_fmt", format)
        info, _ = copy(source, tmp_path / "b.mkv", lossless=True)
        layout = {"gray": "gray", "bgra": "rgba", "gbrp16le": "rgb48le"}.get(format, "rgb24")
        expected = clips.pixels(source, layout)
        assert len(expected) == 10
        np.testing.assert_array_equal(clips.pixels(tmp_path / "b.mkv", layout), expected)
        assert expected.shape[1:] == (info.height, info.width, info.channels)


class TestTimes:
    @pytest.mark.parametrize("rate", ["25", "30000/1001", "12"])
    @pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
    def test_frame_rate(self, tmp_path, rate, suffix):
        source = clips.make(tmp_path / "a.mp4", *H264, rate=rate)
        copy(source, tmp_path / f"b{suffix}")
        assert Fraction(clips.rate(tmp_path / f"b{suffix}")) == Fraction(rate)
        tick = 0 if suffix == ".mp4" else 0.0005001  # Matroska's clock ticks in milliseconds
        np.testing.assert_allclose(clips.times(tmp_path / f"b{suffix}"), clips.times(source), atol=tick, rtol=0)

    def test_variable_rate(self, tmp_path):
        uneven = ("-vf", "select='not(mod(n\\,3))+not(mod(n\\,4))'", "-fps_mode", "vfr")
        source = clips.make(tmp_path / "a.mp4", *uneven, *H264)
        copy(source, tmp_path / "b.mp4")
        assert len({round(step, 3) for step in np.diff(clips.times(source))}) > 1
        assert clips.times(tmp_path / "b.mp4") == clips.times(source)

    def test_a_clock_that_begins_late_and_sound_that_begins_before(self, tmp_path):
        late = ("-f", "lavfi", "-i", "sine=sample_rate=16000:duration=0.5", "-itsoffset", "0.36")
        picture = ("-f", "lavfi", "-i", "testsrc=size=32x24:rate=25:duration=0.4", "-map", "0", "-map", "1")
        clips.ffmpeg(*late, *picture, *H264, "-c:a", "mp2", tmp_path / "a.ts")
        copy(tmp_path / "a.ts", tmp_path / "b.mp4")
        assert clips.packets(tmp_path / "b.mp4", "0:a") == clips.packets(tmp_path / "a.ts", "0:a")
        lags = [clips.times(tmp_path / name)[0] - clips.first_packet(tmp_path / name, "0:a") for name in ("a.ts", "b.mp4")]
        assert lags[0] > 0.3
        assert abs(lags[0] - lags[1]) < 1e-4


class TestWhatElseAFileHolds:
    def test_sound_subtitles_chapters_and_title(self, tmp_path):
        (tmp_path / "text.srt").write_text("1\n00:00:00,000 --> 00:00:00,200\nhello\n\n")
        (tmp_path / "tags.txt").write_text(";FFMETADATA1\ntitle=holiday\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=beach\n")
        clips.make(tmp_path / "plain.mkv", *H264, "-c:a", "aac", sound=True)
        inputs = ("-i", tmp_path / "plain.mkv", "-i", tmp_path / "text.srt", "-i", tmp_path / "tags.txt")
        clips.ffmpeg(*inputs, "-map", "0", "-map", "1", "-map_metadata", "2", "-c", "copy", "-c:s", "srt", tmp_path / "a.mkv")
        for suffix, subtitles in ((".mkv", "subrip"), (".mp4", "mov_text")):
            output = tmp_path / f"b{suffix}"
            copy(tmp_path / "a.mkv", output)
            assert clips.packets(output, "0:a") == clips.packets(tmp_path / "a.mkv", "0:a")
            said = clips.said(output)
            for part in (f"Subtitle: {subtitles}", "holiday", "beach"):
                assert part in said
            assert b"hello" in clips.ffmpeg("-i", output, "-map", "0:s", "-f", "srt", "-").stdout

    def test_what_cannot_be_held(self, tmp_path):
        clips.make(tmp_path / "a.mkv", *H264, "-c:a", "pcm_s16le", sound=True)
        with pytest.raises(InputError, match=r"sound in pcm_s16le, which webm cannot hold: name an .mkv"):
            copy(tmp_path / "a.mkv", tmp_path / "b.webm")
        assert {path.name for path in tmp_path.iterdir()} == {"a.mkv"}

    def test_shape_of_pixels(self, tmp_path):
        source = clips.make(tmp_path / "a.mp4", "-vf", "setsar=16/15", *H264)
        copy(source, tmp_path / "b.mp4")
        assert "SAR 16:15" in clips.said(tmp_path / "b.mp4")

    @pytest.mark.parametrize(
        "turn", ["-display_rotation 90", "-display_rotation 180", "-display_hflip", "-display_rotation -90 -display_vflip"]
    )
    @pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
    def test_frames_are_seen_as_before(self, tmp_path, turn, suffix):
        clips.make(tmp_path / "plain.mp4", *H264, frames=1, picture="gradients=seed=1")
        arguments = turn.split()
        clips.ffmpeg(*arguments, "-i", tmp_path / "plain.mp4", "-c", "copy", tmp_path / "a.mp4")
        output = tmp_path / f"b{suffix}"
        copy(tmp_path / "a.mp4", output)
        before, after = clips.upright(tmp_path / "a.mp4"), clips.upright(output)
        assert before.shape == after.shape
        assert np.abs(before.astype(int) - after).mean() < 3
        plain_turn = suffix == ".mp4" and "flip" not in turn
        assert ("rotation of" in clips.said(output)) == plain_turn  # a turn stays a tag where the format has one


class TestFrames:
    def test_any_start_gives_the_same_frames(self, tmp_path):
        info = probe(clips.make(tmp_path / "a.mp4", *H264, "-g", 5, "-bf", 2))
        whole = list(frames(info))
        np.testing.assert_array_equal(np.stack([frame.pixels for frame in whole]), clips.pixels(info.path))
        for first in (1, 7, 10):
            part = list(frames(info, first=first))
            assert [f.time for f in part] == [f.time for f in whole[first:]]
            assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(part, whole[first:], strict=True))

    def test_damage_is_told_and_the_rest_decoded(self, tmp_path):
        whole = clips.make(tmp_path / "a.mkv", *H264, frames=60, size="160x120", picture="testsrc2").read_bytes()
        holes = bytearray(whole)
        for place in range(5000, len(holes), 5000):
            holes[place : place + 30] = bytes(30)
        for name, content, reason in (
            ("a", whole, None),
            ("cut", whole[: 6 * len(whole) // 10], "of 2.4 seconds"),
            ("holes", holes, "it is damaged"),
        ):
            (tmp_path / f"{name}.mkv").write_bytes(content)
            info, damage = probe(tmp_path / f"{name}.mkv"), Damage()
            count = sum(1 for _ in frames(info, damage=damage))
            message = damage.message(info)
            assert message is None if reason is None else reason in message, (name, message)
            assert {"a": count == 60, "cut": 15 < count < 50, "holes": 15 < count <= 60}[name], (name, count)

    def test_interlaced_frames_are_told(self, tmp_path):
        source = clips.make(tmp_path / "a.mkv", "-vf", "setfield=tff", *H264, "-flags", "+ildct+ilme", frames=2)
        assert "interlaced" in probe(source).notes[0]
        assert probe(clips.make(tmp_path / "b.mkv", *H264, frames=2)).notes == ()

    def test_leaving_early_ends_ffmpeg(self, tmp_path):
        started = []
        original = ffmpeg.subprocess.Popen

        def popen(*arguments, **options):
            started.append(original(*arguments, **options))
            return started[-1]

        info = probe(clips.make(tmp_path / "a.mp4", *H264, frames=30))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ffmpeg.subprocess, "Popen", popen)
            some = frames(info)
            next(some)
            some.close()
        assert [process.poll() is not None for process in started] == [True]

    @pytest.mark.parametrize("size", ["33x24", "32x17", "17x17"])
    def test_odd_sizes(self, tmp_path, size):
        source = clips.make(tmp_path / "a.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv420p", size=size, frames=2)
        copy(source, tmp_path / "b.mp4")
        assert clips.size(tmp_path / "b.mp4") == clips.size(source)


class TestBadInput:
    def test_files_that_are_no_videos(self, tmp_path):
        (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
        (tmp_path / "empty.mp4").write_bytes(b"")
        (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n")
        whole = clips.make(tmp_path / "whole.mp4", *H264).read_bytes()
        (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
        clips.ffmpeg("-f", "lavfi", "-i", "sine=duration=0.1", tmp_path / "sound.m4a")
        for name in ("junk", "empty", "list", "half"):
            with pytest.raises(InputError, match=f"{name}.mp4 is not a video that can be decoded: ") as caught:
                probe(tmp_path / f"{name}.mp4")
            assert "\n" not in str(caught.value)
        with pytest.raises(InputError, match=r"sound.m4a holds no video: it has audio only"):
            probe(tmp_path / "sound.m4a")
        with pytest.raises(InputError, match=r"absent.mp4 does not exist"):
            probe(tmp_path / "absent.mp4")
        with pytest.raises(InputError, match="frames of 32x24 pixels, and the limit"):
            probe(tmp_path / "whole.mp4", max_pixels=100)

    def test_outputs(self, tmp_path):
        info = probe(clips.make(tmp_path / "a.mkv", "-c:v", "ffv1", "-pix_fmt", "bgra", frames=1))
        for name, options, reason in [
            ("b.xyz", {}, "suffix '.xyz' is none of .mp4"),
            ("b.mp4", {}, "has transparency"),
            ("b.mp4", {"lossless": True}, "lossless video is written into .mkv only"),
            ("b.mkv", {"lossless": True, "crf": 3}, "exclude each other"),
        ]:
            with pytest.raises(InputError, match=re.escape(reason)):
                choose_encoding(info, tmp_path / name, **options)
        info = probe(clips.make(tmp_path / "a.mp4", *H264, frames=1))
        with pytest.raises(InputError, match=re.escape("--crf is 52: it must be 0 (best) to 51")):
            choose_encoding(info, tmp_path / "b.mp4", crf=52)

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="cannot be written"):
            Pieces(tmp_path / "file" / "b.mp4", {})

    def test_other_settings_are_refused(self, tmp_path):
        Pieces(tmp_path / "b.mp4", {"model": "a", "crf": 3})
        Pieces(tmp_path / "b.mp4", {"model": "a", "crf": 3})
        with pytest.raises(InputError, match=r"made with another crf \(3, now 4\): take the same again to go on, or remove the folder"):
            Pieces(tmp_path / "b.mp4", {"model": "a", "crf": 4})

    def test_without_ffmpeg(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
        ffmpeg.executable.cache_clear()
        with pytest.raises(InputError, match=r"install it with pip install 'jaxrestore\[video\]'"):
            ffmpeg.executable()
