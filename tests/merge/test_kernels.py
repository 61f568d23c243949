"""Compiled kernels give the merges that NumPy gives, and are used where they are there."""

import warnings
from decimal import Decimal

import numpy as np
import pytest
from helpers.cases import random_case
from scipy.sparse import csr_matrix
from sklearn import config_context

from skl2h import l2h_tree
from skl2h.logits.matrix import Logits, as_logits
from skl2h.merge import kernel_choice
from skl2h.merge.kernel_choice import compiled_rows_for
from skl2h.merge.loop import merge_leaves
from skl2h.merge.rows import read_rows
from skl2h.merge.source import RowsInMemory


@pytest.fixture
def kernels():
    """Module of the kernels; there is none without Numba."""
    pytest.importorskip("numba", reason="Numba is of the extra fast")
    from skl2h.merge import kernels

    return kernels


@pytest.fixture
def by_both(kernels, monkeypatch):
    """Call a function with NumPy, and with the kernels; give both results."""

    def call(function, *arguments, **options):
        results = []
        for choice in ("numpy", "numba"):
            monkeypatch.setenv("SKL2H_KERNELS", choice)
            results.append(function(*arguments, **options))
        return results

    return call


def as_memory_map(logits, path):
    np.save(path, logits)
    return np.load(path, mmap_mode="r")


def unaligned(logits, path):
    buffer = np.empty(logits.nbytes + 1, dtype=np.uint8)
    array = np.ndarray(logits.shape, logits.dtype, buffer, offset=1)
    array[...] = logits
    return array


def read_only(logits, path):
    logits = logits.copy()
    logits.setflags(write=False)
    return logits


LAYOUTS = {
    "C": lambda logits, path: logits,
    "F": lambda logits, path: np.asfortranarray(logits),
    "reversed": lambda logits, path: logits[::-1].copy()[::-1],
    "every other column": lambda logits, path: np.repeat(logits, 2, axis=1)[:, ::2],
    "every other row": lambda logits, path: np.repeat(logits, 2, axis=0)[::2],
    "unaligned": unaligned,
    "of another byte order": lambda logits, path: logits.astype(logits.dtype.newbyteorder()),
    "memory map": as_memory_map,
    "read-only": read_only,
}


@pytest.mark.filterwarnings("ignore:In float64, no row gives any probability:UserWarning")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_merges_are_those_of_numpy(by_both, tmp_path, layout):
    """With ties, empty leaves, -inf, weights, every dtype, layout and block size."""
    for seed in range(1000, 1035):
        logits, weights, aggregation, memory, n_jobs = random_case(seed)
        logits = LAYOUTS[layout](logits, tmp_path / f"{seed}.npy")
        options = {"sample_weight": weights, "aggregation": aggregation, "n_jobs": n_jobs}
        with config_context(working_memory=memory):
            expected, tree = by_both(l2h_tree, logits, **options)
        assert np.array_equal(tree.children, expected.children), f"seed {seed}"
        assert np.array_equal(tree.counts, expected.counts), f"seed {seed}"
        np.testing.assert_allclose(tree.scores, expected.scores, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n_leaves", [1, 2, 63, 64, 65, 127, 128, 129, 513, 1500, 20_000])
def test_widths(by_both, n_leaves, dtype):
    """Columns that fill runs, or one more or less; with ties, and 0 with and without a sign."""
    rng = np.random.default_rng(n_leaves)
    logits = np.round(rng.standard_normal((40, n_leaves)) * 2).astype(dtype)
    logits[::2] *= 8
    logits[3, 1:] = -np.inf
    expected, state = by_both(read_rows, Logits(logits))
    for name in ("leaf", "second", "peak", "error"):
        assert np.array_equal(getattr(state, name), getattr(expected, name)), name
    np.testing.assert_allclose(state.doubt, expected.doubt, rtol=1e-14)
    np.testing.assert_allclose(state.share, expected.share, rtol=1e-14)
    if n_leaves <= 1500:
        expected, merges = by_both(merge_leaves, Logits(logits))
        assert np.array_equal(merges.children, expected.children)
        assert merges.stranded == expected.stranded


KINDS = {
    "probabilities": lambda rng: rng.dirichlet(np.full(9, 0.2), 60),
    "distances": lambda rng: np.abs(rng.standard_normal((60, 9))) * 3,
    "logits": lambda rng: rng.standard_normal((60, 9)) * 9,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("divisor", [1.0, 0.3])
def test_scores_of_all_kinds(by_both, kind, divisor):
    for seed in range(10):
        scores = KINDS[kind](np.random.default_rng(seed))
        expected, merges = by_both(merge_leaves, Logits(scores, kind, divisor))
        assert np.array_equal(merges.children, expected.children), f"seed {seed}"
        np.testing.assert_allclose(merges.scores, expected.scores, rtol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reassignment_is_that_of_numpy(by_both, tmp_path, layout):
    """Down to the smallest numbers that there are, for they may be all that goes to a leaf."""
    for seed in range(1000, 1035):
        logits, weights, _, memory, n_jobs = random_case(seed)
        logits = LAYOUTS[layout](logits, tmp_path / f"{seed}.npy")
        temperature = [1.0, 0.2, 30.0][seed % 3]
        source = RowsInMemory(as_logits(logits), n_jobs)
        source.weigh(weights)
        with config_context(working_memory=memory):
            expected, found = by_both(source.reassign, temperature)
        assert np.array_equal(found.leaves, expected.leaves), f"seed {seed}"
        assert np.array_equal(found.counts, expected.counts), f"seed {seed}"
        assert np.array_equal(found.shares > 0, expected.shares > 0), f"seed {seed}"
        np.testing.assert_allclose(found.shares, expected.shares, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf])
def test_first_row_without_a_leaf_is_named(by_both, value, dtype):
    """NaN, whether it has a sign or not, in any column; and rows of nothing but -inf after it."""
    for column in (0, 130, 299):
        logits = np.random.default_rng(0).standard_normal((90, 300)).astype(dtype)
        logits[[60, 80], column] = value
        logits[70] = -np.inf
        assert by_both(read_rows, Logits(logits), first_fault=True) == [60, 60]
        assert by_both(read_rows, Logits(logits[61:]), first_fault=True) == [9, 9]


def test_logits_at_the_ends_of_the_range(by_both):
    """Differences that overflow or underflow are those of impossible leaves."""
    logits = np.array([[1e308, -1e308, 0], [-1e308, 1e308, 5], [0, 900, 1e4], [-1000, 0, 1e-3]])
    for dtype in (np.float64, np.float32):
        with np.errstate(all="ignore"):
            clipped = np.clip(logits, -np.finfo(dtype).max, np.finfo(dtype).max).astype(dtype)
        expected, tree = by_both(l2h_tree, clipped)
        assert tree.children.tolist() == expected.children.tolist()


def test_exponential(kernels):
    """Within 1e-15 of the true one, from where nothing counts beside 1 up to 0."""
    values = np.concatenate([np.linspace(-708, 0, 2001), -np.logspace(-18, 2.8, 1000)])
    errors = [abs(Decimal(kernels.exponential(x)) / Decimal(x).exp() - 1) for x in values.tolist()]
    assert max(errors) < 1e-15
    assert kernels.exponential(0.0) == 1


def test_a_folder_that_cannot_be_written_is_no_error(kernels, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError("read-only")

    monkeypatch.setattr("numba.core.caching.tempfile.TemporaryFile", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kernels.kept(lambda number: number + 1)(1) == 2


class TestChoice:
    """SKL2H_KERNELS, what can be imported, and how much there is to read."""

    LOGITS = np.random.default_rng(0).standard_normal((6, 4))

    def test_enough_to_read(self, kernels, monkeypatch):
        monkeypatch.delenv("SKL2H_KERNELS", raising=False)
        assert compiled_rows_for(Logits(self.LOGITS)) is None
        monkeypatch.setattr(kernel_choice, "LEAST", self.LOGITS.size)
        assert compiled_rows_for(Logits(self.LOGITS)) is not None
        assert compiled_rows_for(as_logits(csr_matrix(self.LOGITS))) is None
        monkeypatch.setenv("SKL2H_KERNELS", "numpy")
        assert compiled_rows_for(Logits(self.LOGITS)) is None

    def test_without_numba(self, without_numba, monkeypatch):
        monkeypatch.delenv("SKL2H_KERNELS", raising=False)
        monkeypatch.setattr(kernel_choice, "LEAST", 0)
        assert compiled_rows_for(Logits(self.LOGITS)) is None
        monkeypatch.setenv("SKL2H_KERNELS", "numba")
        with pytest.raises(ImportError, match=r"Numba cannot be imported.*: run pip install"):
            l2h_tree(self.LOGITS)

    def test_another_word(self, monkeypatch):
        monkeypatch.setenv("SKL2H_KERNELS", "fast")
        with pytest.raises(ValueError, match=r"SKL2H_KERNELS must be .*, got 'fast'"):
            l2h_tree(self.LOGITS)
