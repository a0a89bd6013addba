"""Scores of a set of images: per image and in the mean, of the restored images and of what they were restored from."""

import csv
import io
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jaxrestore.errors import InputError
from jaxrestore.metrics.conventions import Convention, Picture
from jaxrestore.metrics.psnr import psnr
from jaxrestore.metrics.ssim import ssim

if TYPE_CHECKING:
    import rich.console
    import rich.table

METRICS = ("psnr", "ssim")


@dataclass(frozen=True)
class ImageScores:
    """One image's scores.

    Attributes:
      name: the image's file name, or what else identifies it.
      psnr: of the restored image, in dB.
      ssim: of the restored image; None where its window does not fit into the image.
      input_psnr: of the degraded image; None where it has another size.
      input_ssim: likewise.
    """

    name: str
    psnr: float
    ssim: float | None = None
    input_psnr: float | None = None
    input_ssim: float | None = None


def score_image(name: str, restored: Picture, clean: Picture, degraded: Picture | None, convention: Convention) -> ImageScores:
    """Score one restored image, and the degraded one beside it where that is given.

    Raises:
      InputError: the images differ in shape, or do not suit the convention.
    """
    before = _scores(degraded, clean, convention) if degraded is not None else (None, None)
    return ImageScores(name, *_scores(restored, clean, convention), *before)


def _scores(image: Picture, clean: Picture, convention: Convention) -> tuple[float, float | None]:
    quality = float(psnr(image, clean, convention))
    try:
        return quality, float(ssim(image, clean, convention))
    except InputError:  # too small for the window: PSNR stands alone
        return quality, None


@dataclass(frozen=True)
class Report:
    """Scores of a set of images together with the convention and the protocol that they were measured with.

    Attributes:
      convention: how images were compared.
      images: scores in the order of evaluation.
      protocol: how the degraded images were made, ready for JSON: {"task": "denoise", "sigma": 25.0, "seed": 0}.
      failures: image -> why it could not be scored; such images are in no mean.
      notes: what a reader of the numbers should know.
    """

    convention: Convention
    images: tuple[ImageScores, ...]
    protocol: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    failures: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()

    @property
    def mean(self) -> dict[str, float | None]:
        """Mean scores of the restored images: the mean of the images' values, as the literature's tables have it."""
        return {metric: self._mean(metric) for metric in METRICS}

    @property
    def input(self) -> dict[str, float | None]:
        """Mean scores of the degraded images."""
        return {metric: self._mean(f"input_{metric}") for metric in METRICS}

    @property
    def gain(self) -> dict[str, float | None]:
        """What restoring adds to the mean scores."""
        after, before = self.mean, self.input
        return {m: after[m] - before[m] if after[m] is not None and before[m] is not None else None for m in METRICS}

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and which means are over fewer images than were scored."""
        counts = {title: sum(getattr(image, column) is not None for image in self.images) for column, title in _COLUMNS.items()}
        fewer = [f"mean {title} is over {n} of {len(self.images)} images" for title, n in counts.items() if 0 < n < len(self.images)]
        return (*self.notes, *fewer)

    def as_dict(self) -> dict[str, Any]:
        """The whole report as plain numbers, strings, lists and dictionaries."""
        return {
            "mean": self.mean,
            "input": self.input,
            "gain": self.gain,
            "convention": self.convention.as_dict(),
            "protocol": dict(self.protocol),
            "images": [vars(image) for image in self.images],
            "failures": [{"name": name, "reason": reason} for name, reason in self.failures.items()],
            "notes": list(self.remarks),
        }

    def to_json(self) -> str:
        """`as_dict` as JSON. An infinite PSNR, of an image restored exactly, becomes the string "inf": JSON has no number for it."""
        return json.dumps(_json_numbers(self.as_dict()), indent=2, allow_nan=False, ensure_ascii=False)

    def to_csv(self) -> str:
        """A row for each image and one for the mean; the last column repeats the convention, so that a row never loses it."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["name", *_COLUMNS, "convention"])
        for name, values in self._rows():
            writer.writerow([name, *("" if value is None else repr(value) for value in values), self.convention.name])
        return text.getvalue()

    def to_markdown(self) -> str:
        """A table for a README or an issue, with the convention under it."""
        lines = ["| image | " + " | ".join(_COLUMNS.values()) + " |", "|---|" + "--:|" * len(_COLUMNS)]
        for name, values in self._rows():
            escaped = name.replace("|", "\\|")
            lines.append(f"| {escaped} | " + " | ".join(self._cells(values)) + " |")
        return "\n".join([*lines, "", *self._footnotes()]) + "\n"

    def write(self, path: Path | str) -> None:
        """Write to a file whose suffix says how: .json, .csv or .md. The file appears whole or not at all.

        Raises:
          InputError: another suffix, or the folder does not exist.
        """
        path = Path(path)
        writers = {".json": self.to_json, ".csv": self.to_csv, ".md": self.to_markdown}
        if path.suffix not in writers:
            raise InputError(f"{path}: a report is written as {', '.join(writers)}; choose one of these suffixes")
        if not path.parent.is_dir():
            raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")
        _write_whole(path, writers[path.suffix]())

    def table(self) -> "rich.table.Table":
        """The report as a table for the terminal."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(caption="\n".join(map(escape, self._footnotes())), caption_justify="left")
        table.add_column("image")
        for title in _COLUMNS.values():
            table.add_column(title, justify="right")
        for name, values in self._rows():
            table.add_row(escape(name), *self._cells(values), style="bold" if name == "mean" else None)
        return table

    def print(self, console: "rich.console.Console | None" = None) -> None:
        """Print the table, to the standard output unless a console is given."""
        from rich.console import Console

        (console or Console()).print(self.table())

    def _mean(self, metric: str) -> float | None:
        values = [value for image in self.images if (value := getattr(image, metric)) is not None]
        return math.fsum(values) / len(values) if values else None

    def _rows(self) -> list[tuple[str, list[float | None]]]:
        rows = [(image.name, [getattr(image, column) for column in _COLUMNS]) for image in self.images]
        return [*rows, ("mean", [self._mean(column) for column in _COLUMNS])]

    def _cells(self, values: list[float | None]) -> list[str]:
        digits = (3 if column.endswith("psnr") else 4 for column in _COLUMNS)
        return ["" if value is None else f"{value:.{d}f}" for value, d in zip(values, digits, strict=True)]

    def _footnotes(self) -> list[str]:
        protocol = ", ".join(f"{key} {value}" for key, value in self.protocol.items())
        return [
            f"convention {self.convention.name}: {self.convention.description}",
            *([f"protocol: {protocol}"] if protocol else []),
            *self.remarks,
            *(f"not scored: {name}: {reason}" for name, reason in self.failures.items()),
        ]


_COLUMNS = {"input_psnr": "input PSNR (dB)", "input_ssim": "input SSIM", "psnr": "PSNR (dB)", "ssim": "SSIM"}


def _json_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _json_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_numbers(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
