"""Train the generative recipes at a reduced size, as their experiments' docstrings say, and measure them on other pictures.

Run it where the folders T91 and Set5 are:

    python -m benchmarks.generative_short_runs generative/pixelcnn generative/cvae     trains these two
    python -m benchmarks.generative_short_runs --table                                 writes results/generative_short_runs.{json,md}
"""

import dataclasses
import sys
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.short_runs import Row, run_or_collect, train_reduced
from jaxrestore.degradations import recipes
from jaxrestore.models.restoration.video_unet import fill_in_time
from jaxrestore.ops.resize import imresize
from jaxrestore.training.config import Experiment
from jaxrestore.training.inputs import validation_set
from jaxrestore.training.objectives.autoregressive import negative_log_likelihood
from jaxrestore.training.objectives.clips import moving_window
from jaxrestore.typing import Variables

NAMES = tuple(
    f"generative/{name}"
    for name in (
        *("pixelcnn", "residual_pixelcnn", "gated_pixelcnn", "pixel_recursive"),
        *("cvae", "cvae_gan", "cgan", "fm_cgan", "tgan", "video_unet"),
    )
)


def psnr(a: Any, b: Any) -> float:
    """PSNR in dB of a whole array, clipped to [0, 1]."""
    return float(-10 * np.log10(np.mean(np.square(np.clip(a, 0, 1) - np.asarray(b, np.float64)))))


def bits(logits: jax.Array, image: jax.Array) -> float:
    """Bits per value."""
    return float(jnp.mean(negative_log_likelihood(logits, image)) / np.log(2))


def held_out(config: Experiment, side: int) -> np.ndarray:
    """The middles of Set5's pictures."""
    validation = dataclasses.replace(config.validation, path="Set5", crop=side, images=5)
    images = validation_set(validation, config.data, recipes.parse("gaussian:sigma=0"), 1)
    assert images is not None
    return np.asarray(images.clean)


def measured(name: str, config: Experiment, model: nn.Module, variables: Variables) -> Row:
    """What a network does on pictures it was not trained on, and what it is compared with."""
    key, side = jax.random.key(7), getattr(model, "image_size", config.data.patch)
    degrade = recipes.parse(config.degradation) if config.degradation else None
    if name == "tgan":
        video = jax.jit(model.apply)(variables, jax.random.uniform(key, (4, model.slow), minval=-1.0, maxval=1.0))
        return {"measure": "difference of two videos, mean of squares", "after": float(jnp.mean(jnp.square(video[0] - video[1])))}
    if name == "video_unet":
        pictures = held_out(config, 48)
        clips = jnp.stack([moving_window(jax.random.fold_in(key, i), x, 5, 32) for i, x in enumerate(pictures)])
        noisy = jax.vmap(jax.vmap(degrade))(jax.random.split(key, clips.shape[:2]), clips)
        gone = jnp.zeros((len(clips), 5), bool).at[:, 2].set(True)
        restored, filled = jax.jit(model.apply)(variables, noisy, gone), fill_in_time(noisy, gone)
        return {
            "measure": "PSNR, dB: all frames; the missing one",
            "before": [psnr(filled, clips), psnr(filled[:, 2], clips[:, 2])],
            "after": [psnr(restored, clips), psnr(restored[:, 2], clips[:, 2])],
        }
    clean = jnp.asarray(held_out(config, side))
    if name.endswith("pixelcnn"):
        return {"measure": "bits per value", "before": float(np.log2(model.levels)), "after": bits(model.apply(variables, clean), clean)}
    degraded = jax.vmap(degrade)(jax.random.split(key, len(clean)), clean)
    if name == "pixel_recursive":
        both, told = jax.jit(lambda v, *x: model.apply(v, *x, method="distributions"))(variables, degraded, clean)
        enlarged = imresize(np.asarray(degraded), size=clean.shape[1:3])
        return {
            "measure": "bits per value: conditioning network alone, both; PSNR, dB, of the greedy image beside bicubic interpolation",
            "before": [float(np.log2(model.levels)), psnr(enlarged, clean)],
            "after": [bits(told, clean), bits(both, clean), psnr(jax.jit(model.apply)(variables, degraded), clean)],
        }
    return {"measure": "PSNR, dB", "before": psnr(degraded, clean), "after": psnr(jax.jit(model.apply)(variables, degraded), clean)}


def short_run(name: str) -> Row:
    """Train one network at its reduced size."""
    return train_reduced(name, lambda config, model, variables, log: measured(name.split("/")[1], config, model, variables))


def shown(value: Any) -> str:
    """Numbers as a table has them."""
    if value is None:
        return ""
    return "; ".join(f"{x:.3g}" if abs(x) < 1 else f"{x:.2f}" for x in (value if isinstance(value, list) else [value]))


def table(rows: list[Row], missing: list[str]) -> str:
    """The results in words and as a table."""
    lines = [
        "# Short runs of the generative recipes",
        "",
        "Each network at the reduced size of the second command in its experiment's docstring, trained on the 91 images on two CPU",
        "cores, loaded, and measured on the middles of Set5's pictures. These runs show that a recipe learns, not what the network",
        "reaches. Before: the degraded image (a missing frame on a straight line between its neighbours; bicubic interpolation), or",
        "equal probabilities. Losses of games need not fall. Time includes compilation and waiting for the cores.",
        "",
        "| experiment | steps | parameters | loss, first to last | measure | before | after | seconds |",
        "|---|---:|---:|---|---|---|---|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row['experiment']} | {row['steps']:,} | {row['parameters']:,} | {row['first_loss']:.4g} to {row['last_loss']:.4g} | "
            f"{row['measure']} | {shown(row.get('before'))} | {shown(row['after'])} | {row['seconds']} |"
        )
    lines += ["", f"Not run: {', '.join(missing)}." if missing else "Every recipe was run."]
    below = [row["experiment"] for row in rows if row["measure"] == "PSNR, dB" and row["after"] < row["before"]]
    if below:
        lines += [
            "",
            f"Below the degraded image: {', '.join(below)}. A code of 32 numbers does not hold an arbitrary crop of a photograph; these",
            "networks are made for aligned pictures of known classes, and the games among them have only begun after so few steps.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run_or_collect(sys.argv[1:], NAMES, "generative_short_runs", short_run, table)
