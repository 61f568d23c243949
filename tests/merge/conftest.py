"""Tests of the merge are run with NumPy alone, and with the kernels that Numba compiles."""

from importlib.util import find_spec

import pytest


@pytest.fixture(params=["numpy", "numba"])
def kernels(request, monkeypatch):
    """Which of the two reads dense rows, however few they are."""
    if request.param == "numba" and find_spec("numba") is None:
        pytest.skip("Numba is of the extra fast")
    monkeypatch.setenv("SKL2H_KERNELS", request.param)
    return request.param
