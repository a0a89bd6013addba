"""An experiment as data: frozen dataclasses, a Python file that builds one, and `field.subfield=value` on the command line."""

import ast
import dataclasses
import difflib
import json
import runpy
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaxrestore.errors import InputError
from jaxrestore.losses import formula
from jaxrestore.text import unknown
from jaxrestore.training.objectives import OBJECTIVES

SOURCES = ("folder", "classes", "pairs", "unpaired", "videos", "array_record", "tfds", "dead_leaves")
"""Where images can come from."""


@dataclass(frozen=True)
class Model:
    """Which network.

    Attributes:
      name: a name of the catalogue.
      fields: fields of the module that differ from the card's, such as {"features": 32}.
    """

    name: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """Which images, and how they are cut into batches.

    Attributes:
      source: "folder", "classes" (a folder with a subfolder for each class, whose number is the label of its images), "pairs", "unpaired"
        (two folders whose images do not belong together), "videos" (a folder of video files or of folders of frames), "array_record",
        "tfds" or "dead_leaves" (images that are made, so that nothing needs to be downloaded).
      path: the folder, file or TFDS name.
      target: for "pairs" and "unpaired": the folder of clean images; `path` then holds the degraded ones.
      channels: 3 for RGB, 1 for grey or luma.
      color: what a colour picture becomes in one channel: "gray", or "luma" (BT.601, studio range), as super-resolution takes it.
      patch: side of the random crops of the clean images, in pixels.
      batch: images in a batch, over all devices and hosts.
      augment: random choice of the 8 flips and rotations.
      workers: processes that decode and crop; 0 does it in the training process.
      cache: "memory" keeps decoded images, "none" decodes again.
      seed: of the order, the crops and the flips.
      frames: of a clip, for "videos".
    """

    path: str
    source: str = "folder"
    target: str | None = None
    channels: int = 3
    color: str = "gray"
    patch: int = 64
    batch: int = 16
    augment: bool = True
    workers: int = 0
    cache: str = "memory"
    seed: int = 0
    frames: int = 16


@dataclass(frozen=True)
class Objective:
    """What is minimised.

    Attributes:
      name: one of `jaxrestore.training.objectives.OBJECTIVES`.
      arguments: those of its `build` that differ from their defaults, such as {"game": "hinge"}.
    """

    name: str = "supervised"
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimizer:
    """How parameters move.

    Attributes:
      name: "adam", "adamw", "sgd" (with momentum 0.9) or "rmsprop".
      rate: highest learning rate.
      schedule: "constant", "cosine" or "exponential" (both down to `final_rate`), "linear" (constant until the first of `milestones`, then
        straight down to `final_rate`), "step" (halved `halvings` times at equal distances), or "milestones" (multiplied by `factor` at each
        of `milestones`).
      final_rate: learning rate at the end of a cosine, exponential or linear schedule.
      halvings: for "step".
      milestones: steps, for "milestones" and "linear".
      factor: for "milestones".
      warmup: steps of linear rise at the start.
      hold: steps at the highest rate after it, before a cosine, exponential or step schedule begins.
      betas: shares of the old averages of the gradient and of its square kept at each step of "adam" and "adamw"; the
        momentum and the share of the old average of the square of "rmsprop".
      weight_decay: decoupled for "adamw"; added to the gradient for "adam" and "sgd".
      clip: largest global norm of the gradient; None does not clip.
      adjustable_clip: each element of the gradient is clipped to +- this / the learning rate, so that high rates move no weight further
        than low ones (VDSR); None does not clip.
      rates: factors on the learning rate of the parameters that name patterns name, such as {"reconstruction": 0.1}; where several do,
        their product.
      accumulate: parts into which a batch is cut, one after the other, to save memory; the gradient is their mean.
      ema: share of the old average kept at each step in the exponential moving average of the parameters; None keeps no average.
    """

    name: str = "adam"
    rate: float = 1e-3
    schedule: str = "cosine"
    final_rate: float = 1e-6
    halvings: int = 4
    milestones: tuple[int, ...] = ()
    factor: float = 0.5
    warmup: int = 0
    hold: int = 0
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    clip: float | None = None
    adjustable_clip: float | None = None
    rates: dict[str, float] = field(default_factory=dict)
    accumulate: int = 1
    ema: float | None = 0.999


@dataclass(frozen=True)
class Transfer:
    """Where initial weights come from.

    Attributes:
      source: a weights file, a training run's folder or a pretrained tag; None starts from the initialisers.
      freeze: name patterns of parameters that do not move, such as "conv_0/*".
      rate: factor on the learning rate of transferred parameters.
    """

    source: str | None = None
    freeze: tuple[str, ...] = ()
    rate: float = 1.0


@dataclass(frozen=True)
class Validation:
    """What is measured while training.

    Attributes:
      path: folder of clean images; None validates nothing.
      recipe: degradation of the validation images; None takes the training's.
      crop: side of the centre crop that is measured.
      images: at most this many images.
      convention: how PSNR is measured, such as "luma+border3+round8"; None takes the convention of the network's task and scale.
      every: steps between validations.
    """

    path: str | None = None
    recipe: str | None = None
    crop: int = 128
    images: int = 16
    convention: str | None = None
    every: int = 1000


@dataclass(frozen=True)
class Experiment:
    """A training run.

    Attributes:
      model: the network.
      data: the images.
      objective: what is minimised, and against whom.
      degradation: recipe that makes the network's input from a clean image, on the device; "" for paired data and
        for objectives that degrade nothing.
      scales: for networks with a `scale` that share their weights between scales: one of these is drawn for each batch and stands for
        {scale} in `degradation`; `data.patch` is that of the largest, and the others take the corner of it that gives an input of one size.
      loss: what is minimised: a loss of `losses.formula.LOSSES` or a weighted sum, such as "charbonnier:epsilon=1e-4" or "l1+0.1*fft".
      supervision: share, in the loss, of the mean loss of the images that the network makes on its way (its "intermediates").
      steps: optimiser steps in all.
      optimizer: how parameters move.
      transfer: where initial weights come from.
      validation: what is measured on the way.
      precision: "float32" or "bfloat16" (computation; parameters stay float32).
      remat: levels of the networks' blocks whose insides are computed again for the gradient instead of kept, which saves memory for time:
        0 keeps everything, 1 is for the outermost blocks, 2 for the blocks in these as well.
      parallel: "jit", "shard_map" or "pmap": how a step is spread over the devices; all give the same numbers.
      seed: of the initial weights and the degradations.
      log_every: steps between lines of the log.
      checkpoint_every: steps between checkpoints.
      run: folder of the run: checkpoints, log, sample pictures, final weights.
    """

    model: Model
    data: Data
    run: str
    degradation: str = ""
    scales: tuple[int, ...] = ()
    objective: Objective = Objective()
    loss: str = "l1"
    supervision: float = 0.0
    steps: int = 1000
    optimizer: Optimizer = Optimizer()
    transfer: Transfer = Transfer()
    validation: Validation = Validation()
    precision: str = "float32"
    remat: int = 0
    parallel: str = "jit"
    seed: int = 0
    log_every: int = 50
    checkpoint_every: int = 500

    def __post_init__(self) -> None:
        _one_of("data.source", self.data.source, SOURCES)
        _one_of("data.color", self.data.color, ("gray", "luma"))
        _one_of("data.cache", self.data.cache, ("memory", "none"))
        _one_of("optimizer.name", self.optimizer.name, ("adam", "adamw", "sgd", "rmsprop"))
        _one_of("optimizer.schedule", self.optimizer.schedule, ("constant", "cosine", "exponential", "linear", "step", "milestones"))
        if self.objective.name not in OBJECTIVES:
            raise InputError(unknown("objective", self.objective.name, OBJECTIVES))
        formula.parse(self.loss)
        _one_of("precision", self.precision, ("float32", "bfloat16"))
        _one_of("parallel", self.parallel, ("jit", "shard_map", "pmap"))
        _positive("steps", self.steps)
        for name in ("patch", "batch", "frames"):
            _positive(f"data.{name}", getattr(self.data, name))
        for name in ("log_every", "checkpoint_every"):
            _positive(name, getattr(self, name))
        if self.remat < 0:
            raise InputError(f"remat = {self.remat}: must be at least 0")
        _positive("optimizer.accumulate", self.optimizer.accumulate)
        if self.data.batch % self.optimizer.accumulate:
            raise InputError(
                f"data.batch = {self.data.batch} cannot be cut in optimizer.accumulate = {self.optimizer.accumulate} equal parts"
            )
        if not 0.0 <= self.supervision < 1.0:
            raise InputError(f"supervision = {self.supervision}: must be at least 0 and below 1")
        if self.scales and ("{scale}" not in self.degradation or self.data.patch % max(self.scales) or min(self.scales) < 1):
            raise InputError(
                f"scales = {self.scales}: degradation must hold {{scale}} and data.patch = {self.data.patch} be a multiple of the largest"
            )
        two_folders = self.data.source in ("pairs", "unpaired")
        if two_folders and self.data.target is None:
            raise InputError(f'data.target is missing: data.source = "{self.data.source}" needs the folder of clean images')
        if self.data.source == "unpaired" and self.objective.name == "supervised":
            raise InputError('data.source = "unpaired": the objective supervised needs images that belong together')
        if self.data.source == "videos" and self.objective.name not in ("video", "video_game"):
            raise InputError(f'data.source = "videos": the objective {self.objective.name} takes images; video and video_game take clips')
        if not two_folders and not self.degradation and self.objective.name == "supervised":
            raise InputError('degradation is empty: say which recipe makes the input, such as "gaussian:sigma=25"')


# What may change between a run and its continuation without changing what is computed.
RESUMABLE = ("steps", "log_every", "checkpoint_every", "run", "validation", "data.workers", "data.cache", "parallel", "remat")


def load_experiment(path: str | Path, overrides: tuple[str, ...] | list[str] = ()) -> Experiment:
    """The `config` of an experiment's file, with `field.subfield=value` changes applied.

    Raises:
      InputError: no such file, no `config` in it, an unknown field or a value of the wrong type.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such experiment file")
    try:
        config = runpy.run_path(str(path)).get("config")
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: running it failed: {type(error).__name__}: {error}") from error
    if not isinstance(config, Experiment):
        raise InputError(f"{path}: it must define `config`, a jaxrestore.training.config.Experiment")
    for override in overrides:
        name, equals, text = override.partition("=")
        if not equals:
            raise InputError(f"{override!r}: write field=value, such as optimizer.rate=1e-4")
        config = _replace(config, name.split("."), text, name)
    return config


def to_dict(config: Experiment) -> dict[str, Any]:
    """Plain JSON types."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Fields in which two configurations differ such that one cannot continue the other. A field that one lacks has its default there."""
    return _differences(_completed(Experiment, old), _completed(Experiment, new), "")


def _completed(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    """A written configuration with the fields that were added since."""
    hints, result = typing.get_type_hints(kind), dict(values)
    for known in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[known.name]):
            result[known.name] = _completed(hints[known.name], result.get(known.name, {}))
        elif known.default is not dataclasses.MISSING:
            result.setdefault(known.name, json.loads(json.dumps(known.default)))
        elif known.default_factory is not dataclasses.MISSING:
            result.setdefault(known.name, known.default_factory())
    return result


def _differences(old: dict[str, Any], new: dict[str, Any], prefix: str) -> list[str]:
    names = []
    for key in sorted({*old, *new}):
        name = prefix + key
        if name in RESUMABLE or old.get(key) == new.get(key):
            continue
        both = isinstance(old.get(key), dict) and isinstance(new.get(key), dict)
        names += _differences(old[key], new[key], f"{name}.") if both else [name]
    return names


def _replace(config: Any, path: list[str], text: str, full: str) -> Any:
    known = [f.name for f in dataclasses.fields(config)]
    head, *rest = path
    if head not in known:
        near = difflib.get_close_matches(head, known, n=1)
        raise InputError(f"unknown field {full!r}: {f'did you mean {near[0]!r}?' if near else 'there are ' + ', '.join(known)}")
    value = getattr(config, head)
    if rest and isinstance(value, dict):
        new: Any = _entered(value, rest, text)
    elif rest and dataclasses.is_dataclass(value):
        new = _replace(value, rest, text, full)
    elif rest or dataclasses.is_dataclass(value):
        raise InputError(
            f"{full!r} is {'not a group' if rest else 'a group'} of fields: " + ("set it directly" if rest else "name one of its fields")
        )
    else:
        new = _typed(typing.get_type_hints(type(config))[head], _literal(text), text, full)
    return dataclasses.replace(config, **{head: new})


def _entered(values: dict[str, Any], path: list[str], text: str) -> dict[str, Any]:
    head, *rest = path
    if rest and isinstance(values.get(head), dict):
        return {**values, head: _entered(values[head], rest, text)}
    return {**values, ".".join(path): _literal(text)}


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _typed(kind: Any, value: Any, text: str, name: str) -> Any:
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    plain = tuple(typing.get_origin(k) or k for k in kinds)
    if value is None and types.NoneType in plain:
        return None
    if str in plain and not isinstance(value, str):
        value = text
    if tuple in plain:
        value = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, (list, tuple)) else value
    if float in plain and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, plain) or (isinstance(value, bool) and bool not in plain):
        raise InputError(f"{name} = {text}: expected {' or '.join(k.__name__ for k in plain)}")
    return value


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} = {value!r}: choose one of {', '.join(known)}")


def _positive(name: str, value: int) -> None:
    if value < 1:
        raise InputError(f"{name} = {value}: must be at least 1")
