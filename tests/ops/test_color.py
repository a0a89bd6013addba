"""Colour conversions against BasicSR, KAIR, OpenCV and Pillow."""

from functools import partial

import chex
import jax
import numpy as np
import pytest
import skimage.color
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from jaxrestore.errors import InputError
from jaxrestore.ops import color
from tests.parity.golden import Golden
from tests.shared import needs_parity

GOLDEN = Golden("ops/colour")
close = partial(np.testing.assert_allclose, rtol=1e-6)


@pytest.fixture
def rgb():
    # The reference multiplied the stored float image by 255 in place, twice.
    return GOLDEN.tensors["rgb_f32"].astype(np.float64) / 255.0**2


@pytest.fixture
def double_precision():
    with jax.enable_x64(True):
        yield


def to_uint8(image) -> np.ndarray:
    return np.round(255.0 * np.asarray(image, np.float64)).astype(np.uint8)


@needs_parity
@pytest.mark.usefixtures("double_precision")
class TestGoldens:
    def test_studio_range(self, rgb):
        expected = GOLDEN.tensors
        close(color.rgb_to_ycbcr(rgb), expected["rgb2ycbcr.f32"])
        close(color.rgb_to_ycbcr(rgb), expected["kair.rgb2ycbcr.f32"])
        close(color.rgb_to_ycbcr(rgb), np.moveaxis(expected["rgb2ycbcr_pt"][0], 0, -1))
        close(color.rgb_to_ycbcr(rgb[..., ::-1]), expected["bgr2ycbcr.f32"])

    def test_luma_alone(self, rgb):
        close(color.luma_studio(rgb)[..., 0], GOLDEN.tensors["rgb2ycbcr.y_only.f32"])
        close(color.luma_studio(rgb)[..., 0], GOLDEN.tensors["rgb2ycbcr_pt.y_only"][0, 0])
        close(color.luma_studio(rgb[..., ::-1])[..., 0], GOLDEN.tensors["bgr2ycbcr.y_only.f32"])

    def test_back_to_rgb(self):
        ycbcr = GOLDEN.tensors["rgb2ycbcr.f32"].astype(np.float64)
        # The reference prints its inverse with six digits; ours is exact.
        np.testing.assert_allclose(color.ycbcr_to_rgb(ycbcr), GOLDEN.tensors["ycbcr2rgb.f32"], atol=4e-6)

        np.testing.assert_allclose(color.ycbcr_to_rgb(ycbcr)[..., ::-1], GOLDEN.tensors["ycbcr2bgr.f32"], atol=4e-6)

    def test_what_is_stored_broken(self):
        # `rgb_f32` is 255 squared times too large (see the fixture `rgb`), and so is what was computed from it afterwards:
        # KAIR's inverse is clipped to ones, On-Demand Learning's "grey" shows that it adds 0.2989, 0.587 and 0.114 times the red channel.
        assert GOLDEN.tensors["rgb_f32"].max() > 0.9 * 255.0**2
        np.testing.assert_array_equal(GOLDEN.tensors["kair.ycbcr2rgb.f32"], 1.0)
        close(GOLDEN.tensors["onDemand.gray_as_coded"], (0.2989 + 0.587 + 0.114) * GOLDEN.tensors["rgb_f32"][..., 0])

    def test_every_stored_tensor_is_used(self):
        assert set(GOLDEN.tensors) == {
            *("rgb_f32", "rgb_u8", "rgb2ycbcr_pt", "rgb2ycbcr_pt.y_only", "kair.rgb2ycbcr.f32", "kair.ycbcr2rgb.f32", "kair.rgb2ycbcr.u8"),
            *(f"{name}.{kind}" for name in ("rgb2ycbcr", "bgr2ycbcr") for kind in ("f32", "u8", "y_only.f32", "y_only.u8")),
            *(f"{name}.{kind}" for name in ("ycbcr2rgb", "ycbcr2bgr") for kind in ("f32", "u8")),
            *("cv2.RGB2YCrCb.u8", "cv2.RGB2GRAY.u8", "onDemand.gray_as_coded"),
        }

    def test_eight_bits(self):
        expected = GOLDEN.tensors
        image = expected["rgb_u8"] / 255.0
        np.testing.assert_array_equal(to_uint8(color.rgb_to_ycbcr(image)), expected["rgb2ycbcr.u8"])
        np.testing.assert_array_equal(to_uint8(color.rgb_to_ycbcr(image)), expected["kair.rgb2ycbcr.u8"])
        np.testing.assert_array_equal(to_uint8(color.luma_studio(image))[..., 0], expected["rgb2ycbcr.y_only.u8"])
        np.testing.assert_array_equal(to_uint8(color.ycbcr_to_rgb(expected["rgb2ycbcr.u8"] / 255.0)), expected["ycbcr2rgb.u8"])
        np.testing.assert_array_equal(to_uint8(color.rgb_to_ycbcr(image[..., ::-1])), expected["bgr2ycbcr.u8"])
        np.testing.assert_array_equal(to_uint8(color.luma_studio(image[..., ::-1]))[..., 0], expected["bgr2ycbcr.y_only.u8"])
        np.testing.assert_array_equal(to_uint8(color.ycbcr_to_rgb(expected["rgb2ycbcr.u8"] / 255.0))[..., ::-1], expected["ycbcr2bgr.u8"])
        np.testing.assert_array_equal(to_uint8(color.rgb_to_gray(image))[..., 0], expected["cv2.RGB2GRAY.u8"])

    def test_full_range_is_opencv_within_its_fixed_point(self):
        ours = to_uint8(color.rgb_to_ycbcr_full(GOLDEN.tensors["rgb_u8"] / 255.0))[..., (0, 2, 1)]
        difference = ours.astype(int) - GOLDEN.tensors["cv2.RGB2YCrCb.u8"]
        assert np.abs(difference).max() <= 1  # OpenCV takes the chroma from the rounded luma
        assert not difference[..., 0].any()


def test_full_range_is_pillow():
    picture = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    theirs = np.asarray(PillowImage.fromarray(picture).convert("YCbCr"))
    difference = 255.0 * np.asarray(color.rgb_to_ycbcr_full(picture / np.float32(255))) - theirs
    assert np.abs(difference).max() < 1.02  # Pillow truncates, from tables in fixed point
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.7


def test_known_colours():
    # MATLAB's documentation: white is (235, 128, 128), black (16, 128, 128).
    ends = np.array([[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]], np.float32)
    close(255.0 * color.rgb_to_ycbcr(ends), [[[235, 128, 128], [16, 128, 128]]], rtol=1e-5)
    close(255.0 * color.rgb_to_ycbcr_full(ends), [[[255, 128, 128], [0, 128, 128]]], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(color.gray_to_rgb(color.rgb_to_gray(ends)), ends, atol=1e-6)


def test_yiq_is_scikit_image():
    image = np.random.default_rng(0).random((4, 5, 3))
    with jax.enable_x64(True):
        close(color.rgb_to_yiq(image), skimage.color.rgb2yiq(image), atol=1e-15)
        close(color.yiq_to_rgb(color.rgb_to_yiq(image)), image, rtol=1e-12)


def test_bt709_by_hand():
    primaries = np.eye(3, dtype=np.float32)[None]
    full, studio = (255.0 * np.asarray(color.rgb_to_ycbcr_bt709(primaries, studio)) for studio in (False, True))
    luma = np.array([0.2126, 0.7152, 0.0722])
    close(full[0, :, 0], 255.0 * luma, rtol=1e-5)
    close(full[0, :, 1], 128.0 + 255.0 * np.array([-0.2126 / 1.8556, -0.7152 / 1.8556, 0.5]), rtol=1e-5)
    close(full[0, :, 2], 128.0 + 255.0 * np.array([0.5, -0.7152 / 1.5748, -0.0722 / 1.5748]), rtol=1e-5)
    # The integers that video tools print for the primaries in 8 bits.
    np.testing.assert_array_equal(np.round(studio[0]), [[63, 102, 240], [173, 42, 26], [32, 240, 118]])


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_pairs_are_inverse(self):
        image = jax.random.uniform(jax.random.key(0), (2, 5, 4, 3))
        for there, back in [
            (color.rgb_to_ycbcr, color.ycbcr_to_rgb),
            (color.rgb_to_ycbcr_full, color.ycbcr_full_to_rgb),
            (color.rgb_to_ycbcr_bt709, color.ycbcr_bt709_to_rgb),
            (partial(color.rgb_to_ycbcr_bt709, studio=True), partial(color.ycbcr_bt709_to_rgb, studio=True)),
        ]:
            chex.assert_trees_all_close(self.variant(lambda x, there=there, back=back: back(there(x)))(image), image, atol=2e-6)


@settings(deadline=None, max_examples=20)
@given(level=st.floats(0.0, 1.0, width=32))
def test_grey_has_no_chroma(level):
    image = np.full((1, 1, 3), level, np.float32)
    np.testing.assert_allclose(255.0 * np.asarray(color.rgb_to_ycbcr(image))[..., 1:], 128.0, atol=1e-3)
    np.testing.assert_allclose(255.0 * np.asarray(color.rgb_to_ycbcr_full(image))[..., 1:], 128.0, atol=1e-3)


def test_wrong_channels_are_named():
    with pytest.raises(InputError, match=r"3 channels.*\(4, 5, 1\)"):
        color.luma_studio(np.zeros((4, 5, 1), np.float32))
    with pytest.raises(InputError, match=r"1 channel.*\(4, 5, 3\)"):
        color.gray_to_rgb(np.zeros((4, 5, 3), np.float32))
