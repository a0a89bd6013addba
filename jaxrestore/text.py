"""Things and their arguments as text, `name:argument=value:argument=value`: how the command line names degradations and methods.

    value = number | low..high | word

Numbers are as in Python; ";" is read as ":". What the arguments may be is for whoever reads the text to check.
"""

import difflib
import re
from collections.abc import Collection, Mapping

from jaxrestore.errors import InputError

Value = float | int | str | tuple[float | int, float | int]
"""What an argument's text can mean; (low, high) is an interval."""


def read_named(text: str) -> tuple[str, dict[str, str]]:
    """The name and, not yet read, what each argument is set to.

    Raises:
      InputError: no name, something that is not argument=value, or an argument that is given twice.
    """
    name, *parts = (part.strip() for part in re.split("[:;]", text))
    if not name:
        raise InputError(f"{text!r} does not begin with a name: write name:argument=value")
    arguments: dict[str, str] = {}
    for part in parts:
        argument, equals, value = (piece.strip() for piece in part.partition("="))
        if not (argument and equals and value):
            raise InputError(f"{_shown(name)}: {part!r} is not argument=value")
        if argument in arguments:
            raise InputError(f"{_shown(name)}: {_shown(argument)} is given twice")
        arguments[argument] = value
    return name, arguments


def write_named(name: str, arguments: Mapping[str, Value]) -> str:
    """The text that `read_named` and `read_value` read back."""
    return ":".join([name, *(f"{argument}={write_value(value)}" for argument, value in arguments.items())])


def read_value(name: str, text: str) -> Value:
    """What a value's text means.

    Args:
      name: what the value belongs to, for the message.
      text: a number, low..high or a word.

    Raises:
      InputError: the ends of an interval are not two numbers.
    """
    first, dots, last = text.partition("..")
    if dots:
        low, high = _read_number(first), _read_number(last)
        if isinstance(low, str) or isinstance(high, str):
            raise InputError(f"{name} is {text!r}: an interval is low..high, two numbers")
        return low, high
    return _read_number(text)


def write_value(value: Value) -> str:
    """The text that `read_value` reads back."""
    if isinstance(value, tuple):
        return "..".join(write_value(end) for end in value)
    return str(value).removesuffix(".0")


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """The message for a name that does not exist: it offers the nearest ones and lists all."""
    near = difflib.get_close_matches(name, known, n=3)
    hint = f", did you mean {' or '.join(near)}?" if near else ";"
    return f"unknown {what}: {name!r}{hint} there {'are ' + ', '.join(known) if known else 'is none'}"


def _read_number(text: str) -> float | int | str:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text.strip()


def _shown(name: str) -> str:
    """A name as it is; anything else quoted, so that a message stays in one line."""
    return name if name.isidentifier() else repr(name)
