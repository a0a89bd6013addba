"""Measure a restorer on a set of images as the literature does."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.inference.protocols import Failure, Pair, Protocol, made_pairs, ready_pairs
from jaxrestore.metrics.conventions import Convention, as_convention, convention_for
from jaxrestore.metrics.measures import USUAL, check_measures
from jaxrestore.metrics.report import ImageScores, Report, score_image

Restore = Callable[..., Any]
"""From a degraded image (h, w, C), float32, to the restored one (H, W, C), in [0, 1].

Where it has an attribute `takes`, as a `Restorer` has, it is given those of "sigma", "psf", "mask" and "quality" that stand in there and
are known.
"""


def evaluate_folder(
    restore: Restore,
    data: str | PathLike,
    protocol: Protocol,
    target: str | PathLike | None = None,
    convention: Convention | str | None = None,
    on_score: Callable[[ImageScores], None] | None = None,
    measures: Iterable[str] = USUAL,
) -> Report:
    """Measure on a folder: of clean images, which the protocol degrades, or of degraded images with the clean ones in `target`.

    Args:
      restore: a `Restorer`, or any function from an image to an image.
      data: folder of the clean images, or of the degraded ones where `target` is given.
      protocol: the task and how its images are degraded.
      target: folder of the clean images of ready pairs.
      convention: how images are compared, or its name; the literature's for the task by default.
      on_score: called after each image.
      measures: what is measured, names of `metrics.MEASURES`.

    Returns:
      The scores with their convention and protocol. Files that could not be used are listed in its `failures`.

    Raises:
      InputError: a folder is missing or empty, a name is unknown, or no image at all could be scored.
    """
    convention = as_convention(convention or convention_for(protocol.task, protocol.scale, protocol.channels))
    pairs = made_pairs(protocol, data) if target is None else ready_pairs(protocol, data, target)
    described = {**protocol.as_dict(ready=target is not None), "data": str(data)}
    described |= {} if target is None else {"target": str(target)}
    return evaluate(restore, pairs, convention, described, on_score, measures)


def evaluate(
    restore: Restore,
    pairs: Iterable[Pair | Failure],
    convention: Convention | str,
    protocol: Mapping[str, Any] | None = None,
    on_score: Callable[[ImageScores], None] | None = None,
    measures: Iterable[str] = USUAL,
) -> Report:
    """Restore the degraded image of each pair and score it against the clean one.

    The restored image is clipped to [0, 1]; the degraded one is scored as it is, which is how the literature states noisy PSNRs.

    Args:
      restore: any function from an image to an image.
      pairs: degraded and clean images; a `Failure` among them goes into the report.
      convention: how images are compared, or its name.
      protocol: how the pairs were made, for the report.
      on_score: called after each image.
      measures: what is measured, names of `metrics.MEASURES`.

    Raises:
      InputError: no image at all could be scored.
    """
    convention, measures = as_convention(convention), check_measures(measures)
    scores: list[ImageScores] = []
    failures: dict[str, str] = {}
    remarks: Counter[str] = Counter()
    for pair in pairs:
        if isinstance(pair, Failure):
            failures[pair.name] = pair.reason
            continue
        try:
            score = score_image(pair.name, _restored(restore, pair), pair.clean, pair.baseline, convention, measures)
        except InputError as error:
            failures[pair.name] = str(error)
            continue
        scores.append(score)
        remarks[pair.remark] += 1
        if on_score:
            on_score(score)
    if not scores:
        raise InputError(f"no image could be scored: {next(iter(failures.values()), 'there was none')}")
    notes = ["restored images were clipped to [0, 1]"]
    notes += [f"{remark} ({count} of {len(scores)})" for remark, count in remarks.items() if remark]
    return Report(convention, tuple(scores), dict(protocol or {}), failures, tuple(notes), measures)


def _restored(restore: Restore, pair: Pair) -> np.ndarray:
    known = {name: value for name, value in pair.inputs.items() if name in getattr(restore, "takes", ())}
    restored = np.asarray(restore(pair.degraded, **known), np.float32)
    if restored.shape != pair.clean.shape:
        raise InputError(f"{pair.name}: the restored image has the shape {restored.shape} and the clean one {pair.clean.shape}")
    if not np.isfinite(restored).all():
        raise InputError(f"{pair.name}: the restored image has pixels that are not finite")
    return np.clip(restored, 0.0, 1.0)
