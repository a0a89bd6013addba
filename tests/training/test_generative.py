"""Likelihoods, variational and video objectives: hand-computed losses, whose parameters move, what is clipped."""

import dataclasses
import json

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.errors import InputError
from jaxrestore.losses.pixel import mse
from jaxrestore.models.generative.cvae_gan import CVAEGAN, CVAEGANClassifier, CVAEGANDiscriminator
from jaxrestore.models.generative.gated_pixelcnn import GatedPixelCNN
from jaxrestore.models.generative.pixel_recursive import PixelRecursive
from jaxrestore.models.generative.pixelcnn import PixelCNN
from jaxrestore.models.generative.tgan import TGAN, TGANDiscriminator
from jaxrestore.models.restoration.video_unet import VideoUNet
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.singular_values import clip_critic, clip_singular_values
from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation
from jaxrestore.training.loop import train
from jaxrestore.training.objectives.autoregressive import Autoregressive, negative_log_likelihood
from jaxrestore.training.objectives.clips import clips_of, moving_window
from jaxrestore.training.objectives.networks import Partner
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.training.objectives.variational import Variational, class_feature_matching
from jaxrestore.training.objectives.video import VideoRestoration
from jaxrestore.training.objectives.video_game import VideoGame
from jaxrestore.training.parallel import compile_step, make_mesh, put_batch, replicate
from tests.compiled import compiled


class Averages(nn.Module):
    """A classifier by the mean colour."""

    classes: int = 3

    def setup(self):
        self.tail = Linear(self.classes)

    def __call__(self, image, train=False):
        return self.judge(image, train)[0]

    def judge(self, image, train=False):
        features = jnp.mean(image, (1, 2))
        return self.tail(features), features


def batch_of(step: int = 0, size: int = 4, side: int = 8, channels: int = 3, **more) -> dict[str, np.ndarray]:
    image = np.random.default_rng(step).integers(0, 256, (size, side, side, channels), dtype=np.uint8)
    return {"image": image, "index": np.arange(step * size, (step + 1) * size, dtype=np.uint32), **more}


def darken(key, image):
    return 0.5 * image


def moved(old, new) -> bool:
    return any(np.any(a != b) for a, b in zip(jax.tree.leaves(old), jax.tree.leaves(new), strict=True))


# ------------------------------------------------------------------------------------------------------------------- autoregressive


def test_likelihood_by_hand():
    logits = jnp.log(jnp.array([0.2, 0.5, 0.3])).reshape(1, 1, 1, 1, 3)
    for value, probability in ((0.0, 0.2), (0.5, 0.5), (0.55, 0.5), (1.0, 0.3)):
        loss = negative_log_likelihood(logits, jnp.full((1, 1, 1, 1), value))
        np.testing.assert_allclose(loss, -np.log(probability), rtol=1e-5)


def test_both_predictions_of_a_pixel_recursive_network_are_scored():
    model = PixelRecursive(1, 4, 1, prior_features=5, prior_layers=1, prior_hidden=6, levels=4)
    objective = Autoregressive(model, mse, optax.adam(1e-2), darken, ema=0.9)
    batch = batch_of(side=5)
    state = objective.init(jax.random.key(0), batch)
    step = compiled(objective.step)
    new, metrics = step(state, batch)
    degraded, clean = objective.inputs(state.key, batch)
    settings = dict(train=True, method="distributions", mutable=["batch_stats"])
    both, told = compiled(lambda v, *x: model.apply(v, *x, **settings)[0])(state.variables(), degraded, clean)
    chosen = np.round(np.asarray(clean) * 3).astype(int)[..., None]
    expected = sum(-np.take_along_axis(np.asarray(jax.nn.log_softmax(x)), chosen, -1).mean() for x in (both, told))
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)
    assert moved(state.params["prior"], new.params["prior"])
    assert moved(state.batch_stats, new.batch_stats)
    for _ in range(8):
        new, metrics = step(new, batch)
    assert metrics["loss"] < expected


def test_labels_are_told_to_a_network_with_classes():
    model = GatedPixelCNN(4, 1, 3, 3, 5, levels=4, classes=2)
    objective = Autoregressive(model, mse, optax.adam(1e-2))
    batch = batch_of(side=4, label=np.array([0, 1, 1, 0]))
    state = objective.init(jax.random.key(0), batch)
    step = compiled(objective.step)
    loss, other = (step(state, {**batch, "label": label})[1]["loss"] for label in (batch["label"], 1 - batch["label"]))
    expected = negative_log_likelihood(
        model.apply(state.variables(), batch["image"] / np.float32(255), batch["label"]), batch["image"] / 255
    )
    np.testing.assert_allclose(loss, jnp.mean(expected), rtol=1e-4)
    assert abs(loss - other) > 1e-6


def test_a_network_that_only_generates_needs_no_degradation():
    objective = Autoregressive(PixelCNN(4, 2, 3, levels=4), mse, optax.adam(1e-2))
    batch = batch_of(side=5, channels=1)
    state = objective.init(jax.random.key(0), batch)
    step, losses = compiled(objective.step), []
    for _ in range(8):
        state, metrics = step(state, batch)
        losses.append(float(metrics["loss"]))
    assert losses[-1] < losses[0] < 3.0


# ---------------------------------------------------------------------------------------------------------------------- variational

RESTORER = CVAEGAN(8, latent=3, classes=3, encoder_features=(4, 5), features=(5,), kernel_sizes=(3, 3), dense=6)
DISCRIMINATOR = CVAEGANDiscriminator(8, (4, 5))
CLASSIFIER = CVAEGANClassifier(3, 64, (3, 4, 3, 4, 3), 5)


def variational(**fields) -> Variational:
    restorer = Supervised(RESTORER, mse, optax.adam(1e-2), darken)
    return Variational(restorer, Partner(DISCRIMINATOR, optax.adam(1e-2)), **fields)


def test_terms_of_the_variational_loss_by_hand():
    objective = variational(adversarial=0.5)
    batch = batch_of(label=np.array([0, 2, 2, 1]))
    state = objective.init(jax.random.key(0), batch)
    _, metrics = compiled(objective.step)(state, batch)
    degraded, clean = objective.restorer.inputs(state.key, batch)
    noise, prior = objective.latents(state.key, batch["index"])
    both = compiled(lambda v, *x: RESTORER.apply(v, *x, method="both", mutable=["batch_stats"]))
    (restored, made, mean, log_variance), _ = both(state.variables(), degraded, noise, prior, batch["label"])
    of = {"params": state.extra["discriminator"]["params"], "batch_stats": state.extra["discriminator"]["batch_stats"]}
    judged = {
        name: [np.asarray(x, np.float64) for x in DISCRIMINATOR.apply(of, x, train=True, method="judge", mutable=["batch_stats"])[0]]
        for name, x in (("clean", clean), ("restored", restored), ("made", made))
    }
    m, v = np.asarray(mean, np.float64), np.asarray(log_variance, np.float64)
    squares = lambda a, b: np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)).reshape(len(a), -1).sum(1) / 2  # noqa: E731
    softplus = lambda x: np.log1p(np.exp(x)).mean()  # noqa: E731
    expected = {
        "divergence": 0.5 * (m**2 + np.exp(v) - v - 1).sum(1).mean(),
        "reconstruction": (squares(restored, clean) + squares(judged["restored"][1], judged["clean"][1])).mean(),
        "mean_features": np.square(judged["made"][1].mean(0) - judged["clean"][1].mean(0)).sum() / 2,
        "adversarial": softplus(-judged["restored"][0]) + softplus(-judged["made"][0]),
        "discriminator": softplus(-judged["clean"][0]) + softplus(judged["restored"][0]) + softplus(judged["made"][0]),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=2e-4, err_msg=name)
    weights = {"divergence": 3.0, "reconstruction": 1.0, "mean_features": 1e-3, "adversarial": 0.5}
    np.testing.assert_allclose(metrics["loss"], sum(w * expected[name] for name, w in weights.items()), rtol=2e-4)


def test_each_partner_moves_by_its_own_loss():
    batch = batch_of(side=64, size=2, label=np.array([0, 2]))
    restorer = RESTORER.clone(image_size=64, kernel_sizes=(3, 3), encoder_features=(3, 3, 3))
    objective = Variational(
        Supervised(restorer, mse, optax.sgd(0.0), darken),
        Partner(DISCRIMINATOR.clone(image_size=64), optax.sgd(0.0)),
        Partner(CLASSIFIER, optax.sgd(0.1)),
    )
    state = objective.init(jax.random.key(0), batch)
    new, metrics = compiled(objective.step)(state, batch)
    assert not moved(state.params, new.params)
    assert not moved(state.extra["discriminator"]["params"], new.extra["discriminator"]["params"])
    assert moved(state.extra["classifier"]["params"], new.extra["classifier"]["params"])
    assert set(metrics) == {
        *("loss", "divergence", "reconstruction", "mean_features", "class_features", "discriminator", "classifier", "gradient_norm")
    }
    np.testing.assert_allclose(metrics["classifier"], np.log(3), rtol=0.05)  # it begins by knowing nothing


def test_features_are_matched_class_by_class():
    real = jnp.array([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]])
    made = jnp.array([[2.0, 1.0], [4.0, 1.0], [0.0, 7.0]])
    # Class 0: mean (2, 0) against (3, 1); class 2: (0, 5) against (0, 7); class 1 has no image.
    np.testing.assert_allclose(class_feature_matching(made, real, jnp.array([0, 0, 2]), 3), ((1 + 1) + 4) / 2)


def test_the_same_numbers_over_eight_devices():
    objective = variational()
    batch = batch_of(size=16, label=np.arange(16) % 3)
    objective = dataclasses.replace(objective, classifier=Partner(Averages(), optax.adam(1e-2)), class_features=0.1)
    results = []
    for mode, devices in (("jit", 1), ("shard_map", 8)):
        mesh = make_mesh(devices)
        state = replicate(objective.init(jax.random.key(0), batch), mesh)
        results.append(jax.device_get(compile_step(objective.step, mesh, mode)(state, put_batch(batch, mesh))))
    (one, one_metrics), (many, many_metrics) = results
    chex.assert_trees_all_close(one_metrics, many_metrics, rtol=2e-4)
    chex.assert_trees_all_close(one.batch_stats, many.batch_stats, rtol=1e-4, atol=1e-5)
    # Adam's first step is a sign: compare what it remembers of the gradient.
    gradients = [[x for x in jax.tree.leaves(state.optimizer) if x.ndim > 1] for state in (one, many)]
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3 * np.abs(a).max() + 1e-7)


def test_the_latents_of_an_image_are_its_own():
    objective = variational()
    key, index = jax.random.key(1), np.arange(6, dtype=np.uint32)
    whole = objective.latents(key, index)
    chex.assert_trees_all_equal(objective.latents(key, index[2:4]), jax.tree.map(lambda x: x[2:4], whole))
    assert np.any(whole[0] != whole[1])


# ---------------------------------------------------------------------------------------------------------------------------- videos


@pytest.mark.parametrize("shape", [(3, 4, 5, 2, 6), (2, 3), (7, 1), (4, 4, 8, 1)])
def test_singular_values_are_clipped(shape):
    kernel = jnp.asarray(np.random.default_rng(0).standard_normal(shape), jnp.float32)
    kernel = kernel / np.sqrt(kernel.size) * 3
    u, s, v = np.linalg.svd(np.asarray(kernel, np.float64).reshape(-1, shape[-1]), full_matrices=False)
    expected = (u * np.minimum(s, 1.0)) @ v
    clipped = compiled(clip_singular_values)(kernel)
    np.testing.assert_allclose(clipped.reshape(expected.shape), expected, atol=2e-5)
    np.testing.assert_allclose(clip_singular_values(clipped), clipped, atol=1e-5)
    with pytest.raises(InputError, match="limit is 0"):
        clip_singular_values(kernel, 0.0)


def test_scales_are_clipped_by_the_deviation():
    params = {"norm": {"scale": jnp.array([5.0, 1.0, -1.0]), "bias": jnp.array([9.0, 9.0, 9.0])}, "free": {"scale": jnp.array([7.0])}}
    new = clip_critic(params, {"norm": {"var": jnp.array([4.0, 4.0, 4.0])}})
    np.testing.assert_allclose(new["norm"]["scale"], [2.0, 1.0, 0.02], atol=1e-6)
    np.testing.assert_array_equal(new["norm"]["bias"], params["norm"]["bias"])
    np.testing.assert_array_equal(new["free"]["scale"], [7.0])


def test_a_window_moves_at_constant_speed():
    rows, columns = np.mgrid[:40, :50]
    image = jnp.asarray(np.stack([rows, columns], -1) / 64, jnp.float32)
    clip = moving_window(jax.random.key(3), image, 5, 8)
    corners = np.asarray(clip[:, 0, 0]) * 64
    np.testing.assert_allclose(clip[2] * 64, corners[2] + np.stack(np.mgrid[:8, :8], -1), atol=1e-4)
    assert np.abs(np.diff(corners, 2, axis=0)).max() <= 1.0 + 1e-4
    assert np.abs(corners[-1] - corners[0]).max() > 2
    with pytest.raises(InputError, match="hold no window of 64x64"):
        moving_window(jax.random.key(3), image, 5, 64)


def test_videos_are_cut_in_the_middle():
    video = np.random.default_rng(0).integers(0, 256, (2, 6, 9, 8, 1), dtype=np.uint8)
    np.testing.assert_allclose(clips_of(jax.random.key(0), {"video": video}, 4, 5), video[:, :4, 2:7, 1:6] / 255.0, atol=1e-6)
    with pytest.raises(InputError, match="clips need 7 frames of 5x5"):
        clips_of(jax.random.key(0), {"video": video}, 7, 5)


def test_the_video_game():
    generator = TGAN(4, 3, (6, 5, 4, 4), 32, bottom=1)
    objective = VideoGame(generator, optax.sgd(1e-2), Partner(TGANDiscriminator(3, 1), optax.sgd(5.0)), clip_every=2)
    batch = batch_of(side=20, size=2)
    state = objective.init(jax.random.key(0), batch)
    step = compiled(objective.step)
    first, metrics = step(state, batch)
    # By hand: both against each other as they were.
    keys = [jax.random.fold_in(jax.random.fold_in(state.key, 0xFFFFFF22), k) for k in batch["index"]]
    z = jnp.stack([jax.random.uniform(k, (4,), minval=-1.0, maxval=1.0) for k in keys])
    of = {name: state.extra["critic"][name] for name in ("params", "batch_stats")}
    real = clips_of(state.key, batch, 16, 16)
    training = dict(train=True, mutable=["batch_stats"])
    made, _ = compiled(lambda v, z: generator.apply(v, z, **training))(state.variables(), z)
    score = compiled(lambda v, x: jnp.mean(objective.critic.model.apply(v, x, **training)[0]))
    scores = [float(score(of, x)) for x in (made, real)]
    np.testing.assert_allclose(metrics["loss"], -scores[0], atol=1e-5)
    np.testing.assert_allclose(metrics["critic"], scores[0] - scores[1], atol=1e-5)
    assert moved(state.params, first.params)
    # The second step clips, the first does not.
    largest = lambda s: np.linalg.norm(np.asarray(s.extra["critic"]["params"]["conv_1"]["kernel"]).reshape(-1, 6), 2)  # noqa: E731
    second, _ = step(first, batch)
    assert largest(first) > 1.05
    assert largest(second) <= 1.0 + 1e-4


def test_missing_frames_are_inside():
    objective = VideoRestoration(VideoUNet((3, 3)), mse, optax.adam(1e-3), darken, frames=6, window=4, missing=2)
    batch = batch_of(size=8)
    state = objective.init(jax.random.key(0), batch)
    gone = np.asarray(objective.gone(state.key, batch))
    assert gone.sum(1).tolist() == [2] * 8
    assert not gone[:, [0, -1]].any()
    assert len({tuple(row) for row in gone}) > 2
    degraded, clean = objective.inputs(state.key, batch)
    np.testing.assert_allclose(degraded, 0.5 * clean)
    new, metrics = compiled(objective.step)(state, batch)
    expected = jnp.mean(jnp.square(objective.model.apply({"params": state.params}, degraded, gone) - clean))
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)
    assert moved(state.params, new.params)


# -------------------------------------------------------------------------------------------------------------------- configurations


def experiment(folder, model: Model, objective: Objective, **fields) -> Experiment:
    data = Data("made", source="dead_leaves", patch=32, batch=8)
    return Experiment(
        model=model,
        data=data,
        degradation="",
        objective=objective,
        steps=2,
        optimizer=Optimizer(rate=1e-4, name="rmsprop", betas=(0.0, 0.99), ema=None),
        validation=Validation(path=None),
        run=str(folder),
        **fields,
    )


def test_a_run_of_a_network_that_only_generates(tmp_path):
    config = experiment(
        tmp_path, Model("pixelcnn", {"features": 3, "depth": 2, "kernel_size": 3, "levels": 4}), Objective("autoregressive")
    )
    state = train(dataclasses.replace(config, data=dataclasses.replace(config.data, patch=8, channels=1)))
    assert int(state.step) == 2
    assert "loss" in json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])


@pytest.mark.parametrize(
    ("model", "objective", "message"),
    [
        ("dncnn_gray", Objective("autoregressive"), "needs a network that gives distributions"),
        ("gated_pixelcnn", Objective("autoregressive"), "classes = 10: these batches bring no labels"),
        ("dncnn_gray", Objective("variational"), "needs an encoder and a generator"),
        ("cvae_gan", Objective("variational", {"divergence": -1.0}), "divergence = -1.0: must be at least 0"),
        ("cvae_gan", Objective("variational", {"adversarial": 1.0}), "a game needs objective.arguments.discriminator"),
        ("dncnn_gray", Objective("video_game", {"critic": "tgan_discriminator"}), "needs a generator of videos"),
        ("tgan", Objective("video_game", {"critic": "tgan_discriminator", "clip_every": 0}), "clip_every = 0: must be at least 1"),
        ("video_unet", Objective("video", {"frames": 2}), "frames = 2: must be at least 3"),
        ("video_unet", Objective("video", {"missing": 4}), "missing = 4: must be 0 to 3 of 5 frames"),
    ],
)
def test_wrong_arguments(tmp_path, model, objective, message):
    channels = 1 if model == "dncnn_gray" else 3
    config = experiment(tmp_path, Model(model), objective)
    with pytest.raises(InputError, match=message):
        train(dataclasses.replace(config, data=dataclasses.replace(config.data, channels=channels)))
