"""What every degradation must keep: replay from its key, one result however it is called, and clear refusals."""

from functools import cache, partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxrestore.degradations import batched, choice, clip, image_keys
from jaxrestore.degradations.blur import (
    anisotropic_blur,
    box_blur,
    defocus,
    gaussian_blur,
    generalised_gaussian_blur,
    plateau_blur,
    sinc_blur,
)
from jaxrestore.degradations.dither import dither_error_diffusion
from jaxrestore.degradations.div2k import div2k
from jaxrestore.degradations.downsample import downsample, low_resolution
from jaxrestore.degradations.erase import erase, erase_mask
from jaxrestore.degradations.gopro import gopro_noise
from jaxrestore.degradations.haze import haze, scattering
from jaxrestore.degradations.jpeg import jpeg
from jaxrestore.degradations.missing import cover, missing, missing_mask
from jaxrestore.degradations.moire import moire
from jaxrestore.degradations.motion import average_frames, camera_shake, motion_blur
from jaxrestore.degradations.noise import (
    gaussian,
    gaussian_blind,
    gaussian_varying,
    poisson,
    poisson_gaussian,
    salt_and_pepper,
    speckle,
)
from jaxrestore.degradations.old_photo import fading, grain
from jaxrestore.degradations.photo import contrast, exposure, pixel_shift, vignetting
from jaxrestore.degradations.quantise import bit_depth, quantise
from jaxrestore.degradations.rain import rain, rain_streaks
from jaxrestore.degradations.recipes import STEPS, parse
from jaxrestore.degradations.scratches import scratches, scratches_mask
from jaxrestore.degradations.second_order import bsrgan, real_esrgan
from jaxrestore.degradations.strokes import strokes, strokes_mask
from jaxrestore.degradations.text import text, text_mask
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_image
from tests.compiled import LATER_EMITTERS, compiled

RANDOM = {
    "gaussian": partial(gaussian, sigma=25.0),
    "gaussian_varying": gaussian_varying,
    "poisson": partial(poisson, peak=30.0),
    "poisson_gaussian": partial(poisson_gaussian, peak=30.0, sigma=5.0),
    "speckle": partial(speckle, sigma=25.0),
    "salt_and_pepper": partial(salt_and_pepper, rate=0.3),
    "erase": partial(erase, count=(1, 3)),
    "strokes": strokes,
    "text": partial(text, size=(0.3, 0.6)),
    "missing": partial(missing, rate=0.3),
    "moire": moire,
    "rain": rain,
    "haze": haze,
    "grain": partial(grain, sigma=20.0),
    "scratches": partial(scratches, dust=3, folds=1),
    "gopro_noise": gopro_noise,
    "div2k": partial(div2k, scale=2),
    "bsrgan": bsrgan,
    "real_esrgan": real_esrgan,
    "choice": choice((partial(speckle, sigma=5.0), partial(quantise, levels=3)), (1, 3)),
    "recipe": parse("gaussian:sigma=5..50,downsample:scale=2,erase:count=1..2"),
}
FIXED = {
    "quantise": partial(quantise, levels=7),
    "bit_depth": partial(bit_depth, bits=3),
    "dither_error_diffusion": partial(dither_error_diffusion, levels=3),
    "downsample": downsample,
    "low_resolution": partial(low_resolution, scale=2),
    "fading": fading,
    "jpeg": partial(jpeg, quality=60.0),
    "pixel_shift": partial(pixel_shift, down=1.3, right=-0.4),
    "exposure": partial(exposure, stops=-1.0),
    "contrast": partial(contrast, factor=0.5),
    "vignetting": partial(vignetting, strength=0.5),
    "clip": clip,
}
BLURS = {
    "gaussian_blur": partial(gaussian_blur, sigma=1.3, size=7),
    "anisotropic_blur": partial(anisotropic_blur, sigma_long=2.0, sigma_short=0.8, angle=30.0, size=5),
    "generalised_gaussian_blur": partial(generalised_gaussian_blur, sigma_long=2.0, sigma_short=0.8, shape=0.7, size=5),
    "plateau_blur": partial(plateau_blur, sigma_long=2.0, sigma_short=0.8, shape=1.5, size=5),
    "sinc_blur": partial(sinc_blur, cutoff=2.0, size=5),
    "box_blur": partial(box_blur, width=3.5, size=5),
    "defocus": partial(defocus, radius=2.0, size=5),
    "motion_blur": partial(motion_blur, length=4.0, angle=20.0, size=5),
}
SHAKE = {"camera_shake": partial(camera_shake, length=4.0, size=5)}
RANDOM |= SHAKE
FIXED |= BLURS
ALL = RANDOM | FIXED
# Where on a screen a sensor's pixel looks is known to 1e-6 pixels, and black is where a gamma of 1 / 2.2 is steep.
ROUNDING = {"moire": 1e-5}
KEY = jax.random.key(11)
IMAGES = np.random.default_rng(0).random((8, 12, 10, 3)).astype(np.float32)


@cache
def over_batch(name: str):
    return compiled(ALL[name], LATER_EMITTERS)


def test_no_step_is_forgotten():
    assert set(STEPS) <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_replay_mapped_sharded_and_alone(name: str):
    degrade = ALL[name]
    together = over_batch(name)(KEY, IMAGES)
    chex.assert_tree_all_finite(together)
    np.testing.assert_array_equal(over_batch(name)(KEY, IMAGES), together)

    # One image of the batch on each of eight devices, mapped over keys; in whatever order they stand.
    mesh = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))
    split = NamedSharding(mesh, PartitionSpec("data"))
    mapped = compiled(batched(degrade), LATER_EMITTERS, in_shardings=split)
    keys = image_keys(KEY, jnp.arange(8))
    sharded = mapped(keys, IMAGES)
    assert len(sharded.sharding.device_set) == 8
    np.testing.assert_array_equal(sharded, together)
    np.testing.assert_array_equal(mapped(keys[::-1], IMAGES[::-1])[::-1], together)

    # Alone, without jit around it, and with the usual optimisations: these may contract a product and a sum, which rounds once less.
    np.testing.assert_allclose(degrade(keys[5], IMAGES[5]), together[5], atol=ROUNDING.get(name, 1e-6))


@pytest.mark.parametrize("name", RANDOM)
def test_another_key_gives_another_result(name: str):
    same = np.broadcast_to(IMAGES[0], IMAGES.shape)
    results = np.asarray(over_batch(name)(KEY, same))
    assert not np.array_equal(results, over_batch(name)(jax.random.key(12), same))
    assert len({r.tobytes() for r in results}) > 1


@pytest.mark.parametrize("name", ALL)
def test_shapes_and_types(name: str):
    smallest = (7, 7) if name in BLURS | SHAKE else (1, 1)  # a kernel must fit
    for shape in ((*smallest, 1), (2, 3, 9, 7, 1), (0, *smallest, 3)):
        for dtype in (jnp.bfloat16, jnp.float32):
            result = jax.eval_shape(ALL[name], KEY, jax.ShapeDtypeStruct(shape, dtype))
            assert result.dtype == dtype
            assert (result.ndim, result.shape[:-3], result.shape[-1]) == (len(shape), shape[:-3], shape[-1])


def test_half_precision_is_computed_in_single():
    image = jnp.asarray(IMAGES[0], jnp.bfloat16)
    expected = compiled(RANDOM["gaussian"])(KEY, image.astype(jnp.float32)).astype(jnp.bfloat16)
    np.testing.assert_array_equal(compiled(RANDOM["gaussian"])(KEY, image), expected)


def test_levels_are_not_compiled_in():
    @compiled
    @chex.assert_max_traces(1)
    def noise(sigma):
        return gaussian(KEY, jnp.zeros((4, 4, 1)), sigma)

    for sigma in (2.0, 3.0):
        np.testing.assert_allclose(noise(sigma), sigma * noise(1.0), rtol=1e-5)


NAN = np.full((4, 4, 1), np.nan, np.float32)
GREY = np.full((2, 4, 4, 1), 0.5, np.float32)


@pytest.mark.parametrize(
    ("degrade", "image", "message"),
    [
        (partial(gaussian, sigma=-1.0), GREY, "^sigma is -1: it must be at least 0 and finite"),
        (partial(gaussian, sigma=np.array([3.0, -2.0])), GREY, "sigma is -2"),
        (partial(gaussian, sigma=np.array([3.0, 2.0, 1.0])), GREY, r"sigma has the shape \(3,\): it must be .* batch's shape \(2,\)"),
        (partial(gaussian, sigma=float("nan")), GREY, "sigma is nan"),
        (partial(gaussian_blind, sigma=(9.0, 3.0)), GREY, r"sigma is 9\.\.3"),
        (partial(poisson, peak=0.0), GREY, "peak is 0: it must be greater than 0"),
        (partial(speckle, sigma=-5.0), GREY, "sigma is -5"),
        (partial(salt_and_pepper, rate=1.5), GREY, r"^rate is 1\.5: it must be in 0\.\.1"),
        (partial(salt_and_pepper, rate=0.5, salt=-0.5), GREY, "salt is -0.5"),
        (partial(quantise, levels=1), GREY, r"levels is 1: it must be in 2\.\.65536"),
        (partial(bit_depth, bits=17), GREY, "bits is 17"),
        (partial(erase, count=-1), GREY, "count is -1"),
        (partial(erase, size=0.0), GREY, "size is 0: it must be greater than 0 and at most 1"),
        (partial(erase, fill=2.0), GREY, "fill is 2"),
        (partial(erase_mask, size=(0.5, 0.1)), GREY, r"size is 0\.5\.\.0\.1"),
        (partial(missing, rate=1.5), GREY, r"rate is 1\.5: it must be in 0\.\.1"),
        (partial(missing_mask, rate=-0.5), GREY, r"rate is -0\.5"),
        (partial(cover, mask=np.zeros((4, 5, 1), bool)), GREY, r"mask has the shape \(4, 5, 1\): .* needs \(2, 4, 4, 1\)"),
        (partial(cover, mask=np.zeros((3, 4, 4, 1), bool)), GREY, "mask has the shape"),
        (partial(cover, mask=np.zeros((4, 4, 1), bool), fill=2.0), GREY, "fill is 2"),
        (partial(strokes, count=(3, 1)), GREY, r"count is 3\.\.1"),
        (partial(strokes, vertices=0), GREY, "vertices is 0"),
        (partial(strokes, length=0.0), GREY, "length is 0: it must be greater than 0"),
        (partial(strokes_mask, width=-1.0), GREY, "width is -1"),
        (partial(strokes_mask, angle=400), GREY, r"angle is 400: it must be in 0\.\.360"),
        (partial(text, letters=0), GREY, "letters is 0"),
        (partial(text, size=0.0), GREY, "size is 0"),
        (partial(text_mask, weight=0.5), GREY, r"weight is 0\.5: it must be greater than 0 and at most 0\.333"),
        (partial(text_mask, angle=(0.0, 500.0)), GREY, "angle is 500"),
        (partial(moire, pitch=(0.1, 1.0)), GREY, r"pitch is 0\.1: it must be in 0\.5\.\.3"),
        (partial(moire, perspective=0.6), GREY, r"perspective is 0\.6"),
        (partial(moire, aperture=0.0), GREY, "aperture is 0"),
        (moire, np.zeros((4, 4, 2), np.float32), "image has 2 channels: a screen shows 1 or 3"),
        (partial(rain, rate=1.5), GREY, r"rate is 1\.5"),
        (partial(rain, width=0.0), GREY, "width is 0: it must be greater than 0"),
        (partial(rain_streaks, angle=100.0), GREY, "angle is 100"),
        (partial(haze, beta=-1.0), GREY, "beta is -1"),
        (partial(haze, airlight=1.5), GREY, r"airlight is 1\.5"),
        (partial(scattering, depth=np.ones((4, 5, 1), np.float32)), GREY, r"depth has the shape \(4, 5, 1\)"),
        (partial(scattering, depth=-np.ones((4, 4, 1), np.float32)), GREY, "depth is -1: it must be at least 0"),
        (partial(scattering, depth=np.ones((4, 4, 1), np.float32), beta=np.ones(3)), GREY, r"beta has the shape \(3,\)"),
        (partial(grain, sigma=1.0, size=20.0), GREY, r"size is 20: it must be in 0\.\.16"),
        (partial(fading, yellowing=2.0), GREY, "yellowing is 2"),
        (partial(scratches, opacity=2.0), GREY, "opacity is 2"),
        (partial(scratches_mask, dust=(5, 2)), GREY, r"dust is 5\.\.2"),
        (partial(erase, shape="circle"), GREY, "shape is 'circle': it must be rectangle or square"),
        (partial(bsrgan, scale=0), GREY, "scale is 0"),
        (real_esrgan, np.zeros((4, 4, 2), np.float32), "image has 2 channels: it must have 1 or 3"),
        (partial(downsample, scale=0), GREY, "scale is 0"),
        (partial(low_resolution, scale=-2), GREY, "scale is -2"),
        (partial(downsample, kind="sinc"), GREY, "kind is 'sinc': it must be one of bicubic, "),
        (partial(gaussian_varying, sigma=(5.0, 2.0)), GREY, r"sigma is 5\.\.2"),
        (partial(gaussian_varying, cells=0), GREY, "cells is 0"),
        (partial(poisson_gaussian, peak=-1.0, sigma=0.0), GREY, "peak is -1"),
        (partial(poisson_gaussian, peak=1.0, sigma=-1.0), GREY, "sigma is -1"),
        (partial(gaussian_blur, sigma=-1.0, size=3), GREY, "^sigma is -1: it must be at least 0"),
        (partial(gaussian_blur, sigma=1.0, size=5), GREY, "size is 5: the kernel must fit into the image, which is 4x4"),
        (partial(gaussian_blur, sigma=1.0, size=2), GREY, "size is 2: a kernel's size must be odd"),
        (partial(defocus, radius=1.0, size=3, padding="mirror"), GREY, "padding is 'mirror': it must be one of reflect"),
        (partial(anisotropic_blur, sigma_long=1.0, sigma_short=-1.0, size=3), GREY, "sigma_short is -1"),
        (partial(generalised_gaussian_blur, sigma_long=0.0, sigma_short=1.0, size=3), GREY, "sigma_long is 0: it must be greater"),
        (partial(plateau_blur, sigma_long=1.0, sigma_short=1.0, shape=0.0, size=3), GREY, "shape is 0"),
        (partial(sinc_blur, cutoff=4.0, size=3), GREY, "cutoff is 4"),
        (partial(box_blur, width=-1.0, size=3), GREY, "width is -1"),
        (partial(defocus, radius=-1.0, size=3), GREY, "radius is -1"),
        (partial(motion_blur, length=-1.0, size=3), GREY, "length is -1"),
        (partial(camera_shake, jerks=300.0, size=3), GREY, r"jerks is 300: it must be in 0\.\.256"),
        (partial(camera_shake, pull=-1.0, size=3), GREY, "pull is -1"),
        (partial(average_frames, gamma=0.0), GREY, "gamma is 0"),
        (average_frames, GREY + 1.0, r"image has values from 1\.5"),
        (average_frames, GREY[:0], "there must be at least one"),
        (partial(exposure, stops=float("inf")), GREY, "stops is inf"),
        (partial(contrast, factor=-1.0), GREY, "factor is -1"),
        (partial(vignetting, strength=1.0), GREY, "strength is 1"),
        (partial(pixel_shift, down=float("nan")), GREY, "down is nan"),
        (partial(gaussian, sigma=1.0), NAN, "image has values that are NaN or infinite"),
        (parse("gaussian:sigma=1"), GREY + 1.0, r"image has values from 1\.5 to 1\.5: they must be in 0\.\.1"),
    ],
)
def test_bad_arguments(degrade, image, message: str):
    with pytest.raises(InputError, match=message):
        degrade(KEY, image)
    if "image" not in message:  # values are concrete under jit, so that is no way around the check
        with pytest.raises(InputError, match=message):
            jax.jit(degrade)(KEY, image)


def test_refuses_what_is_no_image():
    with pytest.raises(InputError, match="image is uint8: it must be floating point"):
        check_image(np.zeros((4, 4, 1), np.uint8))
    with pytest.raises(InputError, match=r"image has the shape \(4, 4\)"):
        check_image(np.zeros((4, 4)))


def test_a_constant_inside_a_compiled_function_is_checked_too():
    noisy = jax.jit(lambda key: gaussian(key, IMAGES, sigma=25.0))(KEY)
    np.testing.assert_allclose(noisy, gaussian(KEY, IMAGES, sigma=25.0), atol=1e-6)
    with pytest.raises(InputError, match="NaN"):
        jax.jit(lambda key: gaussian(key, np.full((4, 4, 1), np.nan, np.float32), sigma=25.0))(KEY)
