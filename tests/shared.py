"""Where the reference data lies: golden vectors, real images and authors' weights, beside a developer's checkout."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("JAXRESTORE_SHARED", Path(__file__).resolve().parents[2] / "shared"))

needs_testdata = pytest.mark.skipif(
    not (SHARED / "testdata").is_dir(), reason="real images and authors' weights are not beside this checkout (../shared/testdata)"
)
needs_parity = pytest.mark.skipif(not (SHARED / "parity").is_dir(), reason="golden vectors are not beside this checkout (../shared/parity)")
