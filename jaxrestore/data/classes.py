"""Pictures of known classes: a folder with a subfolder for each class."""

from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from jaxrestore.data.sources import ImageFolder
from jaxrestore.errors import InputError


class ClassFolders(ImageFolder):
    """The pictures of a folder's subfolders, each with the number of its class.

    Args:
      folder: where the subfolders are; what lies deeper belongs to the class of the first subfolder on its way.
      classes: names of the subfolders in the order of their numbers; by default those that there are, sorted.
      **options: as for `ImageFolder`.

    Attributes:
      classes: names of the classes; the number of one is its place here.

    Raises:
      InputError: there are no pictures, or one lies in no subfolder or in one of another name than `classes`.
    """

    def __init__(self, folder: str | Path, classes: tuple[str, ...] | None = None, **options: Any) -> None:
        super().__init__(folder, recursive=True, **options)
        for path, name in zip(self._paths, self.names, strict=True):
            if "/" not in name:
                raise InputError(f"{path} lies in no subfolder: each picture lies in the folder of its class")
        found = tuple(sorted({name.split("/")[0] for name in self.names}))
        unknown = [name for name in found if classes is not None and name not in classes]
        if unknown:
            raise InputError(f"{Path(folder) / unknown[0]} is no class of the training's, which are {_some(classes)}")
        self.classes = found if classes is None else classes

    def __getitem__(self, index: SupportsIndex) -> dict[str, Any]:
        record: dict[str, Any] = super().__getitem__(index)
        return {**record, "label": np.int32(self.classes.index(self.names[int(index)].split("/")[0]))}


def _some(names: tuple[str, ...], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
