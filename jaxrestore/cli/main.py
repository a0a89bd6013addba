"""`jaxrestore COMMAND ...`: reads the arguments, runs the command, and turns bad input into one line and exit code 2."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated, Any, Union

import tyro
from tyro.conf import subcommand

from jaxrestore.cli.compiled import kept
from jaxrestore.cli.convert import Convert
from jaxrestore.cli.degrade import Degrade
from jaxrestore.cli.demo import Demo
from jaxrestore.cli.evaluate import Evaluate
from jaxrestore.cli.export import Export
from jaxrestore.cli.metrics import Metrics
from jaxrestore.cli.models import Models
from jaxrestore.cli.restore import Restore
from jaxrestore.cli.train import Train
from jaxrestore.errors import InputError

BAD_INPUT, INTERRUPTED = 2, 130

COMMANDS = {
    "demo": Demo,
    "restore": Restore,
    "degrade": Degrade,
    "evaluate": Evaluate,
    "metrics": Metrics,
    "train": Train,
    "convert": Convert,
    "export": Export,
    "models": Models,
}

# Commands that compile networks whose next run will want the same; a process that calls `main` itself has rules of its own.
_COMPILING = (Demo, Restore, Degrade, Evaluate)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command.

    Args:
      arguments: what follows `jaxrestore` on the command line; by default the process's own arguments.

    Raises:
      SystemExit: with code 2 for wrong arguments or bad input, and 130 when interrupted from the keyboard.
    """
    command = _parse(list(sys.argv[1:] if arguments is None else arguments))
    try:
        with kept() if arguments is None and isinstance(command, _COMPILING) else nullcontext():
            command.run()
    except InputError as error:
        _fail(str(error))
    except MemoryError:
        _fail("out of memory: allow less with --memory, or take smaller tiles with --tile")
    except KeyboardInterrupt:
        print("jaxrestore: interrupted", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


def _parse(arguments: list[str]) -> Any:
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes)
    name = arguments[0] if arguments else ""
    if name in COMMANDS:  # by itself a command shows its whole description
        return tyro.cli(COMMANDS[name], prog=f"jaxrestore {name}", args=arguments[1:], config=config)
    either = Union[tuple(Annotated[c, subcommand(n, description=_summary(c))] for n, c in COMMANDS.items())]  # noqa: UP007
    return tyro.cli(either, prog="jaxrestore", description="Image restoration in JAX.", args=arguments, config=config)


def _summary(command: type) -> str:
    return (command.__doc__ or "").splitlines()[0]


def _fail(message: str) -> None:
    print(f"jaxrestore: error: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(BAD_INPUT) from None
