"""`jaxrestore restore CLIP... -o OUT`: videos, file in and file out."""

import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from jaxrestore.data.video import SUFFIXES, WRITTEN
from jaxrestore.errors import InputError, is_out_of_memory

if TYPE_CHECKING:
    from jaxrestore.cli.restore import Restore
    from jaxrestore.inference import Restorer
    from jaxrestore.inference.clips import ClipRestorer


@dataclass(frozen=True)
class VideoOptions:
    """How videos are written (.mp4, .mov, .mkv, .webm): sound, subtitles, times and colour tags are kept."""

    crf: Annotated[int | None, arg(metavar="INT")] = None
    """For videos: quality, smaller is better and larger; by default 16 in H.264 (for 8 bits), 18 in HEVC (for more), 20 in VP9 (.webm)."""
    lossless: bool = False
    """For videos: keep every restored pixel bit for bit, in FFV1 with RGB pixels; the output must be an .mkv."""


def are_videos(inputs: Sequence[Path], output: Path) -> bool:
    """Whether a command is about videos, by the endings of the names.

    Raises:
      InputError: some are and some are not.
    """
    videos = [path for path in inputs if _videos(path)]
    others = [path for path in inputs if path not in videos]
    if output.suffix.lower() in WRITTEN and len(inputs) == 1 and not inputs[0].is_dir():
        return True
    if videos and others:
        raise InputError(f"{videos[0]} is a video and {others[0]} is not: restore videos by a command of their own")
    return bool(videos)


def _videos(path: Path) -> list[Path]:
    """The video itself, or those of a folder (not of its subfolders) without pictures."""
    if not path.is_dir():
        return [path] if path.suffix.lower() in SUFFIXES else []
    from jaxrestore.data.images import SUFFIXES as PICTURES

    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    return [] if any(file.suffix.lower() in PICTURES for file in files) else [f for f in files if f.suffix.lower() in SUFFIXES]


def restore_videos(command: "Restore") -> None:
    """Restore the videos of a command.

    Raises:
      InputError: something is wrong with the arguments, or with a video; other videos are restored all the same.
    """
    import jax

    from jaxrestore.cli.files import failure_line
    from jaxrestore.cli.networks import make_clip_restorer, make_restorer
    from jaxrestore.data.video import ffmpeg
    from jaxrestore.inference.inputs import read_mask, read_psf

    if command.spread is not None:
        raise InputError("--spread is for pictures: leave it out for videos")
    ffmpeg.executable()
    jobs = _plan(command.inputs, command.output, command.video.lossless)
    psf = None if command.psf is None else read_psf(command.psf)
    mask = None if command.mask is None else read_mask(command.mask)
    given = dict(sigma=command.sigma, quality=command.quality, scale=command.scale)
    beside = dict(psf=psf, mask=mask, **given)
    restorer = make_clip_restorer(command.model, command.weights, command.tile, command.memory, ensemble=command.ensemble, **beside)
    restorer = restorer or make_restorer(command.model, command.weights, command.tile, command.ensemble, command.memory, **beside)
    settings = {
        "device": jax.default_backend(),
        "ffmpeg": Path(ffmpeg.executable()).name,
        "model": restorer.name,
        "weights": _digest(restorer, psf, mask),
        "tile": str(command.tile),
        "memory": command.memory,
        "ensemble": command.ensemble,
        **given,
    }
    failures = []
    for source, target in jobs:
        try:
            _restore(source, target, restorer, settings, command)
        except (InputError, MemoryError, RuntimeError) as error:
            if not isinstance(error, InputError) and not is_out_of_memory(error):
                raise
            failures.append(failure_line(source, target, error))
    if failures and len(jobs) == 1:
        raise InputError(failures[0])
    for failure in failures:
        print(f"jaxrestore: {failure}", file=sys.stderr)
    if failures:
        raise InputError(f"{len(failures)} of {len(jobs)} videos failed, as listed; the others are done")


def _plan(inputs: Sequence[Path], output: Path, lossless: bool) -> list[tuple[Path, Path]]:
    into_folder = len(inputs) > 1 or inputs[0].is_dir() or output.is_dir() or not output.suffix
    if into_folder and output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file: several videos need a folder to go to")
    jobs = []
    for source in (video for path in inputs for video in (_videos(path) or [path])):
        name = source.name if source.suffix.lower() in WRITTEN and not lossless else f"{source.stem}.mkv"
        jobs.append((source, output / name if into_folder else output))
    twice = [target for target, count in Counter(target for _, target in jobs).items() if count > 1]
    if twice:
        raise InputError(f"two videos would be written to {twice[0]}: restore them one by one")
    sources = {source.resolve() for source, _ in jobs}
    for _, target in jobs:
        if target.resolve() in sources:
            raise InputError(f"{target} would overwrite an input: name another output")
    return jobs


def _restore(source: Path, target: Path, restorer: "Restorer | ClipRestorer", settings: dict[str, Any], command: "Restore") -> None:
    from jaxrestore.data.images import Picture
    from jaxrestore.data.video.encode import choose_encoding
    from jaxrestore.data.video.frames import Damage, Frame, frames
    from jaxrestore.data.video.join import join, keeps_rotation, what_is_carried
    from jaxrestore.data.video.pieces import LENGTH, Pieces
    from jaxrestore.data.video.probe import probe, turned
    from jaxrestore.inference.clips import ClipRestorer, restored_clips_ahead, where_to_read
    from jaxrestore.inference.video import restored

    info = probe(source, max_pixels=command.max_pixels)
    info = info if keeps_rotation(info, target) else turned(info)
    encoding = choose_encoding(info, target, restorer.scale, command.video.crf, command.video.lossless)
    carried = what_is_carried(info, encoding)
    file = source.stat()
    pieces = Pieces(
        target,
        {
            "source": [source.name, file.st_size, file.st_mtime_ns],
            **settings,
            "encoding": encoding.name,
            "frames in a piece": LENGTH,
        },
    )
    if pieces.count:
        print(f"{target}: going on after frame {pieces.count}", file=sys.stderr)
    damage = Damage()

    def restore(frame: Frame) -> Frame:
        return replace(frame, pixels=restorer.restore_picture(Picture(frame.pixels)).pixels)

    def restore_clip(clip: Sequence[Frame]) -> list[Frame]:
        made = restorer([frame.pixels for frame in clip])
        return [replace(frame, pixels=pixels) for frame, pixels in zip(clip, made, strict=True)]

    if isinstance(restorer, ClipRestorer):
        around = restorer.halo, restorer.step
        read = frames(info, first=where_to_read(pieces.count, *around), damage=damage)
        made = restored_clips_ahead(read, restore_clip, *around, pieces.count)
    else:
        made = restored(frames(info, first=pieces.count, damage=damage), restore)
    try:
        pieces.extend(_with_progress(made, pieces.count, info.frames_expected), info, encoding)
    except InputError:
        pieces.remove_if_empty()
        raise
    if not pieces.count:
        pieces.remove_if_empty()
        raise InputError(f"{source} holds no frame that can be decoded")
    count = pieces.count
    pieces.finish(lambda path: join(path, pieces.finished, info, encoding, carried))
    for stream in carried.left_out:
        print(f"{target}: left out a {stream.kind.lower()} stream ({stream.codec}) that {encoding.muxer} cannot hold", file=sys.stderr)
    for note in (*info.notes, damage.message(info)):
        if note is not None:
            print(f"{source}: {note}", file=sys.stderr)
    print(f"{count} frames restored with {restorer.name} -> {target} ({encoding.name})", file=sys.stderr)


def _with_progress(frames, done: int, expected: int | None):
    from jaxrestore.cli.files import progress_bar

    with progress_bar() as progress:
        task = progress.add_task("restoring", total=expected, completed=done)
        for frame in frames:
            yield frame
            progress.advance(task)


def _digest(restorer: "Restorer | ClipRestorer", *arrays: Any) -> str:
    """What tells these weights, kernels and masks from others."""
    import jax
    import numpy as np

    variables = [
        getattr(getattr(engine, "network", engine), "variables", {}) for engine in getattr(restorer.engine, "members", (restorer.engine,))
    ]
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves([variables, [array for array in arrays if array is not None]]):
        digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.hexdigest()[:16]
