"""`jaxrestore metrics A B`."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    import numpy as np

    from jaxrestore.metrics.comparison import Comparison


@dataclass(frozen=True)
class Metrics:
    """Measure how close two pictures are, or two folders of pictures paired by name, under each convention that papers use.

    The same two pictures have PSNRs several dB apart, by colour space, border and rounding. Each number stands beside its convention.
    """

    a: Annotated[Positional[Path], arg(metavar="A")]
    """A picture, or a folder of them."""
    b: Annotated[Positional[Path], arg(metavar="B")]
    """The other picture or folder; the order does not matter."""
    scale: int = 4
    """For the convention of super-resolution: the enlargement, whose pixels are left out at the border."""
    convention: Annotated[tuple[str, ...], arg(metavar="NAME...")] = ()
    """Only these conventions, such as luma+border4+round8."""
    metrics: Annotated[tuple[str, ...], arg(metavar="NAME...")] = ()
    """Only these measures, such as psnr ssim."""
    json: bool = False
    """Print one JSON object instead of a table."""
    output: Annotated[Path | None, arg(aliases=("-o",), metavar="FILE")] = None
    """Also write the numbers, of each pair too, to a .json, .csv or .md file."""

    def run(self) -> None:
        """Measure."""
        from rich.console import Console

        from jaxrestore.errors import InputError
        from jaxrestore.metrics.writing import check_report_path

        if self.scale < 1:
            raise InputError(f"--scale is {self.scale}: it must be at least 1")
        if self.output is not None:
            check_report_path(self.output)
        with Console(stderr=True).status("measuring"):
            comparison = self._compare()
        if self.output is not None:
            comparison.write(self.output)
        if self.json:
            print(comparison.to_json())
        else:
            console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
            console.print(comparison.table(console.width))
        if comparison.failures:
            raise InputError(f"{len(comparison.failures)} pairs could not be compared: {', '.join(comparison.failures)}")

    def _compare(self) -> "Comparison":
        from jaxrestore.errors import InputError
        from jaxrestore.metrics.comparison import Comparison, PairScores, compare, usual_conventions
        from jaxrestore.metrics.conventions import Convention
        from jaxrestore.metrics.measures import MEASURES, check_measures

        measures = check_measures(self.metrics or MEASURES)
        conventions = tuple(dict.fromkeys(map(Convention.parse, self.convention)))
        pairs, failures, notes = [], {}, Counter()
        for name, paths in self._pairs():
            try:
                a, b, remarks = _read_pair(*paths)
                conventions = conventions or usual_conventions(self.scale, a.shape[-1])
                pairs.append(PairScores(name, compare(a, b, conventions, measures)))
                notes.update(remarks)
            except InputError as error:
                if not self.a.is_dir():
                    raise
                failures[name] = str(error)
        if not pairs:
            raise InputError(f"no pair could be compared: {next(iter(failures.values()))}")
        said = tuple(note if len(pairs) == 1 else f"{note} ({count} of {len(pairs)} pairs)" for note, count in notes.items())
        return Comparison(str(self.a), str(self.b), conventions, measures, tuple(pairs), self.scale, failures, said)

    def _pairs(self) -> Iterator[tuple[str, tuple[Path | None, Path | None]]]:
        """Names and paths of the pairs; of a picture without a partner only its own path."""
        from jaxrestore.data.images import by_stem, find_images
        from jaxrestore.errors import InputError

        for path in (self.a, self.b):
            if not path.exists():
                raise InputError(f"{path} does not exist")
        if self.a.is_dir() != self.b.is_dir():
            folder, file = (self.a, self.b) if self.a.is_dir() else (self.b, self.a)
            raise InputError(f"{folder} is a folder and {file} a file: give two pictures or two folders")
        if not self.a.is_dir():
            yield self.b.name, (self.a, self.b)
            return
        first, second = by_stem(find_images(self.a)), by_stem(find_images(self.b))
        if not first.keys() & second.keys():
            raise InputError(f"{self.a} and {self.b} have no file name in common: pairs are found by name")
        for stem in sorted(first | second):
            yield (second | first)[stem].name, (first.get(stem), second.get(stem))


def _read_pair(a: Path | None, b: Path | None) -> "tuple[np.ndarray, np.ndarray, list[str]]":
    """The colours of two pictures that can be compared, as stored, and what a reader of the numbers should know of them."""
    from jaxrestore.data.images import read_image, upright
    from jaxrestore.errors import InputError

    if a is None or b is None:
        raise InputError(f"{a or b} has no partner of that name in the other folder")
    pictures = [upright(read_image(path)) for path in (a, b)]
    first, second = (picture.color for picture in pictures)
    if first.shape[:2] != second.shape[:2]:
        sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (first, second)]
        raise InputError(f"{a} has {sizes[0]} pixels and {b} {sizes[1]}: compare pictures of one size")
    if first.shape != second.shape:
        gray, color = (a, b) if first.shape[-1] == 1 else (b, a)
        raise InputError(f"{gray} is grey and {color} has colours: compare pictures of one kind")
    remarks = ["transparency was left out"] if any(picture.alpha is not None for picture in pictures) else []
    if all(picture.bits == 8 for picture in pictures):
        remarks.append("pictures of 8 bits: rounding them to 8 bits (round8) changes nothing")
    if first.shape[-1] == 1:
        remarks.append("grey pictures: all colour conventions are the same")
    return first, second, remarks
