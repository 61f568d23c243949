"""`show_versions` says what reads the rows, and why."""

import numpy as np
import pytest
import sklearn

import skl2h


@pytest.fixture
def lines(capsys):
    """Print the versions; give what stands before each colon and after it."""

    def show():
        skl2h.show_versions()
        return dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())

    return show


def test_versions(lines):
    found = lines()
    assert found["numpy"] == np.__version__
    assert found["scikit-learn"] == sklearn.__version__


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("numpy", "NumPy (SKL2H_KERNELS is numpy)"),
        ("numba", "Numba"),
        ("auto", "Numba, and NumPy below 16,777,216 logits"),
    ],
)
def test_what_reads_the_rows(lines, monkeypatch, choice, expected):
    if choice != "numpy":
        pytest.importorskip("numba", reason="Numba is of the extra fast")
    monkeypatch.setenv("SKL2H_KERNELS", choice)
    assert lines()["rows are read by"] == expected


def test_numba_is_missing(lines, without_numba, monkeypatch):
    monkeypatch.delenv("SKL2H_KERNELS", raising=False)
    assert lines()["rows are read by"].startswith("NumPy (Numba cannot be imported: ")


def test_a_bad_choice(monkeypatch):
    monkeypatch.setenv("SKL2H_KERNELS", "fast")
    with pytest.raises(ValueError, match=r"SKL2H_KERNELS must be .*, got 'fast'"):
        skl2h.show_versions()
