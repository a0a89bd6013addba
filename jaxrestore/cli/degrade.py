"""`jaxrestore degrade INPUT... -o OUT --recipe RECIPE`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Degrade:
    """Degrade pictures on purpose: to make test data, or to see what a degradation looks like.

    What is random depends on the seed and on the picture's file name alone, so a picture is degraded alike by itself and in a folder. Bit
    depth, transparency, profile and EXIF are kept; values are clipped to the range of the file.
    """

    inputs: Annotated[Positional[tuple[Path, ...]], arg(metavar="INPUT...", help_behavior_hint="(required)")]
    """Pictures and folders."""
    output: Annotated[Path, arg(aliases=("-o",))]
    """A folder, or a file for one picture."""
    recipe: str
    """Steps from left to right, such as gaussian:sigma=25,quantise:levels=16; an unknown step lists all."""
    seed: int = 0
    """Of everything random."""
    masks: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """Also write where the recipe erases content, as pictures that are white there."""

    def run(self) -> None:
        """Degrade."""
        import numpy as np

        from jaxrestore.cli.files import plan_jobs, run_jobs
        from jaxrestore.data.images import Picture, from_float, to_float, write_image
        from jaxrestore.degradations import recipes
        from jaxrestore.degradations.erased import recipe_mask
        from jaxrestore.errors import InputError
        from jaxrestore.inference.inputs import picture_key
        from jaxrestore.inference.pictures import replace_color

        if not 0 <= self.seed < 2**32:
            raise InputError(f"seed is {self.seed}: it must lie between 0 and {2**32 - 1}")
        recipe = recipes.parse(self.recipe)
        planned = plan_jobs(self.inputs, self.output)

        def degrade(picture: Picture, path: Path) -> Picture:
            key = picture_key(self.seed, path.name)
            degraded = np.asarray(recipe(key, to_float(picture.color)))
            if self.masks is not None:
                missing = recipe_mask(recipe, key, picture.color.shape)
                self.masks.mkdir(parents=True, exist_ok=True)
                write_image(self.masks / f"{path.stem}.png", Picture(from_float(missing.astype(np.float32), np.uint8)))
            return replace_color(picture, from_float(degraded, picture.pixels.dtype))

        count = run_jobs(planned, degrade, "degrading")
        print(f"{count} degraded by {recipe} with seed {self.seed} -> {self.output}", file=sys.stderr)
