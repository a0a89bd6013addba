"""`jaxrestore train experiments/FILE.py [field.subfield=value ...]`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Train:
    """Train the network of an experiment.

    Where the experiment's run folder holds a checkpoint, training goes on from it exactly as if it had not been stopped.
    """

    experiment: Annotated[Positional[Path], arg(metavar="EXPERIMENT")]
    """A Python file that defines the experiment."""
    overrides: Annotated[Positional[tuple[str, ...]], arg(metavar="[FIELD=VALUE ...]", help_behavior_hint="")] = ()
    """Fields that shall differ, such as optimizer.learning_rate=1e-4."""

    def run(self) -> None:
        """Train."""
        from jaxrestore.training.loop import main

        main(str(self.experiment), self.overrides)
