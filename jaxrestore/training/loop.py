"""The training loop: one function that reads from top to bottom.

A run's folder holds everything: `config.json`, `checkpoints/`, `log.jsonl`, `tensorboard/`, `samples/` and, at the end,
`weights.safetensors`. Started again on the same folder it goes on from the newest checkpoint, to the bit.
"""

import contextlib
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.data.pipeline import training_batches
from jaxrestore.data.transforms import record_generator
from jaxrestore.degradations import recipes
from jaxrestore.errors import InputError
from jaxrestore.metrics import Convention, convention_for, psnr
from jaxrestore.models.card import ModelCard
from jaxrestore.models.catalogue import create_model, model_card
from jaxrestore.training.checkpoints import Checkpoints
from jaxrestore.training.config import Experiment, differences, load_experiment, to_dict
from jaxrestore.training.inputs import ValidationSet, open_source, validation_set
from jaxrestore.training.log import Log, Progress
from jaxrestore.training.masking import parted, with_mask
from jaxrestore.training.objectives.run import Objective, Run, build_objective, read_arguments
from jaxrestore.training.optimizers import learning_rate, make_optimizer
from jaxrestore.training.parallel import compile_step, make_mesh, put_batch, replicate
from jaxrestore.training.state import TrainState
from jaxrestore.training.transfer import StartingPoint, starting_point
from jaxrestore.weights import save_weights
from jaxrestore.weights.describe import describe


def main(path: str, overrides: tuple[str, ...] = ()) -> TrainState:
    """`jaxrestore train`: load an experiment and run it."""
    return train(load_experiment(path, overrides))


def train(config: Experiment) -> TrainState:
    """Train, or go on training, until `config.steps`.

    Returns:
      The last state. A SIGTERM saves a checkpoint and returns early.

    Raises:
      InputError: a field is wrong, the run's folder belongs to another configuration, a checkpoint is damaged, or the loss is not finite.
    """
    folder = Path(config.run)
    card = model_card(config.model.name)
    model = create_model(config.model.name, **config.model.fields)
    if config.precision == "bfloat16":
        model = model.clone(dtype=jnp.bfloat16)
    scales = config.scales or (getattr(model, "scale", 1),)
    degradations = {scale: _degradation(config, scale) for scale in scales}
    recipe = config.validation.recipe
    validation_recipe = recipes.parse(recipe) if recipe else degradations.get(getattr(model, "scale", 1), degradations[scales[0]])
    source = open_source(config.data)
    read_arguments(config.objective)
    _claim(folder, config)

    mesh = make_mesh()
    shard = (jax.process_index(), jax.process_count())
    if config.data.batch % shard[1]:
        raise InputError(f"data.batch = {config.data.batch} cannot be split over {shard[1]} hosts")
    batches = training_batches(
        source,
        batch_size=config.data.batch // shard[1],
        patch=config.data.patch,
        seed=config.data.seed,
        workers=config.data.workers,
        augment=config.data.augment,
        shard=shard,
    )
    classes = source.classes if getattr(model, "classes", 0) and config.data.source == "classes" else None
    if classes is not None and len(classes) != model.classes:
        raise InputError(f"{config.data.path}: holds {len(classes)} classes; set model.fields.classes={len(classes)}, not {model.classes}")
    validation = validation_set(config.validation, config.data, with_mask(model, validation_recipe), card.multiple, classes)

    checkpoints = Checkpoints(folder)
    resumed = checkpoints.latest() is not None
    start = StartingPoint.from_meta(checkpoints.meta()) if resumed else starting_point(config, model)
    optimizer = make_optimizer(config.optimizer, config.steps, start.factors)
    objectives = {
        scale: build_objective(
            Run(
                config,
                model.clone(scale=scale) if config.scales else model,
                optimizer,
                degrade,
                config.data.patch // max(scales) * scale if config.scales else None,
                start.frozen_statistics,
                start.factors,
            )
        )
        for scale, degrade in degradations.items()
    }
    objective = objectives[scales[0]]
    shape = (config.data.patch, config.data.patch, config.data.channels)
    example = {"image": jax.ShapeDtypeStruct((1, *shape), np.uint8)}
    if config.data.source == "videos":
        example = {"video": jax.ShapeDtypeStruct((1, config.data.frames, *shape), np.uint8)}
    if config.data.source == "classes":
        example["label"] = jax.ShapeDtypeStruct((1,), np.int32)
    example |= {"index": jax.ShapeDtypeStruct((1,), np.int32)}
    if config.data.source in ("pairs", "unpaired"):
        example["degraded"] = jax.ShapeDtypeStruct(_degraded_shape(source, config), np.uint8)
    state = replicate(objective.init(jax.random.key(config.seed), example, start.variables), mesh)
    if resumed:
        state = replicate(checkpoints.restore(state, batches), mesh)
        print(f"{folder}: goes on from step {int(state.step)}", file=sys.stderr)
    elif start.report:
        print(start.report, file=sys.stderr)

    step_functions = {scale: compile_step(objective.step, mesh, config.parallel) for scale, objective in objectives.items()}
    validate = _validator(model, objective, validation, _convention(config, card)) if validation is not None else None
    rate_at = learning_rate(config.optimizer, config.steps)
    meta = {**describe(model, config.model.name), "config": to_dict(config), **start.to_meta()}
    step = saved = int(state.step)
    metrics: dict[str, Any] = {}
    with (
        contextlib.closing(checkpoints),
        contextlib.closing(Log(folder, step)) as log,
        Progress(config.steps, step, config.data.batch) as progress,
        _StopRequest() as stop,
    ):
        while step < config.steps and not stop.requested:
            state, metrics = step_functions[_scale_at(step, scales, config.seed)](state, put_batch(_numbers(next(batches)), mesh))
            step += 1

            if step % config.log_every == 0 or step == config.steps:
                values = _finite(metrics, step, folder, saved)
                log.write(step, **values, learning_rate=float(rate_at(step - 1)), images_per_second=round(progress.rate(step), 2))
                progress.show(step, **values)
            score = None
            if validate is not None and (step % config.validation.every == 0 or step == config.steps):
                score, sample = validate(state)
                log.write(step, **{"validation_psnr": score["psnr"], "convention": score["convention"]})
                log.picture(step, "degraded_restored_clean", sample)
                progress.show(step, psnr=score["psnr"])
                if hasattr(objective, "validated"):
                    state, more = objective.validated(state, validation.clean)
                    state = replicate(state, mesh)
                    log.write(step, **_finite(more, step, folder, saved))
            if step % config.checkpoint_every == 0 or step == config.steps or score is not None:
                _finite(metrics, step, folder, saved)
                checkpoints.save(state, batches, meta, None if score is None else score["psnr"])
                saved = step

        if stop.requested and step > saved:
            _finite(metrics, step, folder, saved)
            checkpoints.save(state, batches, meta)
            print(f"{folder}: stopped at step {step} as asked; the same command goes on from there", file=sys.stderr)
    if step >= config.steps and jax.process_index() == 0:
        information = {"config": to_dict(config), "steps": step}
        save_weights(folder / "weights.safetensors", jax.device_get(state.variables()), model, config.model.name, information)
    return state


def _claim(folder: Path, config: Experiment) -> None:
    """Make the run's folder, or check that the run in it is this one."""
    path = folder / "config.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            changed = differences(json.loads(path.read_text()), to_dict(config))
            if changed:
                raise InputError(
                    f"{folder}: holds a run with another {', '.join(changed)}; give another folder with run=..., "
                    f"and transfer.source={folder} to start from its weights"
                )
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(to_dict(config), indent=1) + "\n")
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{folder}: cannot be used as a run's folder: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: is no JSON file; remove it or give another folder with run=...") from error


def _degraded_shape(source: Any, config: Experiment) -> tuple[int, ...]:
    if config.data.source == "unpaired":
        return (1, config.data.patch, config.data.patch, config.data.channels)
    record = source[0]
    scale = record["image"].shape[0] // record["degraded"].shape[0]
    side = config.data.patch // scale
    return (1, side, side, config.data.channels)


def _numbers(batch: dict[str, Any]) -> dict[str, np.ndarray]:
    """The parts of a batch that go to the device; the index as the 32 bits that keys are folded with."""
    kept = {name: batch[name] for name in ("image", "degraded", "label", "video") if name in batch}
    return {**kept, "index": np.asarray(batch["index"]).astype(np.uint32)}


def _finite(metrics: dict[str, Any], step: int, folder: Path, saved: int) -> dict[str, float]:
    values = {name: float(value) for name, value in metrics.items()}
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if bad:
        kept = f"the checkpoint of step {saved} is kept" if saved else "there is no checkpoint yet"
        raise InputError(
            f"{folder}: {bad[0]} is {values[bad[0]]} at step {step}, so training stops; {kept}. "
            "Lower optimizer.rate or set optimizer.clip=1.0"
        )
    return values


def _degradation(config: Experiment, scale: int) -> recipes.Recipe | None:
    text = config.degradation.replace("{scale}", str(scale))
    return recipes.parse(text) if text else None


def _scale_at(step: int, scales: tuple[int, ...], seed: int) -> int:
    """The scale of a step's batch: from the seed and the step alone, so that a resumed run goes on with the same ones."""
    return scales[int(record_generator(seed, step).integers(len(scales)))]


def _convention(config: Experiment, card: ModelCard) -> Convention:
    named = config.validation.convention
    return Convention.parse(named) if named else convention_for(card.task, card.scale, card.channels)


def _validator(
    model: Any, objective: Objective, images: ValidationSet, convention: Convention
) -> Callable[[TrainState], tuple[dict[str, Any], np.ndarray]]:
    apply = jax.jit(getattr(objective, "restore", model.apply))

    def validate(state: TrainState) -> tuple[dict[str, Any], np.ndarray]:
        variables = state.variables()
        inputs = [parted(model, image[None]) for image in images.degraded]
        if images.labels is not None:
            inputs = [(*parts, images.labels[i : i + 1]) for i, parts in enumerate(inputs)]
        restored = [np.clip(np.asarray(apply(variables, *parts)), 0.0, 1.0)[0] for parts in inputs]
        scores = [float(psnr(a, b, convention)) for a, b in zip(restored, images.clean, strict=True)]
        first = images.degraded[0][..., : images.clean.shape[-1]]  # behind it there may be a mask
        if first.shape != restored[0].shape:
            repeat = restored[0].shape[0] // first.shape[0]
            first = first.repeat(repeat, 0).repeat(repeat, 1)
        sample = np.concatenate([np.clip(first, 0.0, 1.0), restored[0], images.clean[0]], axis=1)
        return {"psnr": float(np.mean(scores)), "convention": convention.name}, sample

    return validate


class _StopRequest:
    """Set by SIGTERM; the loop looks at it between steps."""

    def __init__(self) -> None:
        self.requested = False
        self.previous: Any = None

    def __enter__(self) -> "_StopRequest":
        # Only the main thread may listen to signals.
        if threading.current_thread() is threading.main_thread():
            self.previous = signal.signal(signal.SIGTERM, self._set)
        return self

    def _set(self, *_: object) -> None:
        self.requested = True

    def __exit__(self, *_: object) -> None:
        if self.previous is not None:
            signal.signal(signal.SIGTERM, self.previous)
