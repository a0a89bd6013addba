"""What holds for every loss that compares two images."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore import losses
from jaxrestore.errors import InputError
from tests.compiled import compiled
from tests.losses.numerical import derivatives

GENERATOR = np.random.default_rng(0)
PREDICTION, TARGET = GENERATOR.uniform(0.0, 1.0, (2, 2, 22, 23, 1))

LOSSES = {
    "l1": losses.l1,
    "mse": losses.mse,
    "charbonnier": losses.charbonnier,
    "huber": partial(losses.huber, delta=0.3),
    "psnr_loss": losses.psnr_loss,
    "fft": losses.fft,
    "focal_frequency": partial(losses.focal_frequency, alpha=0.0),  # its weights are no part of the derivative
    "gradient": losses.gradient,
    "gradient_difference": losses.gradient_difference,
    "edge": losses.edge,
    "dice": losses.dice,
    "ssim": losses.ssim,
    "ms_ssim": partial(losses.ms_ssim, weights=(0.4, 0.6)),
    "l1_ms_ssim": partial(losses.l1_ms_ssim, sigmas=(0.5, 1.0)),
    "total_variation": lambda a, b: losses.total_variation(a - b),
    "total_variation_isotropic": lambda a, b: losses.total_variation(a - b, "isotropic"),
    "power_total_variation": lambda a, b: losses.power_total_variation(a - b, 0.4),
    "worst_region_mse": partial(losses.worst_region_mse, side=8.0, count=2.0),
    "cycle_consistency": lambda a, b: losses.cycle_consistency(b, b, a, a),
    "identity": lambda a, b: losses.identity(b, b, a, a),
}
MINIMUM = {"charbonnier": 1e-3, "psnr_loss": -80.0, "edge": 1e-3}
NO_MINIMUM = ("dice",)  # grey "masks" do not match themselves


@pytest.mark.parametrize("name", LOSSES)
def test_values_and_derivatives(name):
    loss = LOSSES[name]

    def everything(a, b):
        coarse = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
        return {
            "batch": loss(a, b),
            "alone": loss(a[0], b[0]),
            "bfloat16": loss(*coarse),
            "float32": loss(*(x.astype(jnp.float32) for x in coarse)),
            "identical": loss(b, b),
            "gradient_of_identical": jax.grad(lambda x: jnp.sum(loss(x, b)))(b),
            "derivatives": derivatives(lambda x: loss(x, b), a),
        }

    with jax.enable_x64(True):
        result = jax.device_get(compiled(everything)(jnp.asarray(PREDICTION), jnp.asarray(TARGET)))
    assert result["batch"].shape == (2,)
    assert result["batch"].dtype == np.float64
    assert result["bfloat16"].dtype == np.float32
    np.testing.assert_allclose(result["alone"], result["batch"][0], rtol=1e-12)
    np.testing.assert_allclose(result["bfloat16"], result["float32"], rtol=2e-6)
    np.testing.assert_allclose(*result["derivatives"], rtol=1e-6)
    assert np.isfinite(result["gradient_of_identical"]).all()
    if name not in NO_MINIMUM:
        np.testing.assert_allclose(result["identical"], MINIMUM.get(name, 0.0), atol=1e-12)
        np.testing.assert_allclose(result["gradient_of_identical"], 0.0, atol=1e-12)
        assert (result["batch"] > result["identical"] + 1e-3).all()


@pytest.mark.parametrize("name", LOSSES)
def test_batches_of_any_rank(name):
    image = jax.ShapeDtypeStruct((2, 3, 22, 23, 1), np.float32)
    result = jax.eval_shape(LOSSES[name], image, image)
    assert result.shape == (2, 3)
    assert result.dtype == np.float32


@pytest.mark.parametrize("name", [name for name in LOSSES if "variation" not in name])
def test_shapes_that_differ_are_refused(name):
    with pytest.raises(InputError, match="differ in shape"):
        LOSSES[name](PREDICTION, TARGET[:, :21])


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (partial(losses.charbonnier, epsilon=0.0), "epsilon is 0: it must be greater than 0"),
        (partial(losses.huber, delta=-1.0), "delta is -1"),
        (partial(losses.psnr_loss, epsilon=0.0), "epsilon is 0"),
        (partial(losses.edge, epsilon=-1.0), "epsilon is -1"),
        (partial(losses.focal_frequency, alpha=-1.0), "alpha is -1"),
        (partial(losses.gradient_difference, alpha=0.5), "alpha is 0.5: it must be at least 1"),
        (partial(losses.dice, smooth=0.0), "smooth is 0"),
        (partial(losses.l1_ms_ssim, alpha=1.5), r"alpha is 1.5: it must be in 0\.\.1"),
        (partial(losses.l1_ms_ssim, sigmas=()), "sigmas is empty"),
        (partial(losses.l1_ms_ssim, sigmas=(1.0, 0.0)), "sigmas is 0"),
        (losses.ms_ssim, "at least 161x161 pixels"),
        (lambda a, b: losses.ssim(a[:, :9], b[:, :9]), "11x11 does not fit"),
        (lambda a, b: losses.total_variation(a, "diagonal"), "form is 'diagonal': it must be anisotropic or isotropic"),
        (lambda a, b: losses.power_total_variation(a, 0.0), "beta is 0"),
    ],
)
def test_bad_arguments_are_refused(loss, message):
    with pytest.raises(InputError, match=message) as caught:
        loss(PREDICTION, TARGET)
    assert "\n" not in str(caught.value)
