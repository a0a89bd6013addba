"""What the web page does when a button is pressed: which models there are, what each needs, and restoring one picture."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from jaxrestore.classical.catalogue import METHODS, list_methods, parse
from jaxrestore.data.images import Picture, from_float, read_image, to_float, upright, write_image
from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer
from jaxrestore.inference.inputs import KERNELS, read_mask, read_psf
from jaxrestore.metrics import convention_for, score_image
from jaxrestore.models.catalogue import cards_of, model_card
from jaxrestore.models.inputs import side_inputs, takes_an_image
from jaxrestore.weights import Weights, list_pretrained, load_weights
from jaxrestore.weights.folder import files_of_weights
from jaxrestore.weights.read import is_checkpoint

_KEPT = 4


@dataclass(frozen=True)
class Choice:
    """Something that a user can choose.

    Attributes:
      label: how it is shown.
      task: what it is for, a task of the catalogue.
      model: a tag or a classical method; empty where the file says it.
      weights: the file, or None.
      takes: what it can be given beside the picture: of "psf", "mask", "sigma", "quality" and "scale".
      scales: the enlargements that it can be asked for; empty for any.
    """

    label: str
    task: str
    model: str
    weights: Path | None = None
    takes: tuple[str, ...] = ()
    scales: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Given:
    """What a user gave beside the picture; what the chosen model does not take is ignored."""

    sigma: float | int | None = None
    quality: int | None = None
    scale: int | None = None
    psf: str = ""
    mask: Path | None = None


@dataclass(frozen=True, eq=False)
class Restored:
    """A restored picture.

    Attributes:
      before: (H, W, 3) uint8, what was restored, upright, with its pixels repeated to the size of `after`.
      after: (H, W, 3) uint8, upright.
      file: the whole result, with its depth, transparency and profile.
      scores: rows of (picture, PSNR in dB, SSIM); empty without a reference.
      said: one line on what was done.
    """

    before: np.ndarray
    after: np.ndarray
    file: Path
    scores: tuple[tuple[str, str, str], ...]
    said: str


def choices(offered: Sequence[Path] = ()) -> tuple[list[Choice], list[str]]:
    """Everything that can restore a picture and has its weights, and one line for each file that cannot be offered.

    Args:
      offered: files of weights and folders of them, beside what the package ships.

    Raises:
      InputError: a file or folder does not exist.
    """
    found = [_network(tag, tag, None, load_weights(tag)) for tag in list_pretrained()]
    failures = []
    for path in offered:
        if not path.exists():
            raise InputError(f"{path} does not exist")
        for file in files_of_weights(path) if path.is_dir() and not is_checkpoint(path) else [path]:
            try:
                found.append(_network(file.name, "", file, load_weights(file)))
            except InputError as error:
                failures.append(" ".join(str(error).split()))
    found += [Choice(name, METHODS[name].task, name, takes=parse(name).takes) for name in list_methods()]
    return found, failures


def restore(choice: Choice, path: Path, given: Given, reference: Path | None, folder: Path) -> Restored:
    """Restore a picture.

    Args:
      choice: by what.
      path: the picture.
      given: what else it needs.
      reference: what the result ought to be, or None.
      folder: where the result goes.

    Raises:
      InputError: a file cannot be read, something that is needed is missing, or it does not fit.
    """
    picture = read_image(path)
    sigma, quality, scale = (getattr(given, name) if name in choice.takes else None for name in ("sigma", "quality", "scale"))
    inputs = {"sigma": sigma, "quality": quality}
    if "psf" in choice.takes and given.psf:
        inputs["psf"] = _kernel(given.psf)
    if "mask" in choice.takes and given.mask is not None:
        inputs["mask"] = read_mask(given.mask)
    restorer = _restorer(choice, None if scale is None else int(scale))
    start = time.perf_counter()
    result = restorer.restore_picture(picture, **{name: value for name, value in inputs.items() if value is not None})
    seconds = time.perf_counter() - start
    file = folder / f"{path.stem}_restored.{'tiff' if picture.bits == 32 else 'png'}"
    write_image(file, result)
    scores, convention = ((), "") if reference is None else _scores(choice, picture, result, read_image(reference))
    before, after = _shown(picture), _shown(result)
    enlarged = before.repeat(after.shape[0] // before.shape[0], 0).repeat(after.shape[1] // before.shape[1], 1)
    height, width = after.shape[:2]
    said = f"{restorer.name}: {width}x{height} pixels in {seconds:.1f} s{f', measured by {convention}' if convention else ''}"
    return Restored(enlarged, after, file, scores, said)


def _network(label: str, model: str, file: Path | None, weights: Weights) -> Choice:
    if not takes_an_image(weights.model):
        raise InputError(f"{label}: {type(weights.model).__name__} restores no pictures")
    cards = cards_of(weights.model)
    task = model_card(weights.name).task if weights.name else cards[0].task if cards else "restoration"
    takes = ["sigma" if name == "noise_level" else name for name in side_inputs(weights.model)]
    scales = {s for card in cards if card.interpolated for s in card.scales} | {s for s in getattr(weights.model, "scales", ()) if s > 1}
    return Choice(label, task, model, file, (*takes, *(["scale"] if scales else [])), tuple(sorted(scales)))


@lru_cache(_KEPT)
def _restorer(choice: Choice, scale: int | None) -> Restorer:
    if choice.weights is not None:
        return Restorer(load_weights(choice.weights), scale=scale)
    return Restorer(choice.model, scale=scale)


def _scores(choice: Choice, picture: Picture, result: Picture, reference: Picture) -> tuple[tuple[tuple[str, str, str], ...], str]:
    clean, restored, degraded = (to_float(p.color) for p in (reference, result, picture))
    channels = {image.shape[-1] for image in (clean, restored)}
    if len(channels) > 1:
        raise InputError("the reference is grey and the result is not, or the other way round: give a reference of the same kind")
    if clean.shape != restored.shape:
        (rows, columns), (height, width) = clean.shape[:2], restored.shape[:2]
        raise InputError(f"the reference has {columns}x{rows} pixels and the result {width}x{height}: they must have the same size")
    task = choice.task if choice.task in ("super_resolution", "denoising", "jpeg", "deblurring", "inpainting") else "restoration"
    convention = convention_for(task, restored.shape[0] // degraded.shape[0], channels.pop())
    score = score_image("result", restored, clean, degraded if degraded.shape == clean.shape else None, convention)
    rows = [("restored", score.psnr, score.ssim)]
    if score.input:
        rows.insert(0, ("as given", score.input_psnr, score.input_ssim))
    return tuple((name, _number(psnr, ".2f"), _number(ssim, ".4f")) for name, psnr, ssim in rows), convention.name


def _kernel(text: str) -> np.ndarray:
    """Kernels that have names only: who sees the page is not to try names of files here."""
    if text.split(":")[0].strip() not in KERNELS:
        raise InputError(f"the kernel {text!r} is none of {', '.join(KERNELS)}: write it like gaussian:sigma=1.6")
    return read_psf(text)


def _number(value: float | None, form: str) -> str:
    return "not defined" if value is None else format(value, form)


def _shown(picture: Picture) -> np.ndarray:
    color = from_float(to_float(upright(picture).color), np.uint8)
    return np.ascontiguousarray(np.broadcast_to(color, (*color.shape[:2], 3)))
