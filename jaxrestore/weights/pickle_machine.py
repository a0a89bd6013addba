"""A pickle interpreter that cannot run code.

A pickle is a program for a small stack machine. Python's own interpreter lets that program import and call anything. This one knows only
the instructions that build plain containers, numbers and strings; a global is looked up in a table that the caller gives, and only entries
of that table can be called. Anything else stops the reading before it has any effect.

Reference: the instruction set as documented by `pickletools` in the standard library, which also does the parsing.
"""

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

from jaxrestore.errors import InputError
from jaxrestore.weights.guard import one_line

_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_NEW_CONTAINERS = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_SET": list}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NO_EFFECT = ("PROTO", "FRAME")
_LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
# Dictionaries take these as keys: a tuple may be nested so that hashing it takes for ever.
KEYS = (str, int, float, bool, bytes, type(None))


@dataclass(frozen=True)
class Permitted:
    """A global that a pickle may call; nothing but an instance of this class is ever called."""

    function: Callable[..., Any]


class Buildable:
    """An object that takes a state after it was made (the BUILD instruction)."""

    def build(self, state: Any) -> None:
        """Take the state."""


class Machine:
    """Runs one pickle.

    Args:
      permitted: {"module name": value}: what each global stands for. A `Permitted` may be called, any other value is inert.
      persistent: what the pickle's references to data outside itself give; None where it may have none.
    """

    def __init__(self, permitted: Mapping[str, Any], persistent: Callable[[Any], Any] | None = None):
        self.permitted = permitted
        self.persistent = persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: BufferedIOBase) -> Any:
        """Interpret one pickle, leaving the file behind its end.

        Raises:
          InputError: it asks for a global that is not permitted, or uses an instruction that builds more than plain data.
          Exception: it is damaged (anything that a parser may raise).
        """
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name == "STOP":
                return self.stack.pop()
            self._step(opcode.name, argument)
        raise ValueError("no end")

    def _step(self, name: str, argument: Any) -> None:
        stack, memo = self.stack, self.memo
        match name:
            case _ if name in _LITERALS:
                stack.append(argument)
            case _ if name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            case _ if name in _NEW_CONTAINERS:
                stack.append(_NEW_CONTAINERS[name]())
            case _ if name in _SHORT_TUPLES:
                count = _SHORT_TUPLES[name]
                stack[-count:] = [tuple(stack[-count:])]
            case _ if name in _NO_EFFECT:
                pass
            case "MARK":
                stack.append(_MARK)
            case "TUPLE" | "FROZENSET":
                stack.append(tuple(self._since_mark()))
            case "LIST":
                stack.append(self._since_mark())
            case "DICT":
                items = self._since_mark()
                stack.append({})
                self._set_items(items)
            case "APPEND":
                items = [stack.pop()]
                expect(stack[-1], list).extend(items)
            case "APPENDS" | "ADDITEMS":
                items = self._since_mark()
                expect(stack[-1], list).extend(items)
            case "SETITEM":
                items = [stack.pop(-2), stack.pop()]
                self._set_items(items)
            case "SETITEMS":
                self._set_items(self._since_mark())
            case "POP":
                stack.pop()
            case "POP_MARK":
                self._since_mark()
            case "DUP":
                stack.append(stack[-1])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL" | "INST":
                stack.append(self._global(*argument.split(" ", 1)))
                if name == "INST":
                    raise InputError(f"makes an object of {one_line(argument)}, which is refused")
            case "STACK_GLOBAL":
                member, module = expect(stack.pop(), str), expect(stack.pop(), str)
                stack.append(self._global(module, member))
            case "REDUCE":
                arguments, function = expect(stack.pop(), tuple), stack.pop()
                stack.append(expect(function, Permitted).function(*arguments))
            case "BUILD":
                state = stack.pop()
                # What torch hangs on a state dict beside its entries is of no use here.
                if not isinstance(stack[-1], dict):
                    expect(stack[-1], Buildable).build(state)
            case "PERSID" | "BINPERSID":
                reference = stack.pop() if name == "BINPERSID" else argument
                if self.persistent is None:
                    raise ValueError("refers to data outside itself")
                stack.append(self.persistent(reference))
            case _:
                raise InputError(f"uses the pickle instruction {name}, which is refused: it can build arbitrary objects")

    def _since_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise ValueError("no mark")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def _set_items(self, items: list[Any]) -> None:
        target = expect(self.stack[-1], dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[expect(key, KEYS)] = value

    def _global(self, module: str, name: str) -> Any:
        if f"{module} {name}" not in self.permitted:
            raise InputError(
                f"asks for {one_line(module)}.{one_line(name)}, which could run code and is refused: only tensors in plain containers "
                "are read; if this is a whole pickled model or training state, save its state_dict() alone"
            )
        return self.permitted[f"{module} {name}"]


def expect(value: Any, kinds: type | tuple[type, ...]) -> Any:
    """The value, if it is of one of these kinds.

    Raises:
      TypeError: it is not.
    """
    if not isinstance(value, kinds):
        raise TypeError(f"an unexpected {type(value).__name__} in the pickle")
    return value
