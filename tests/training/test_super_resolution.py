"""What super-resolution asks of training: a scale for each batch, rates for single layers, supervision on the way, luma and borders."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.degradations import recipes
from jaxrestore.errors import InputError
from jaxrestore.losses import mse
from jaxrestore.models.catalogue import create_model
from jaxrestore.nn.initialise import initialise
from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation
from jaxrestore.training.inputs import validation_set
from jaxrestore.training.loop import train
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.training.transfer import starting_point

FLAT = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 1), dtype=np.uint8)


def experiment(run, name, fields, **changes) -> Experiment:
    data = Data("dead_leaves", source="dead_leaves", patch=24, batch=8, channels=3)
    common = dict(degradation="downsample:scale=4", steps=4, log_every=2, checkpoint_every=100, run=str(run))
    return Experiment(Model(name, fields), **{"data": data, **common, **changes})


def test_a_network_for_several_scales_learns_one_scale_in_each_batch(tmp_path):
    config = experiment(
        tmp_path,
        "mdsr_baseline",
        {"features": 4, "depth": 1},
        degradation="downsample:scale={scale}",
        scales=(2, 3, 4),
        steps=6,
        optimizer=Optimizer(name="sgd", rate=1e-4, schedule="constant", ema=None),
        validation=Validation("dead_leaves", crop=25, images=1, every=6),
    )
    before = train_from(config)
    state = train(config)
    moved = {name for name, old in before.items() if not jax.tree.all(jax.tree.map(np.array_equal, old, state.params[name]))}
    assert {"head", "tail", "block_0", "upsample_x2", "upsample_x3", "upsample_x4"} <= moved
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["convention"] for line in lines if "convention" in line] == ["luma+border4+round8"]


def train_from(config: Experiment):
    """The parameters that a run starts with."""
    model = create_model(config.model.name, **config.model.fields)
    initial, _ = jax.random.split(jax.random.key(config.seed))
    return jax.device_get(initialise(model, initial, jax.ShapeDtypeStruct((1, 8, 8, 3), np.float32))["params"])


def test_smaller_scales_take_the_corner_that_gives_an_input_of_one_size():
    model = create_model("espcn_x4", features=(4, 4))
    shapes = set()
    for scale in (2, 3, 4):
        degrade = recipes.parse(f"downsample:scale={scale}")
        objective = Supervised(model.clone(scale=scale), mse, optax.sgd(0.1), degrade, side=24 // 4 * scale)
        degraded, clean = objective.inputs(jax.random.key(0), {"image": FLAT, "index": np.arange(2, dtype=np.uint32)})
        assert clean.shape == (2, 6 * scale, 6 * scale, 1)
        shapes.add(degraded.shape)
    assert shapes == {(2, 6, 6, 1)}


def test_layers_have_rates_of_their_own(tmp_path):
    rates = Optimizer(rates={"enlarge": 0.1, "*/bias": 0.5})
    config = experiment(tmp_path, "fsrcnn_x4", {}, optimizer=rates)
    start = starting_point(config, create_model("fsrcnn_x4"))
    assert start.variables is None
    found = {(name.split("/")[0], name.split("/")[-1].split("_")[0]): rate for name, rate in start.rates.items()}
    assert found["conv_0", "kernel"] == 1.0
    assert found["conv_0", "bias"] == 0.5
    assert found["enlarge", "kernel"] == 0.1
    assert found["enlarge", "bias"] == pytest.approx(0.05)
    with pytest.raises(InputError, match=r"optimizer\.rates: 'enlarged' matches no parameter"):
        starting_point(experiment(tmp_path, "fsrcnn_x4", {}, optimizer=Optimizer(rates={"enlarged": 0.1})), create_model("fsrcnn_x4"))


def test_supervision_shares_the_loss_with_the_images_on_the_way():
    model = create_model("drcn", recursions=2, features=4)
    batch = {"image": FLAT, "index": np.arange(2, dtype=np.uint32)}
    degrade = recipes.parse("low_resolution:scale=2")

    def objective(share):
        return Supervised(model, mse, optax.sgd(0.0), degrade, supervision=share)

    state = objective(0.0).init(jax.random.key(0), batch)
    losses = [float(jax.jit(objective(share).step)(state, batch)[1]["loss"]) for share in (0.0, 0.25)]
    degraded, clean = objective(0.0).inputs(state.key, batch)
    restored, sown = model.apply(state.variables(), degraded, mutable="intermediates")
    ends = [float(jnp.mean((image - clean) ** 2)) for image in (restored, *sown["intermediates"]["restored"])]
    assert losses[0] == pytest.approx(ends[0], rel=1e-5)
    assert losses[1] == pytest.approx(0.75 * ends[0] + 0.25 * np.mean(ends[1:]), rel=1e-5)


def test_validation_crops_shrink_to_whole_pixels():
    data = Data("dead_leaves", source="dead_leaves", channels=1)
    images = validation_set(Validation("dead_leaves", crop=32, images=1), data, recipes.parse("downsample:scale=3"), 2)
    assert images is not None
    assert images.clean.shape == (1, 30, 30, 1)
    assert images.degraded.shape == (1, 10, 10, 1)
    images = validation_set(Validation("dead_leaves", crop=32, images=1), data, recipes.parse("downsample:scale=3"), 256)
    assert images is not None
    assert images.clean.shape == (1, 30, 30, 1)  # the network pads what is smaller than it takes
