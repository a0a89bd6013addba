"""Names and shapes that are there against those that should be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Difference:
    """How the arrays of a file differ from those of a network; false where they do not.

    Attributes:
      missing: names that the network needs and the file lacks.
      left_over: names that the file has and the network does not.
      wrong: one phrase for each array of another shape.
    """

    missing: tuple[str, ...]
    left_over: tuple[str, ...]
    wrong: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.missing) + len(self.left_over) + len(self.wrong)

    def __str__(self) -> str:
        parts = [f"missing {some(self.missing)}"] * bool(self.missing) + [f"left over {some(self.left_over)}"] * bool(self.left_over)
        return "; ".join(parts + [some(self.wrong, most=3)] * bool(self.wrong))


def compare(expected: Mapping[str, Shape], found: Mapping[str, Shape]) -> Difference:
    """Everything in which two tables of shapes differ, in the order of the expected one."""
    both = [name for name in expected if name in found]
    return Difference(
        missing=tuple(name for name in expected if name not in found),
        left_over=tuple(name for name in found if name not in expected),
        wrong=tuple(f"{n} is {found[n]}, the network has {expected[n]}" for n in both if tuple(found[n]) != tuple(expected[n])),
    )


def some(names: Sequence[str], most: int = 4) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
