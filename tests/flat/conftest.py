"""Fixtures of the tests of TURTLE and TEMI."""

import pytest
from sklearn.datasets import make_blobs


@pytest.fixture(scope="module")
def X():
    return make_blobs(120, n_features=5, centers=4, random_state=0)[0]
