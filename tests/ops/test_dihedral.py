"""The symmetries of the square as a group, and by hand."""

import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.dihedral import COUNT, dihedral, inverse_dihedral


def test_eight_different_views_and_back():
    image = np.arange(12.0, dtype=np.float32).reshape(1, 2, 3, 2)
    views = [np.asarray(dihedral(image, i)) for i in range(COUNT)]
    assert len({view.tobytes() + bytes(view.shape) for view in views}) == 8
    for i, view in enumerate(views):
        assert view.shape == ((1, 3, 2, 2) if i % 2 else (1, 2, 3, 2))
        np.testing.assert_array_equal(inverse_dihedral(view, i), image)


def test_by_hand():
    image = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)[..., None]
    expected = ["1234", "2413", "4321", "3142", "2143", "1324", "3412", "4231"]
    assert ["".join(str(int(v)) for v in np.asarray(dihedral(image, i)).ravel()) for i in range(COUNT)] == expected


def test_composition_stays_in_the_group():
    image = np.arange(9.0, dtype=np.float32).reshape(3, 3, 1)
    views = {np.asarray(dihedral(image, i)).tobytes() for i in range(COUNT)}
    assert {np.asarray(dihedral(dihedral(image, i), j)).tobytes() for i in range(COUNT) for j in range(COUNT)} == views


def test_other_numbers_are_refused():
    for function in (dihedral, inverse_dihedral):
        with pytest.raises(InputError, match="index is 8"):
            function(np.zeros((2, 2, 1), np.float32), 8)
