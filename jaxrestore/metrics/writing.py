"""How tables of numbers become text and files: JSON without infinities, CSV, Markdown, the terminal."""

import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxrestore.errors import InputError

if TYPE_CHECKING:
    import rich.table

SUFFIXES = (".json", ".csv", ".md")
"""What reports are written as."""


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of those that are numbers, None where there is none."""
    numbers = [value for value in values if value is not None]
    return math.fsum(numbers) / len(numbers) if numbers else None


def cell(value: float | None, digits: int) -> str:
    """A number with so many decimals; nothing for None."""
    return "" if value is None else f"{value:.{digits}f}"


def json_text(value: Any) -> str:
    """As JSON, where infinities and NaN become strings, "inf": JSON has no numbers for them."""
    return json.dumps(_finite(value), indent=2, allow_nan=False, ensure_ascii=False)


def csv_text(titles: Sequence[str], rows: Iterable[Sequence[str | float | None]]) -> str:
    """As CSV, numbers with all their digits, None as an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    for row in rows:
        writer.writerow(["" if value is None else value if isinstance(value, str) else repr(value) for value in row])
    return text.getvalue()


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: int) -> str:
    """As a Markdown table whose last `numbers` columns are aligned to the right."""
    rules = ["---"] * (len(titles) - numbers) + ["--:"] * numbers
    lines = [titles, rules, *([text.replace("|", "\\|") for text in row] for row in rows)]
    return "\n".join("|" + "|".join(text if line is rules else f" {text} " for text in line) + "|" for line in lines)


def terminal_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: int, notes: Iterable[str], compact: bool = False
) -> "rich.table.Table":
    """As a table of the terminal, with notes under it; a row named "mean" is bold. A compact one has no lines and folds its headings."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(caption="\n".join(map(escape, notes)), caption_justify="left")
    if compact:
        table.box, table.pad_edge = None, False
    for place, title in enumerate(titles):
        justify = "right" if place >= len(titles) - numbers else "left"
        heading = title.replace(" ", "\n") if compact else title
        table.add_column(heading, justify=justify, vertical="bottom", no_wrap=compact, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row), style="bold" if row[0] == "mean" else None)
    return table


def write_report(path: Path | str, writers: Mapping[str, Callable[[], str]]) -> None:
    """Write a file whose suffix says how. It appears whole or not at all.

    Args:
      path: the file.
      writers: suffix -> what gives the text.

    Raises:
      InputError: another suffix, or the folder does not exist.
    """
    path = Path(path)
    check_report_path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(writers[path.suffix](), encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def check_report_path(path: Path) -> None:
    """Refuse a report's file before the work begins whose result it should hold.

    Raises:
      InputError: the suffix is none of `SUFFIXES`, or the folder does not exist.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: a report is written as {', '.join(SUFFIXES)}; choose one of these suffixes")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
