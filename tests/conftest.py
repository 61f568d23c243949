"""Fixtures of all tests."""

import os
from pathlib import Path

import pytest

# Tests run side by side, so each computes in one thread. Libraries read this when they are loaded,
# which no import above does.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def real_data():
    """Loader of a file of real data with known answers, which is not part of the project."""

    def load(name):
        import numpy as np

        path = REAL_DATA / name
        if not path.exists():
            pytest.skip(f"{name} is not beside the project")
        return np.load(path)

    return load
