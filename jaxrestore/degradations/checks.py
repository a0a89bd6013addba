"""Checks of a degradation's arguments, made on concrete values before anything is traced.

A value that is being traced has no number yet and passes; shapes and types are always known and always checked.
"""

from jaxrestore.degradations.arguments import Count, Interval
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range


def check_interval(
    name: str, value: Interval, low: float | int | None = None, high: float | int | None = None, open_low: bool = False
) -> tuple[float, float]:
    """Check a number or (low, high) as `check_range` does, and give it as (low, high).

    Raises:
      InputError: an end is out of the range, or the ends are in the wrong order.
    """
    first, last = value if isinstance(value, tuple) else (value, value)
    for end in (first, last):
        check_range(name, end, low, high, open_low)
    if first > last:
        raise InputError(f"{name} is {first:g}..{last:g}: its lower end comes first")
    return float(first), float(last)


def check_count(name: str, value: Count, low: int = 0) -> tuple[int, int]:
    """Check a whole number or (low, high) of them, and give it as (low, high).

    Raises:
      InputError: an end is below `low`, or the ends are in the wrong order.
    """
    first, last = check_interval(name, value, low)
    return int(first), int(last)
