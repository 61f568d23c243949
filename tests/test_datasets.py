"""Planted trees are balanced, reproducible, and found again."""

import numpy as np
import pytest

from skl2h import l2h_tree
from skl2h.datasets import make_hierarchical_logits


def clades(tree):
    return {frozenset(tree.members(node)) for node in range(tree.n_leaves, tree.n_nodes)}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("n_leaves", [1, 2, 4, 8, 16, 32, 64, 128])
def test_the_planted_tree_is_found(n_leaves, seed):
    logits, _, planted = make_hierarchical_logits(50 * n_leaves, n_leaves, random_state=seed)
    assert clades(l2h_tree(logits)) == clades(planted)


@pytest.mark.parametrize("n_leaves", [3, 5, 6, 7, 11, 100])
def test_the_planted_tree_is_balanced(n_leaves):
    """Each round halves the number of groups, rounded up."""
    tree = make_hierarchical_logits(1, n_leaves, random_state=0)[2]
    groups = n_leaves
    for this_round in range(1, int(tree.scores[-1]) + 1):
        groups = (groups + 1) // 2
        assert tree.cut(score=this_round).max() + 1 == groups
    assert groups == 1


def test_shapes_and_shares():
    logits, labels, tree = make_hierarchical_logits(203, 10, random_state=0)
    assert logits.shape == (203, 10)
    assert logits.dtype == np.float64
    assert sorted(np.bincount(labels)) == [20] * 7 + [21] * 3
    assert tree.n_leaves == 10
    assert tree.scores.max() == 4


def test_confusions_follow_the_tree():
    """Without noise a logit depends on the round in which two leaves meet, and falls with it."""
    logits, labels, tree = make_hierarchical_logits(
        64, 16, separation=2.5, noise=0.0, random_state=0
    )
    meeting = tree.lca(labels[:, np.newaxis], np.arange(16))
    rounds = np.where(meeting < 16, 0, tree.scores[np.maximum(meeting - 16, 0)])
    assert np.array_equal(logits, -2.5 * rounds)


def test_sizes_are_integers_of_any_kind():
    assert make_hierarchical_logits(np.int64(3), np.int32(4))[0].shape == (3, 4)
    with pytest.raises(TypeError, match=r"n_samples must be an integer, got 3\.0"):
        make_hierarchical_logits(3.0)


def test_no_separation_plants_nothing():
    one, _, _ = make_hierarchical_logits(20, 5, separation=0, random_state=0)
    assert abs(one.mean()) < 0.3


def test_seeds():
    one, two, other = (make_hierarchical_logits(50, 9, random_state=seed) for seed in (0, 0, 1))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
    assert one[2] == two[2]
    assert one[2] != other[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 0}, "n_samples must be at least 1, got 0"),
        ({"n_leaves": 0}, "n_leaves must be at least 1, got 0"),
        ({"separation": -1}, "separation must be finite and not negative, got -1"),
        ({"noise": np.nan}, "noise must be finite and not negative, got nan"),
        ({"noise": np.inf}, "noise must be finite and not negative, got inf"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_hierarchical_logits(**arguments)
