"""Cuts of a tree: the groups of its leaves once the last merges are undone.

`cut` is a method of `MergeTree`.
"""

import numpy as np

from ..exceptions.arguments import as_floats
from ..exceptions.texts import shown
from .checks import check_level, check_levels

__all__ = ["cut"]


def cut(self, level=None, *, score=None):
    """Group the leaves by undoing the last merges.

    Parameters
    ----------
    level : int or sequence of int, default=None
        Number of groups, from 1 (all together) to `n_leaves` (all apart).
    score : float or sequence of float, default=None
        Instead of `level`: make the merges in order, up to the first whose score is
        above this.

    Returns
    -------
    groups : ndarray of shape (n_leaves,) or (n_leaves, n_cuts), dtype=intp
        Group of each leaf, numbered from 0 by the smallest leaf of the group. A sequence
        gives one column each.

    Raises
    ------
    ValueError
        If a level is below 1 or above `n_leaves`, or the tree has no scores.
    TypeError
        If a level is not an integer, or not exactly one of the two is given.

    Notes
    -----
    There are exactly `level` groups, and cuts are nested: leaves together at a level are
    together at every smaller one.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> MergeTree([(0, 2), (1, 3)]).cut(2)
    array([0, 1, 0])
    """
    if (level is None) == (score is None):
        raise TypeError("cut needs either level= or score=, and not both.")
    if score is not None:
        level = _levels_of_score(self, score)
    if isinstance(level, (str, bytes)) or not np.iterable(level):
        return _groups(self, check_level(self, level))
    columns = [_groups(self, number) for number in check_levels(self, level, "level")]
    return np.array(columns, dtype=np.intp).reshape(-1, self.n_leaves).T


def _levels_of_score(tree, score):
    """Level that is left by the merges up to the first above each score."""
    if tree.scores is None:
        raise ValueError("This tree has no scores to cut by: cut by level instead.")
    score = as_floats("score", score)
    if np.isnan(score).any():
        raise ValueError(f"score must not be NaN, got {shown(score.tolist())}.")
    if score.ndim > 1:
        raise ValueError(f"score must be one number or a sequence of them, got {shown(score)}.")
    # The running maximum makes "the merges up to the first above" a sorted search.
    made = np.maximum.accumulate(tree.scores).searchsorted(score, side="right")
    return tree.n_leaves - made


def _groups(tree, level):
    """Group of each leaf at a level, numbered by the smallest leaf."""
    n_nodes = 2 * tree.n_leaves - level  # once the first n_leaves - level merges are made
    top = tree.parents[:n_nodes]
    top = np.where((top < 0) | (top >= n_nodes), np.arange(n_nodes), top)
    while not np.array_equal(hop := top[top], top):
        top = hop
    _, first, group = np.unique(top[: tree.n_leaves], return_index=True, return_inverse=True)
    return first.argsort().argsort()[group]
