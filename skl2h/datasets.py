"""Logits with a known hierarchy."""

import numpy as np

from .exceptions.arguments import as_count, as_number, as_random_state
from .tree.merge_tree import MergeTree

__all__ = ["make_hierarchical_logits"]


def make_hierarchical_logits(
    n_samples=1000, n_leaves=16, *, separation=3.0, noise=1.0, random_state=None
):
    """Logits whose confusions follow a planted tree.

    A balanced binary tree is drawn over the leaves: round by round, groups are paired at random
    (an odd one is left for the next round). The logit of a leaf falls by `separation` for every
    round until its group meets the group of the row's own leaf, plus Gaussian noise.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    n_leaves : int, default=16
        Number of leaves K, at least 1.
    separation : float, default=3.0
        Logits lost from one round to the next. 0 plants nothing.
    noise : float, default=1.0
        Standard deviation of the noise.
    random_state : int, RandomState instance or None, default=None
        Pass an int for reproducible output.

    Returns
    -------
    logits : ndarray of shape (n_samples, n_leaves), dtype=float64
        Of each row, noise included.
    labels : ndarray of shape (n_samples,), dtype=intp
        The leaf that each row was drawn for. Leaves are drawn in equal shares; noise may give
        another leaf the largest logit.
    tree : MergeTree
        The planted tree; its scores are the rounds, 1 and up.

    Raises
    ------
    ValueError
        If a size is below 1, `separation` or `noise` is negative or infinite, or `random_state`
        is not a seed.
    TypeError
        If a size is not an integer, or `separation` or `noise` is not a number.

    Notes
    -----
    When `n_leaves` is a power of two, :func:`~skl2h.l2h_tree` finds the planted groups wherever
    they stand out of the noise. Otherwise groups of one round differ in size, and the method,
    which merges small groups early, may pair the odd ones in another way.

    Examples
    --------
    >>> from skl2h import l2h_tree
    >>> from skl2h.datasets import make_hierarchical_logits
    >>> logits, labels, planted = make_hierarchical_logits(500, 8, random_state=0)
    >>> logits.shape
    (500, 8)
    >>> planted.cut(2)
    array([0, 0, 1, 0, 1, 1, 1, 0])
    >>> l2h_tree(logits).cut(2)
    array([0, 0, 1, 0, 1, 1, 1, 0])
    """
    n_samples, n_leaves = as_count("n_samples", n_samples), as_count("n_leaves", n_leaves)
    separation = as_number("separation", separation, may_be_zero=True)
    noise = as_number("noise", noise, may_be_zero=True)
    random_state = as_random_state(random_state)
    tree = _draw_tree(n_leaves, random_state)
    leaves = np.arange(n_leaves)
    meetings = tree.lca(leaves[:, np.newaxis], leaves)
    rounds = np.concatenate([np.zeros(n_leaves), tree.scores])[meetings]
    labels = random_state.permutation(np.arange(n_samples) % n_leaves)
    logits = noise * random_state.standard_normal((n_samples, n_leaves))
    logits -= separation * rounds[labels]
    return logits, labels, tree


def _draw_tree(n_leaves, random_state):
    children, rounds, left = [], [], []
    groups = list(range(n_leaves))
    for this_round in range(1, n_leaves.bit_length() + 1):
        # What was left goes first, so that it does not wait twice.
        groups = left + random_state.permutation(groups).tolist()
        left = groups[len(groups) // 2 * 2 :]
        pairs = list(zip(groups[::2], groups[1::2]))
        groups = [n_leaves + len(children) + i for i in range(len(pairs))]
        children += pairs
        rounds += [this_round] * len(pairs)
    return MergeTree(children, scores=rounds)
