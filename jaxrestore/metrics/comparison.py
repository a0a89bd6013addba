"""Pairs of images under several conventions side by side: why two papers give two numbers for one picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jaxrestore.metrics.conventions import Convention, Picture, check_pair, convention_for
from jaxrestore.metrics.measures import MEASURES, Scores, check_measures, measure
from jaxrestore.metrics.writing import cell, csv_text, json_text, markdown_table, mean_of, terminal_table, write_report

if TYPE_CHECKING:
    import rich.table

_WIDE = 130  # columns that the table takes with all measures
_NOTHING: Mapping[str, str] = MappingProxyType({})
_TASKS = {"denoise": "denoising", "deblur": "deblurring", "inpaint": "inpainting", "jpeg": "JPEG artefacts", "sr": "super-resolution x{}"}


def usual_conventions(scale: int = 4, channels: int = 3) -> tuple[Convention, ...]:
    """The conventions that papers use, once each.

    Args:
      scale: the enlargement whose pixels super-resolution leaves out at the border.
      channels: 1 for grey images, where all colours are the same.
    """
    colors = ("rgb", "gray", "luma") if channels == 3 else ("gray",)
    whole = [Convention(color, rounding=rounding) for color in colors for rounding in (False, True)]
    enlarged = Convention(colors[-1], border=scale, rounding=True)
    return (*whole, enlarged, Convention(colors[0], window="uniform"))


def used_for(convention: Convention, scale: int = 4) -> str:
    """Which tasks are usually measured so."""
    tasks = [
        title.format(scale)
        for task, title in _TASKS.items()
        if convention in {convention_for(task, scale, channels) for channels in (1, 3)}
    ]
    return ", ".join(tasks) or ("scikit-image" if convention.window == "uniform" else "")


@dataclass(frozen=True)
class PairScores:
    """One pair's scores under each convention, in the order of the comparison's conventions."""

    name: str
    scores: tuple[Scores, ...]


@dataclass(frozen=True)
class Comparison:
    """Scores of pairs of images under several conventions.

    Attributes:
      a: where the first images come from.
      b: where the second ones come from.
      conventions: how images were compared.
      measures: what was measured, names of `MEASURES`.
      pairs: the scores.
      scale: the enlargement that the conventions of super-resolution are meant for.
      failures: pair -> why it could not be compared; such pairs are in no mean.
      notes: what a reader of the numbers should know.
    """

    a: str
    b: str
    conventions: tuple[Convention, ...]
    measures: tuple[str, ...]
    pairs: tuple[PairScores, ...]
    scale: int = 4
    failures: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    notes: tuple[str, ...] = ()

    @property
    def means(self) -> list[dict[str, float | None]]:
        """For each convention the means over the pairs."""
        places = range(len(self.conventions))
        return [{name: mean_of(pair.scores[i].get(name) for pair in self.pairs) for name in self.measures} for i in places]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, strings, lists and dictionaries."""
        described = [{**c.as_dict(), "used_for": used_for(c, self.scale)} for c in self.conventions]
        names = [convention.name for convention in self.conventions]
        return {
            "a": self.a,
            "b": self.b,
            "conventions": [{**about, "mean": mean} for about, mean in zip(described, self.means, strict=True)],
            "images": [{"name": pair.name, "scores": dict(zip(names, map(dict, pair.scores), strict=True))} for pair in self.pairs],
            "failures": [{"name": name, "reason": reason} for name, reason in self.failures.items()],
            "notes": list(self.remarks),
        }

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was compared, the notes, and which means are over fewer pairs than there are."""
        count = len(self.pairs)
        remarks = [f"{self.a} against {self.b}" + (f": means of {count} pairs" if count > 1 else ""), *self.notes]
        for name in self.measures:
            title, places = MEASURES[name].title, range(len(self.conventions))
            counted = max((sum(pair.scores[i].get(name) is not None for pair in self.pairs) for i in places), default=0)
            remarks += [f"{title} is not defined for images this small, or without colour"] if counted == 0 else []
            remarks += [f"mean {title} is over {counted} of {count} pairs"] if 0 < counted < count else []
        return (*remarks, *(f"not compared: {name}: {reason}" for name, reason in self.failures.items()))

    def to_json(self) -> str:
        """`as_dict` as JSON; an infinite PSNR becomes the string "inf"."""
        return json_text(self.as_dict())

    def to_csv(self) -> str:
        """A row for each pair and convention, then the means."""
        lines = [
            [name, convention.name, *(values.get(measure) for measure in self.measures)]
            for name, scores in [*((pair.name, pair.scores) for pair in self.pairs), ("mean", self.means)]
            for convention, values in zip(self.conventions, scores, strict=True)
        ]
        return csv_text(["name", "convention", *self.measures], lines)

    def to_markdown(self) -> str:
        """The means as a table, and what each convention is."""
        said = [f"- `{convention.name}`: {convention.description}" for convention in self.conventions]
        return "\n".join([markdown_table(*self._table()), "", *said, "", *self.remarks]) + "\n"

    def write(self, path: Path | str) -> None:
        """Write to a file whose suffix says how: .json, .csv or .md. The file appears whole or not at all.

        Raises:
          InputError: another suffix, or the folder does not exist.
        """
        write_report(path, {".json": self.to_json, ".csv": self.to_csv, ".md": self.to_markdown})

    def table(self, width: int = 160) -> "rich.table.Table":
        """The means as a table for a terminal of so many columns; a narrow one says below what each convention is used for."""
        titles, rows, numbers = self._table()
        if width >= _WIDE:
            return terminal_table(titles, rows, numbers, self.remarks)
        used = [f"{row[0]} is used for {row[1]}" for row in rows if row[1]]
        return terminal_table([titles[0], *titles[2:]], [[row[0], *row[2:]] for row in rows], numbers, [*self.remarks, *used], compact=True)

    def _table(self) -> tuple[list[str], list[list[str]], int]:
        titles = ["convention", "used for", *(MEASURES[name].title for name in self.measures)]
        rows = [
            [convention.name, used_for(convention, self.scale), *(cell(mean[name], MEASURES[name].digits) for name in self.measures)]
            for convention, mean in zip(self.conventions, self.means, strict=True)
        ]
        return titles, rows, len(self.measures)


def compare(a: Picture, b: Picture, conventions: Sequence[Convention], measures: Iterable[str] = tuple(MEASURES)) -> tuple[Scores, ...]:
    """Measure one pair of images under several conventions.

    Args:
      a: image (H, W, C) in [0, 1], or uint8 or uint16 over the whole range.
      b: the other image, of the same shape.
      conventions: how.
      measures: some of `MEASURES`.

    Returns:
      The scores, one mapping for each convention.

    Raises:
      InputError: the images differ in shape or suit a convention not, or a measure is unknown.
    """
    check_pair(a, b)
    measures = check_measures(measures)
    return tuple(measure(a, b, convention, measures) for convention in conventions)
