"""CIEDE2000 against the test data of Sharma, Wu and Dalal (2005), table 1, and scikit-image."""

import jax
import numpy as np
import pytest
from skimage import color

from jaxrestore.errors import InputError
from jaxrestore.metrics import ciede2000
from jaxrestore.metrics.ciede2000 import color_difference

PAIRS = np.array(
    [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)


def test_the_34_pairs_of_the_paper():
    first, second, expected = PAIRS[:, :3], PAIRS[:, 3:6], PAIRS[:, 6]
    assert len(PAIRS) == 34
    with jax.enable_x64(True):
        np.testing.assert_allclose(color_difference(first, second), expected, rtol=0, atol=5.0e-5 + 1e-9)  # as they are printed
        np.testing.assert_allclose(color_difference(second, first), expected, rtol=0, atol=5.0e-5 + 1e-9)
    # In float32 the hues of pairs 9 to 15, opposite to within a thousandth, fall on one side or the other.
    plain = [i for i in range(34) if i not in range(8, 15)]
    single = color_difference(first[plain].astype(np.float32), second[plain].astype(np.float32))
    np.testing.assert_allclose(single, expected[plain], rtol=0, atol=1e-4)


def test_images_equal_scikit_image():
    random = np.random.default_rng(0)
    a, b = (random.uniform(size=(2, 11, 12, 3)) for _ in range(2))
    lab = [color.rgb2lab(image) for image in (a, b)]
    with jax.enable_x64(True):
        # Its Lab has the older, rounded constants.
        np.testing.assert_allclose(ciede2000(a, b), color.deltaE_ciede2000(*lab).mean((1, 2)), rtol=2e-4)
        np.testing.assert_allclose(color_difference(*lab), color.deltaE_ciede2000(*lab), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ciede2000(a.astype(np.float32), b.astype(np.float32)), color.deltaE_ciede2000(*lab).mean((1, 2)), rtol=2e-4)


def test_black_and_white_and_small_changes():
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    np.testing.assert_allclose(ciede2000(black, white), 100.0, atol=1e-2)
    assert ciede2000(white, white) == 0.0
    edge = white.copy()
    edge[0] = 0
    assert ciede2000(white, edge, "rgb+border1") == 0.0


def test_needs_colours():
    image = np.zeros((4, 4, 3), np.float32)
    with pytest.raises(InputError, match="CIEDE2000 compares colours"):
        ciede2000(image, image, "luma")
    with pytest.raises(InputError, match=r"not the shape \(4, 4, 1\)"):
        ciede2000(image[..., :1], image[..., :1])
