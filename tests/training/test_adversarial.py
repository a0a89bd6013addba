"""The adversarial game: hand-computed losses, whose parameters move, many devices, exact resumption."""

from dataclasses import replace
from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import safetensors.numpy

from jaxrestore.degradations.recipes import parse
from jaxrestore.errors import InputError
from jaxrestore.losses.adversarial import GAMES
from jaxrestore.losses.perceptual import texture
from jaxrestore.losses.pixel import mse
from jaxrestore.models.features.vgg import VGG
from jaxrestore.models.super_resolution.srresnet import SRGANDiscriminator
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import initialise, ones, parameter
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.training.checkpoints import Checkpoints
from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer
from jaxrestore.training.objectives.adversarial import Adversarial
from jaxrestore.training.objectives.feature_loss import FeatureLoss
from jaxrestore.training.objectives.image_pool import empty_pool, exchange
from jaxrestore.training.objectives.networks import Partner
from jaxrestore.training.objectives.run import Run, build_objective
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.training.parallel import compile_step, make_mesh, put_batch, replicate
from jaxrestore.weights import to_reference
from tests.compiled import compiled
from tests.training.test_checkpoints import numbers
from tests.training.test_parallel import MODES


class Gain(nn.Module):
    """A generator of one number: gain * image."""

    @nn.compact
    def __call__(self, image):
        return parameter(self, "gain", ones, (1,), jnp.float32).reshape(1, 1, 1, 1) * image


class Critic(nn.Module):
    """A discriminator of one number for each pixel: scores slope * (mean over channels)."""

    @nn.compact
    def __call__(self, image):
        return parameter(self, "slope", ones, (1,), jnp.float32).reshape(1, 1) * jnp.mean(image, -1).reshape(len(image), -1)


class Judge(nn.Module):
    """A small discriminator with everything a real one has."""

    @nn.compact
    def __call__(self, image, train=False):
        x = nn.leaky_relu(Conv(4, 3, 2, name="conv_0")(image))
        return Conv(1, use_bias=False, name="conv_1")(BatchNorm(name="norm")(Conv(4, use_bias=False, name="middle")(x), train))


def darken(key, image):
    return 0.5 * image


def batch_of(step: int, size: int = 8, side: int = 6) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(step)
    image = generator.integers(0, 256, (size, side, side, 1), dtype=np.uint8)
    return {"image": image, "index": np.arange(step * size, (step + 1) * size, dtype=np.uint32)}


def tiny(game="vanilla", rate=0.0, **fields) -> Adversarial:
    generator = Supervised(Gain(), mse, optax.sgd(rate), darken, ema=0.9)
    return Adversarial(generator, Partner(Critic(), optax.sgd(0.1)), GAMES[game], **{"weight": 0.5, **fields})


def start(objective, gain=1.0, slope=1.0):
    state = objective.init(jax.random.key(0), batch_of(0), {"params": {"gain": jnp.full((1,), gain)}})
    partner = {**state.extra["discriminator"], "params": {"slope": jnp.full((1,), slope)}}
    return state.replace(extra={**state.extra, "discriminator": partner})


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


def test_losses_are_those_computed_by_hand():
    clean = batch_of(0)["image"].astype(np.float64) / 255.0
    restored = 0.7 * 0.5 * clean
    _, metrics = compiled(tiny().step)(start(tiny(), 0.7, 2.0), batch_of(0))
    adversarial = -np.mean(log_sigmoid(2.0 * restored))
    content = np.mean((restored - clean) ** 2)
    np.testing.assert_allclose(metrics["adversarial"], adversarial, rtol=1e-5)
    np.testing.assert_allclose(metrics["content"], content, rtol=1e-5)
    np.testing.assert_allclose(metrics["loss"], content + 0.5 * adversarial, rtol=1e-5)
    expected = -np.mean(log_sigmoid(2.0 * clean)) - np.mean(log_sigmoid(-2.0 * restored))
    np.testing.assert_allclose(metrics["discriminator"], expected, rtol=1e-5)


def test_the_relative_game_by_hand_and_without_content():
    objective = tiny("relativistic_average", content=0.0)
    clean = batch_of(0)["image"].astype(np.float64) / 255.0
    real, fake = 2.0 * clean, 2.0 * 0.5 * clean
    _, metrics = compiled(objective.step)(start(objective, 1.0, 2.0), batch_of(0))
    real, fake = real - fake.mean(), fake - real.mean()
    np.testing.assert_allclose(metrics["discriminator"], -np.mean(log_sigmoid(real)) - np.mean(log_sigmoid(-fake)), rtol=1e-5)
    np.testing.assert_allclose(metrics["adversarial"], -np.mean(log_sigmoid(-real)) - np.mean(log_sigmoid(fake)), rtol=1e-5)
    assert "content" not in metrics
    np.testing.assert_allclose(metrics["loss"], 0.5 * metrics["adversarial"], rtol=1e-6)


def test_the_penalty_of_a_linear_critic_is_exact():
    objective = tiny("wasserstein", penalty=10.0, weight=0.0)
    _, metrics = compiled(objective.step)(start(objective, 1.0, 0.3), batch_of(0))
    clean = batch_of(0)["image"].astype(np.float64) / 255.0
    # The sum of 36 scores, each with the gradient 0.3.
    penalty = 10.0 * (np.sqrt(36 * 0.3**2) - 1.0) ** 2
    np.testing.assert_allclose(metrics["discriminator"], 0.3 * np.mean(0.5 * clean - clean) + penalty, rtol=1e-5)


@pytest.mark.parametrize("first", [False, True])
def test_each_network_moves_by_its_own_gradient(first):
    objective = tiny("least_squares", rate=0.1, discriminator_first=first, weight=1.0)
    state = start(objective, 0.7, 2.0)
    new, metrics = compiled(objective.step)(state, batch_of(0))
    clean = batch_of(0)["image"].astype(np.float64) / 255.0
    degraded = 0.5 * clean

    def discriminator(slope):
        return np.mean((slope * clean - 1.0) ** 2) + np.mean((slope * 0.7 * degraded) ** 2)

    def generator(gain, slope):
        return np.mean((gain * degraded - clean) ** 2) + np.mean((slope * gain * degraded - 1.0) ** 2)

    def slope_of(function, at):
        return (function(at + 1e-5) - function(at - 1e-5)) / 2e-5

    slope = 2.0 - 0.1 * slope_of(discriminator, 2.0)
    np.testing.assert_allclose(new.extra["discriminator"]["params"]["slope"][0], slope, rtol=1e-5)
    against = partial(generator, slope=slope if first else 2.0)
    np.testing.assert_allclose(new.params["gain"][0], 0.7 - 0.1 * slope_of(against, 0.7), rtol=1e-5)
    np.testing.assert_allclose(metrics["gradient_norm"], abs(slope_of(against, 0.7)), rtol=1e-4)


def test_the_generator_stays_until_its_turn():
    objective = tiny("wasserstein", rate=0.1, critic_steps=3)
    step, state, gains = compiled(objective.step), start(objective), []
    for i in range(6):
        before = state
        state, metrics = step(state, batch_of(i))
        gains.append(float(state.params["gain"][0]))
        moved = (i + 1) % 3 == 0
        assert (float(metrics["gradient_norm"]) > 0.0) == moved
        assert (gains[-1] != float(before.params["gain"][0])) == moved
        assert (float(state.ema["gain"][0]) != float(before.ema["gain"][0])) == moved
        assert not np.array_equal(state.extra["discriminator"]["params"]["slope"], before.extra["discriminator"]["params"]["slope"])
    assert len(set(gains)) == 3
    assert int(state.step) == 6


def test_a_still_discriminator_and_a_still_generator_stay_still():
    objective = tiny(rate=0.1)
    still = replace(objective, discriminator=Partner(Critic(), optax.sgd(0.0)))
    new, _ = compiled(still.step)(start(still), batch_of(0))
    assert float(new.extra["discriminator"]["params"]["slope"][0]) == 1.0
    assert float(new.params["gain"][0]) != 1.0
    new, _ = compiled(tiny(rate=0.0).step)(start(tiny()), batch_of(0))
    assert float(new.params["gain"][0]) == 1.0
    assert float(new.extra["discriminator"]["params"]["slope"][0]) != 1.0


def test_conditional_discriminators_see_both_images():
    objective = tiny(conditional=True)
    _, metrics = compiled(objective.step)(start(objective, 0.7, 2.0), batch_of(0))
    degraded = 0.5 * batch_of(0)["image"].astype(np.float64) / 255.0
    scores = 2.0 * (0.7 * degraded + degraded) / 2
    np.testing.assert_allclose(metrics["adversarial"], -np.mean(log_sigmoid(scores)), rtol=1e-5)
    smaller = replace(objective, generator=replace(objective.generator, degrade=lambda key, image: image[::2, ::2]))
    with pytest.raises(InputError, match="conditional: the degraded image"):
        smaller.init(jax.random.key(0), batch_of(0), {"params": {"gain": jnp.ones(1)}})


def test_the_pool_fills_then_gives_back_what_it_was_given():
    pool, step = empty_pool(4, (1, 1, 1)), compiled(exchange)
    seen = []
    for i in range(20):
        images = jnp.arange(3.0).reshape(3, 1, 1, 1) + 3 * i
        pool, given = step(pool, jax.random.key(i), images)
        assert int(pool["count"]) == min(3 * (i + 1), 4)
        if i == 0:
            np.testing.assert_array_equal(given, images)
        if i == 1:
            np.testing.assert_array_equal(given[0], images[0])
        seen += np.ravel(given).tolist()
    assert all(value <= place for place, value in enumerate(seen))  # nothing is given before it was put in
    old = np.mean([value != place for place, value in enumerate(seen[4:], start=4)])
    assert 0.3 < old < 0.7
    left = np.ravel(pool["images"]).tolist()
    assert len({*left}) == 4


def full() -> Adversarial:
    return Adversarial(
        Supervised(Gain(), mse, optax.adam(1e-2), lambda key, image: image + 0.1 * jax.random.normal(key, image.shape), ema=0.9),
        Partner(Judge(), optax.adam(1e-2)),
        GAMES["relativistic_average"],
        weight=0.5,
        pool=5,
    )


def three_steps(objective, mode, devices, state=None, first=0, batches=batch_of):
    mesh = make_mesh(devices)
    state = objective.init(jax.random.key(0), batches(0)) if state is None else state
    step, state = compile_step(objective.step, mesh, mode), replicate(state, mesh)
    for i in range(first, 3):
        state, metrics = step(state, put_batch(batches(i), mesh))
    return jax.device_get(state), jax.device_get(metrics)


@pytest.fixture(scope="module")
def alone():
    return three_steps(full(), "jit", 1)


@pytest.mark.parametrize("mode", MODES)
def test_every_way_gives_the_same_numbers(alone, mode):
    state, metrics = three_steps(full(), mode, 8)
    chex.assert_trees_all_close(metrics, alone[1], rtol=2e-5)
    chex.assert_trees_all_close(state.params, alone[0].params, atol=1e-6)
    chex.assert_trees_all_close(state.extra, alone[0].extra, atol=2e-5)


def test_penalties_and_turns_are_the_same_on_many_devices():
    objective = replace(full(), game=GAMES["wasserstein"], penalty=10.0, critic_steps=2, discriminator=Partner(Critic(), optax.adam(1e-2)))
    expected, _ = three_steps(objective, "jit", 1)
    state, _ = three_steps(objective, "shard_map", 8)
    chex.assert_trees_all_close(state.params, expected.params, atol=1e-6)
    chex.assert_trees_all_close(state.extra, expected.extra, atol=1e-5)


def test_a_checkpoint_keeps_both_networks_and_the_pool_to_the_bit(alone, tmp_path):
    objective = full()
    state = objective.init(jax.random.key(0), batch_of(0))
    fresh = jax.tree.map(jnp.copy, state)
    after, _ = compile_step(objective.step, make_mesh(1))(replicate(state, make_mesh(1)), put_batch(batch_of(0), make_mesh(1)))
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(after, numbers(), {"rates": None})
    restored = checkpoints.restore(fresh, numbers())
    checkpoints.close()
    chex.assert_trees_all_equal(restored.extra, after.extra)
    final, _ = three_steps(objective, "jit", 1, restored, first=1)
    chex.assert_trees_all_equal(final, alone[0])
    # What a reader of the run's folder takes is the generator alone.
    assert set(restored.variables()) == {"params"}
    assert set(restored.variables()["params"]) == {"gain"}


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    """A VGG-19 that is 32 times narrower, as torchvision would store it, and its variables."""
    path = tmp_path_factory.mktemp("vgg") / "vgg19.safetensors"
    model = VGG(19, ("pool5",), 32)
    variables = initialise(model, jax.random.key(1), jnp.zeros((1, 32, 32, 3)))
    safetensors.numpy.save_file({name: np.ascontiguousarray(value) for name, value in to_reference(model, variables).items()}, path)
    return path, variables


def test_features_and_textures_enter_the_generator_s_loss(vgg_file):
    path, variables = vgg_file
    features = FeatureLoss(str(path), 19, (("conv5_4", 0.5), ("pool1", 2.0)), "l1", (("conv2_1", 3.0),), channel_divisor=32)
    objective = tiny(features=features, rate=0.1)
    batch = batch_of(0, 2, 32)
    state = objective.init(jax.random.key(0), batch, {"params": {"gain": jnp.full((1,), 0.7)}})
    chex.assert_trees_all_equal(state.extra["features"], variables)
    new, metrics = compiled(objective.step)(state, batch)
    chex.assert_trees_all_equal(new.extra["features"], variables)
    clean = jnp.asarray(batch["image"], jnp.float32) / 255.0

    def of(layer, image):
        return compiled(VGG(19, (layer,), 32).apply)(variables, image)[0]

    def expected(gain):
        deep, shallow = (np.abs(of(layer, gain * 0.5 * clean) - of(layer, clean)).mean() for layer in ("conv5_4", "pool1"))
        texture_loss = texture(lambda image: [of("conv2_1", image)], gain * 0.5 * clean, clean, 8)
        return 0.5 * deep + 2.0 * shallow + 3.0 * float(jnp.mean(texture_loss))

    np.testing.assert_allclose(metrics["features"], expected(0.7), rtol=1e-4)
    np.testing.assert_allclose(metrics["loss"], metrics["content"] + metrics["features"] + 0.5 * metrics["adversarial"], rtol=1e-5)
    without, _ = compiled(tiny(rate=0.1).step)(state, batch)
    assert float(new.params["gain"][0]) != float(without.params["gain"][0])


def config_of(arguments, **fields) -> Run:
    objective = Objective("adversarial", {"discriminator": "srgan_discriminator", **arguments})
    config = Experiment(Model("dncnn_gray"), Data("d"), "r", "gaussian:sigma=25", objective=objective, **fields)
    return Run(config, Gain(), optax.sgd(0.1), parse(config.degradation))


def test_a_configuration_reaches_every_part(vgg_file):
    arguments = {"fields": {"features": 4}, "game": "hinge", "weight": 1, "features": str(vgg_file[0]), "textures": {"conv1_1": 1.0}}
    objective = build_objective(config_of(arguments, loss="mse"))
    assert objective.discriminator.model == SRGANDiscriminator(4)
    assert objective.game is GAMES["hinge"]
    assert objective.weight == 1.0
    assert objective.features.layers == ()
    assert objective.features.textures == (("conv1_1", 1.0),)
    assert objective.generator.loss is not mse
    halves = build_objective(config_of({"discriminator_rate": 5e-4, "critic_steps": 2}, precision="bfloat16"))
    assert halves.discriminator.model.dtype == jnp.bfloat16
    assert halves.generator.optimizer is not halves.discriminator.optimizer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"game": "chess"}, "game is 'chess': it must be minimax or vanilla"),
        ({"weight": -1.0}, "weight = -1.0: must be at least 0"),
        ({"critic_steps": 0}, "critic_steps = 0: must be at least 1"),
        ({"critic": 2}, "unknown argument of the objective adversarial: 'critic'"),
        ({"discriminator": "srgan_critic"}, "unknown model 'srgan_critic'"),
        ({"fields": {"width": 3}}, "has no field 'width'"),
        ({"discriminator_rate": 0.0}, "discriminator_rate = 0.0: must be greater than 0"),
        ({"features": "x", "distance": "mae"}, "distance is 'mae'"),
        ({"features": "x", "layers": {}}, "layers is empty"),
        ({"features": "x", "layers": {"conv1_1": -1.0}}, "a weight is -1.0"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        build_objective(config_of(arguments))
    assert "\n" not in str(caught.value)


def test_a_batch_is_not_cut():
    with pytest.raises(InputError, match="takes a batch whole"):
        build_objective(config_of({}, optimizer=Optimizer(accumulate=2)))
