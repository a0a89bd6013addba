"""Starting one network from the weights of another: what matches is taken, the rest stays as initialised."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import flax.traverse_util
import numpy as np

from jaxrestore.typing import Tree, Variables
from jaxrestore.weights.compare import some


@dataclass(frozen=True)
class TransferReport:
    """What became of each array; prints as a few lines.

    Attributes:
      taken: paths ("params/conv_0/kernel") that the source filled.
      missing: paths that the source does not have; they stay as initialised.
      shape_differs: paths that the source has in another shape; they stay as initialised.
      unused: paths of the source that the network does not have.
    """

    taken: tuple[str, ...]
    missing: tuple[str, ...]
    shape_differs: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{len(self.taken)} of {len(self.taken) + len(self.missing) + len(self.shape_differs)} arrays taken"]
        rest = {"initialised, not in the source": self.missing, "initialised, of another shape": self.shape_differs, "unused": self.unused}
        return "\n".join(lines + [f"  {what}: {some(paths)}" for what, paths in rest.items() if paths])


def transfer(variables: Variables, source_variables: Variables) -> tuple[Variables, TransferReport]:
    """Take every array of the source that has the path and the shape of one of ours.

    Args:
      variables: a network's variables as initialised.
      source_variables: another network's; of the same class or not.

    Returns:
      The variables, in the types of `variables`, and the report.
    """
    ours = flax.traverse_util.flatten_dict(dict(variables), sep="/")
    theirs = flax.traverse_util.flatten_dict(dict(source_variables), sep="/")
    both = [path for path in ours if path in theirs]
    taken = [path for path in both if np.shape(ours[path]) == np.shape(theirs[path])]
    filled = ours | {path: np.asarray(theirs[path]).astype(ours[path].dtype) for path in taken}
    report = TransferReport(
        taken=tuple(taken),
        missing=tuple(path for path in ours if path not in theirs),
        shape_differs=tuple(path for path in both if path not in set(taken)),
        unused=tuple(path for path in theirs if path not in ours),
    )
    return flax.traverse_util.unflatten_dict(filled, sep="/"), report


def path_matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path, or a module that holds it, is named by one of some glob patterns.

    Args:
      path: such as "block_3/conv_0/kernel".
      patterns: "*" stands for anything, also across "/"; "block_3" and "block_*/conv_0" name everything in these modules, "*/bias" all
        biases.
    """
    parts = path.split("/")
    names = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    return any(fnmatchcase(name, pattern.rstrip("/")) for pattern in patterns for name in names)


def matches(params: Tree, patterns: Iterable[str]) -> Tree:
    """A tree of booleans like `params`: which parameters the patterns name (a mask for `optax.masked` and the like).

    Args:
      params: nested dictionaries of parameters.
      patterns: as `path_matches` takes them.
    """
    patterns = tuple(patterns)
    flat = flax.traverse_util.flatten_dict(params, sep="/")
    return flax.traverse_util.unflatten_dict({path: path_matches(path, patterns) for path in flat}, sep="/")
