"""The tables against those that Pillow finds in the files it writes."""

import io

import numpy as np
import pytest
from PIL import Image

from jaxrestore.errors import InputError
from jaxrestore.ops.jpeg_tables import quantisation_tables


@pytest.mark.parametrize("quality", [1, 2, 10, 25, 49, 50, 51, 75, 90, 99, 100])
def test_equal_pillows(quality):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", quality=quality)
    written = Image.open(file).quantization
    for table, theirs in zip(quantisation_tables(quality), (written[0], written[1]), strict=True):
        np.testing.assert_array_equal(table.ravel(), theirs)


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_bad_quality(quality):
    with pytest.raises(InputError, match=rf"quality is {quality}: it must be in 1\.\.100"):
        quantisation_tables(quality)
