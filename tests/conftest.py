"""Fixtures of all tests."""

from pathlib import Path

import numpy as np
import pytest

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def real_data():
    """Loader of a file of real data with known answers, which is not part of the project."""

    def load(name):
        path = REAL_DATA / name
        if not path.exists():
            pytest.skip(f"{name} is not beside the project")
        return np.load(path)

    return load
