"""Distances of leaves in the affinity tree: steps 6 and 7."""

import tracemalloc

import numpy as np
import pytest
from helpers.plain_affinity import plain_distances
from scipy.spatial.distance import squareform

from skl2h import confusion_tree
from skl2h.merge import affinity_distances
from skl2h.merge.affinity import likeness_of
from skl2h.merge.affinity_distances import distances_of


def shares(seed, n_leaves, n_empty):
    """R with some leaves, here and there, that nothing comes from or goes to."""
    rng = np.random.default_rng(seed)
    R = rng.random((n_leaves, n_leaves)) ** 4
    empty = rng.permutation(n_leaves)[:n_empty]
    R[empty] = R[:, empty] = 0
    np.fill_diagonal(R, 0)
    return np.divide(R, total := R.sum(axis=1, keepdims=True), out=R, where=total > 0), empty


def in_blocks(n_leaves, n_blocks):
    """R of leaves that are alike within blocks, and send the more to their own block."""
    block = np.arange(n_leaves) % n_blocks
    R = np.where(np.equal.outer(block, block), 3.0, 1.0)
    np.fill_diagonal(R, 0)
    return R / R.sum(axis=1, keepdims=True)


def nearly_equal():
    """R of a few lines that differ in their sixth digit, and two that leaves share."""
    rng = np.random.default_rng(0)
    R = rng.random((12, 12)) ** 2
    R[:, 1] = R[:, 0]
    R[1] = R[0] * (1 + 1e-6 * rng.standard_normal(12))
    R[2] = R[0]
    np.fill_diagonal(R, 0)
    return R / R.sum(axis=1, keepdims=True)


@pytest.fixture
def recomputed(monkeypatch):
    """Numbers of pairs whose distance is computed once more, call by call."""
    numbers, of_pairs = [], affinity_distances.squares_of_pairs

    def count(lines, i, j):
        numbers.append(len(i))
        return of_pairs(lines, i, j)

    monkeypatch.setattr(affinity_distances, "squares_of_pairs", count)
    return numbers


CASES = {
    "all different": shares(0, 20, 0)[0],
    "two empty": shares(1, 20, 2)[0],
    "half empty": shares(2, 30, 15)[0],
    "all but two empty": shares(3, 12, 10)[0],
    "all empty": np.zeros((9, 9)),
    "all alike": in_blocks(9, 1),
    "blocks": in_blocks(24, 3),
    "nearly equal": nearly_equal(),
    "two": np.array([[0, 1.0], [1, 0]]),
}


@pytest.mark.parametrize("step", [1, 2**20], ids=["pair by pair", "at once"])
@pytest.mark.parametrize("case", CASES)
def test_distances_equal_plain_evaluation(case, step, monkeypatch):
    """To nine digits, of lines that are equal or nearly so as well."""
    monkeypatch.setattr(affinity_distances, "CLOSE_ENTRIES", step)
    distances, likeness = plain_distances(CASES[case].tolist())
    n_leaves = len(likeness)
    expected = [distances[b, a] for a in range(n_leaves) for b in range(a + 1, n_leaves)]
    ours = likeness_of(CASES[case].copy())
    np.testing.assert_allclose(ours, likeness, rtol=1e-12, atol=1e-15)
    found = distances_of(ours)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * max(expected))


def test_pairs_of_equal_lines_are_not_recomputed(recomputed):
    """However many leaves nothing goes to: they count as one beside the others."""
    for seed in range(5):
        R, empty = shares(seed, 300, 200)
        others = np.setdiff1d(np.arange(300), empty)
        together = squareform(distances_of(likeness_of(R)))
        among = squareform(together[np.ix_(empty, empty)], checks=False)
        assert (among == among[0]).all(), f"seed {seed}"
        to_empty = together[np.ix_(others, empty)]
        assert (to_empty == to_empty[:, :1]).all(), f"seed {seed}"
    assert sum(recomputed) <= 5 * 101 * 100 // 2


def test_lines_of_length_0_are_not_recomputed(recomputed):
    assert (distances_of(np.zeros((300, 300))) == 0).all()
    with pytest.warns(UserWarning, match="has no meaning"):
        confusion_tree(np.zeros((300, 300)))
    distances_of(likeness_of(in_blocks(300, 1)))
    assert sum(recomputed) == 0


@pytest.mark.parametrize("n_empty", [0, 2, 300, 600])
def test_memory_is_that_of_four_arrays(n_empty):
    """Of leaves by leaves, of which the likeness is one."""
    likeness = likeness_of(shares(0, 600, n_empty)[0])
    tracemalloc.start()
    distances_of(likeness)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * likeness.nbytes


def test_close_lines_are_recomputed(recomputed):
    """So that the counts above are counts of something."""
    distances_of(likeness_of(nearly_equal()))
    assert sum(recomputed) > 0
