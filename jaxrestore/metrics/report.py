"""Scores of a set of images: per image and in the mean, of the restored images and of what they were restored from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jaxrestore.metrics.conventions import Convention, Picture
from jaxrestore.metrics.measures import MEASURES, USUAL, Scores, measure
from jaxrestore.metrics.writing import cell, csv_text, json_text, markdown_table, mean_of, terminal_table, write_report

if TYPE_CHECKING:
    import rich.console
    import rich.table

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class ImageScores:
    """One image's scores.

    Attributes:
      name: the image's file name, or what else identifies it.
      restored: of the restored image, by name of the measure; None where one is not defined, as SSIM for an image smaller than its window.
      input: of the degraded image; empty where it has another size.
    """

    name: str
    restored: Scores
    input: Scores = field(default_factory=lambda: _NOTHING)

    @property
    def psnr(self) -> float | None:
        """Of the restored image, in dB."""
        return self.restored.get("psnr")

    @property
    def ssim(self) -> float | None:
        """Of the restored image."""
        return self.restored.get("ssim")

    @property
    def input_psnr(self) -> float | None:
        """Of the degraded image, in dB."""
        return self.input.get("psnr")

    @property
    def input_ssim(self) -> float | None:
        """Of the degraded image."""
        return self.input.get("ssim")


def score_image(
    name: str, restored: Picture, clean: Picture, degraded: Picture | None, convention: Convention, measures: Iterable[str] = USUAL
) -> ImageScores:
    """Score one restored image, and the degraded one beside it where that is given.

    Raises:
      InputError: the images differ in shape, do not suit the convention, or a measure is unknown.
    """
    measures = tuple(measures)
    before = measure(degraded, clean, convention, measures) if degraded is not None else _NOTHING
    return ImageScores(name, measure(restored, clean, convention, measures), before)


@dataclass(frozen=True)
class Report:
    """Scores of a set of images together with the convention and the protocol that they were measured with.

    Attributes:
      convention: how images were compared.
      images: scores in the order of evaluation.
      protocol: how the degraded images were made, ready for JSON: {"task": "denoise", "sigma": 25.0, "seed": 0}.
      failures: image -> why it could not be scored; such images are in no mean.
      notes: what a reader of the numbers should know.
      measures: what was measured, names of `MEASURES`, in the order of the columns.
    """

    convention: Convention
    images: tuple[ImageScores, ...]
    protocol: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    failures: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    measures: tuple[str, ...] = USUAL

    @property
    def mean(self) -> dict[str, float | None]:
        """Mean scores of the restored images: the mean of the images' values, as the literature's tables have it."""
        return {name: mean_of(image.restored.get(name) for image in self.images) for name in self.measures}

    @property
    def input(self) -> dict[str, float | None]:
        """Mean scores of the degraded images."""
        return {name: mean_of(image.input.get(name) for image in self.images) for name in self.measures}

    @property
    def gain(self) -> dict[str, float | None]:
        """What restoring adds to the mean scores; of errors it is negative where restoring helps."""
        after, before = self.mean, self.input
        return {m: after[m] - before[m] if after[m] is not None and before[m] is not None else None for m in self.measures}

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and which means are over fewer images than were scored."""
        total, remarks = len(self.images), list(self.notes)
        counts = {title: sum(self._row(image)[column] is not None for image in self.images) for column, title in self._titles.items()}
        remarks += [f"mean {title} is over {counted} of {total} images" for title, counted in counts.items() if 0 < counted < total]
        undefined = [MEASURES[name].title for name in self.measures if total and self.mean[name] is None]
        remarks += [f"not defined in this convention, or for images this small: {', '.join(undefined)}"] if undefined else []
        return tuple(remarks)

    def as_dict(self) -> dict[str, Any]:
        """The whole report as plain numbers, strings, lists and dictionaries."""
        return {
            "mean": self.mean,
            "input": self.input,
            "gain": self.gain,
            "convention": self.convention.as_dict(),
            "protocol": dict(self.protocol),
            "images": [{"name": image.name, **self._row(image)} for image in self.images],
            "failures": [{"name": name, "reason": reason} for name, reason in self.failures.items()],
            "notes": list(self.remarks),
        }

    def to_json(self) -> str:
        """`as_dict` as JSON. An infinite PSNR, of an image restored exactly, becomes the string "inf": JSON has no number for it."""
        return json_text(self.as_dict())

    def to_csv(self) -> str:
        """A row for each image and one for the mean; the last column repeats the convention, so that a row never loses it."""
        return csv_text(["name", *self._titles, "convention"], ([name, *values, self.convention.name] for name, values in self._rows()))

    def to_markdown(self) -> str:
        """A table for a README or an issue, with the convention under it."""
        table = markdown_table(["image", *self._titles.values()], self._cells(), len(self._titles))
        return "\n".join([table, "", *self._footnotes()]) + "\n"

    def write(self, path: Path | str) -> None:
        """Write to a file whose suffix says how: .json, .csv or .md. The file appears whole or not at all.

        Raises:
          InputError: another suffix, or the folder does not exist.
        """
        write_report(path, {".json": self.to_json, ".csv": self.to_csv, ".md": self.to_markdown})

    def table(self) -> "rich.table.Table":
        """The report as a table for the terminal."""
        return terminal_table(["image", *self._titles.values()], self._cells(), len(self._titles), self._footnotes())

    def print(self, console: "rich.console.Console | None" = None) -> None:
        """Print the table, to the standard output unless a console is given."""
        from rich.console import Console

        (console or Console()).print(self.table())

    @property
    def _titles(self) -> dict[str, str]:
        """Column -> its heading: what was put in, then what came out."""
        before = {f"input_{name}": f"input {MEASURES[name].title}" for name in self.measures}
        return before | {name: MEASURES[name].title for name in self.measures}

    def _row(self, image: ImageScores) -> dict[str, float | None]:
        before = {f"input_{name}": image.input.get(name) for name in self.measures}
        return before | {name: image.restored.get(name) for name in self.measures}

    def _rows(self) -> list[tuple[str, list[float | None]]]:
        rows = [(image.name, list(self._row(image).values())) for image in self.images]
        return [*rows, ("mean", [*self.input.values(), *self.mean.values()])]

    def _cells(self) -> list[list[str]]:
        digits = 2 * [MEASURES[name].digits for name in self.measures]
        return [[name, *map(cell, values, digits)] for name, values in self._rows()]

    def _footnotes(self) -> list[str]:
        protocol = ", ".join(f"{key} {value}" for key, value in self.protocol.items())
        return [
            f"convention {self.convention.name}: {self.convention.description}",
            *([f"protocol: {protocol}"] if protocol else []),
            *self.remarks,
            *(f"not scored: {name}: {reason}" for name, reason in self.failures.items()),
        ]
