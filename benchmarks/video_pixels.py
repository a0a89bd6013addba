"""What going through RGB and coding again costs a video that no network changes, and what pieces without B-frames cost in bytes.

`python -m benchmarks.video_pixels`
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import harness
from jaxrestore.data.video import ffmpeg
from jaxrestore.data.video.encode import choose_encoding, write_piece
from jaxrestore.data.video.frames import frames
from jaxrestore.data.video.probe import probe

PHOTOGRAPH = Path(__file__).parents[1] / "jaxrestore" / "cli" / "assets" / "coffee.jpg"
WIDTH, HEIGHT, FRAMES = 320, 240, 24
FORMATS = {"yuv420p": 255, "yuv422p": 255, "yuv444p": 255, "yuv420p10le": 1023, "yuv444p10le": 1023}


def main() -> None:
    """Write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, white in FORMATS.items():
            source = _clip(Path(folder) / f"{name}.mkv", name)
            info = probe(source)
            usual = choose_encoding(info, Path("b.mp4"))
            looking_ahead = tuple({"-bf": "-bf", "0": "3"}.get(a, a).replace("bframes=0:", "bframes=4:") for a in usual.arguments)
            ways = {
                "RGB and back, then FFV1": replace(usual, arguments=("-c:v", "ffv1")),
                usual.name: usual,
                f"{usual.name}, with B-frames": replace(usual, arguments=looking_ahead),
            }
            for way, encoding in ways.items():
                output = Path(folder) / "piece.mov"
                write_piece(output, frames(info), info, encoding)
                luma, color = (_psnr(a, b, white) for a, b in zip(_planes(source, white), _planes(output, white), strict=True))
                rows.append([name, way, luma, color, round(output.stat().st_size / 1000, 1)])
    notes = (
        f"{FRAMES} frames of {WIDTH}x{HEIGHT}, a slow zoom into the photograph of the demo, in BT.709 of the studio range. PSNR of the "
        "stored luma and colour values against the source's. Pieces are coded without B-frames, so that frames keep their times to the "
        "tick: that is what the last row of each source is for."
    )
    columns = ["source", "way", "luma dB", "colour dB", "kB"]
    harness.write("video_pixels", "What the way of a video costs", notes, columns, rows, {"ffmpeg": _version()})


def _version() -> str:
    with ffmpeg.Process(["-version"], stdout=True) as process:
        return process.stdout.readline().decode().split()[2]


def _clip(path: Path, name: str) -> Path:
    zoom = f"zoompan=z=1+0.01*on:d=1:s={WIDTH}x{HEIGHT}"
    to_yuv = f"scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd,format={name},setparams=range=tv:colorspace=bt709"
    picture = ("-loop", "1", "-i", ffmpeg.url(PHOTOGRAPH), "-frames:v", str(FRAMES), "-vf", f"scale=640:480,{zoom},{to_yuv}")
    well, _, reason = ffmpeg.run([*picture, "-c:v", "ffv1", ffmpeg.url(path)])
    if not well:
        raise SystemExit(reason)
    return path


def _planes(path: Path, white: int) -> tuple[np.ndarray, np.ndarray]:
    """Luma and colour, as stored."""
    with ffmpeg.Process(["-i", ffmpeg.url(path), "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"], stdout=True) as process:
        values = np.frombuffer(process.stdout.read(), np.uint8 if white == 255 else np.uint16).reshape(FRAMES, -1)
    return values[:, : WIDTH * HEIGHT], values[:, WIDTH * HEIGHT :]


def _psnr(a: np.ndarray, b: np.ndarray, white: int) -> float | str:
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return "no difference" if error == 0 else round(float(10 * np.log10(white**2 / error)), 1)


if __name__ == "__main__":
    main()
