"""Things and their arguments as text, `name:argument=value:argument=value`: how the command line names degradations and methods.

    value = number | low..high | word

Numbers are as in Python; ";" is read as ":". What the arguments may be is for whoever reads the text to check.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

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
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0")


def value_form(annotation: Any) -> str:
    """What text can give for an argument of this annotation; empty for what text cannot give, such as an array."""
    kinds = _kinds(annotation)
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "a word"}
    forms = [form for kind, form in names.items() if kind in kinds and not (kind is int and float in kinds)]
    return " or ".join([*forms, *_words(annotation)])


def typed(name: str, annotation: Any, value: Any) -> Any:
    """A value in a type that the annotation allows.

    Args:
      name: what the value belongs to, for the message.
      annotation: of a function's parameter: numbers, words, bools, `Literal`s and unions of them.
      value: what `read_value` gave; anything that no text means is given back as it is.

    Raises:
      InputError: it is of another kind.
    """
    kinds, form = _kinds(annotation), value_form(annotation)
    if not isinstance(value, str | bool | int | float | tuple):
        return value
    if bool in kinds and value in ("true", "false", True, False):
        return value in ("true", True)
    if isinstance(value, int | float) and not isinstance(value, bool) and (float in kinds or (int in kinds and isinstance(value, int))):
        return float(value) if float in kinds and int not in kinds else value
    if isinstance(value, str) and (str in kinds or value in _words(annotation)):
        return value
    shown = repr(value) if isinstance(value, str) else write_value(value)
    raise InputError(f"{name} is {shown}: it must be {form}" if form else f"{name} cannot be given as text")


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


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the one kind there is."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _words(annotation: Any) -> tuple[str, ...]:
    return tuple(word for kind in _kinds(annotation) if get_origin(kind) is Literal for word in get_args(kind))


def _shown(name: str) -> str:
    """A name as it is; anything else quoted, so that a message stays in one line."""
    return name if name.isidentifier() else repr(name)
