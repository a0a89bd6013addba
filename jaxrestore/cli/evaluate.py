"""`jaxrestore evaluate --model NAME --weights PATH --data DIR --task TASK`."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

if TYPE_CHECKING:
    from jaxrestore.metrics.measures import Scores


@dataclass(frozen=True)
class Evaluate:
    """Measure a network or a classical method on a folder of pictures, by the literature's protocol of the task.

    Clean pictures are degraded here; with --target, --data holds degraded pictures and --target the clean ones of the same names. The
    scores are printed with the convention they were measured by.
    """

    data: Path
    """Folder of the clean pictures, or of the degraded ones where --target is given."""
    task: Literal["sr", "denoise", "jpeg", "deblur", "inpaint"]
    """What is measured."""
    model: Annotated[str | None, arg(metavar="NAME")] = None
    """A name or tag of `jaxrestore models`, or a classical method with its arguments, such as median:size=5; the shipped colour denoiser by
    default."""
    weights: Annotated[Path | None, arg(metavar="FILE")] = None
    """A file of weights; without --model the network is recognised from it."""
    target: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """Folder of the clean pictures."""
    scale: Annotated[int | None, arg(metavar="INT")] = None
    """For sr: the enlargement; the network's own by default, where it has one."""
    sigma: Annotated[float | None, arg(metavar="FLOAT")] = None
    """For denoise and deblur: standard deviation of the noise in grey levels; 25 and 2 by default."""
    quality: int = 10
    """For jpeg: quality of the compression."""
    seed: int = 0
    """Of what is random."""
    psf: Annotated[str | None, arg(metavar="KERNEL|FILE")] = None
    """For deblur: the kernel, such as gaussian:sigma=1.6, or a picture or .npy file of it."""
    recipe: Annotated[str | None, arg(metavar="RECIPE")] = None
    """Degrade by a recipe, as `jaxrestore degrade` does; for inpaint it also says what is missing, such as erase:count=3."""
    mask: Annotated[Path | None, arg(metavar="FILE|FOLDER")] = None
    """For inpaint: a picture that is white where content is missing, or a folder of them of the pictures' names."""
    channels: Annotated[Literal[1, 3] | None, arg(metavar="1|3")] = None
    """For classical methods: 1 measures on grey or luma, 3 on RGB; by default as the first picture is."""
    convention: Annotated[str | None, arg(metavar="NAME")] = None
    """How pictures are compared, such as luma+border4+round8; the task's usual one by default."""
    metrics: Annotated[tuple[str, ...], arg(metavar="NAME...")] = ("psnr", "ssim")
    """What is measured: some of psnr, ssim, ms_ssim, mae, rmse, gradient_error, ciede2000."""
    tile: Annotated[str, arg(metavar="auto|off|N")] = "auto"
    """Largest side of a tile in pixels, halo included."""
    ensemble: bool = False
    """Average the results of the eight turned and mirrored pictures."""
    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """What the computation may use, such as 2GiB."""
    json: bool = False
    """Print one JSON object instead of a table."""
    output: Annotated[Path | None, arg(aliases=("-o",), metavar="FILE")] = None
    """Also write the report to a .json, .csv or .md file."""

    def run(self) -> None:
        """Evaluate."""
        from rich.console import Console

        from jaxrestore.cli.networks import channels_of, make_restorer, with_scale
        from jaxrestore.errors import InputError
        from jaxrestore.inference.evaluate import evaluate_folder
        from jaxrestore.inference.protocols import Protocol

        model, scale = with_scale(self.model, self.scale)
        restorer = make_restorer(model, self.weights, self.tile, self.ensemble, self.memory, scale=scale)
        channels = restorer.channels or self.channels or channels_of(self.data)
        if restorer.channels and self.channels not in (None, restorer.channels):
            raise InputError(f"{restorer.name} takes {restorer.channels} channels: leave --channels out")
        scale = self.scale or (restorer.scale if self.task == "sr" else 1)
        if self.task == "sr" and scale < 2:
            raise InputError(f"{restorer.name} does not enlarge: task sr takes a network that does, or a method with --scale")
        protocol = Protocol(
            self.task,
            scale,
            self.sigma,
            self.quality,
            self.seed,
            channels,
            self.psf,
            self.recipe,
            None if self.mask is None else str(self.mask),
        )
        errors = Console(stderr=True)
        with errors.status("evaluating") as status:
            report = evaluate_folder(
                restorer,
                self.data,
                protocol,
                self.target,
                self.convention,
                on_score=lambda score: status.update(f"evaluating: {score.name} {', '.join(_shown(score.restored))}"),
                measures=self.metrics,
            )
        if self.output is not None:
            report.write(self.output)
        if self.json:
            described = {"model": restorer.name, "weights": None if self.weights is None else str(self.weights)}
            print(json.dumps({**described, **json.loads(report.to_json())}, indent=2, ensure_ascii=False))
        else:
            report.print(Console(width=None if sys.stdout.isatty() else 120))
        if report.failures:
            raise InputError(f"{len(report.failures)} pictures could not be scored: {', '.join(report.failures)}")


def _shown(scores: "Scores") -> list[str]:
    return [f"{name} {value:.4g}" for name, value in scores.items() if value is not None]
