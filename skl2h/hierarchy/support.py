"""How far the merges of a tree depend on which rows there happened to be.

clade      the leaves below a node
resample   the rows drawn with replacement: each row with a whole weight, the times it was drawn
"""

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from ..exceptions.arguments import as_count, as_random_state, check_n_jobs, check_weights
from ..merge.aggregations import check_aggregation
from ..merge.loop import merge_leaves
from ..merge.rows import read_rows
from ..tree.merge_tree import MergeTree
from ..tree.reference import groups_of
from .fitted import fitted_logits, last_step

__all__ = ["bootstrap_support"]


def bootstrap_support(
    estimator, X, *, n_resamples=100, sample_weight=None, random_state=None, n_jobs=None
):
    """Share of resampled trees that have each group of the tree, as phylogenetics reports it.

    The rows are drawn anew with replacement, a tree is built of them with the model as it is, and
    this again and again. The support of a merge is the share of these trees in which some merge
    holds the same leaves, its clade [1]_.

    Parameters
    ----------
    estimator : fitted L2HClustering, or Pipeline that ends in one
        The tree whose merges are judged. Each resample is aggregated as its parameter
        `aggregation` says.
    X : array-like of shape (n_samples, n_features)
        The rows that the tree was built of, or others. For ``"precomputed"``, what
        `fit` was given: logits or probabilities.
    n_resamples : int, default=100
        Number of trees.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row, not negative: rows are drawn in proportion to it. None weighs all 1. If
        `fit` had weights, give the same: the estimator does not keep them.
    random_state : int, RandomState instance or None, default=None
        Pass an int for reproducible output. The first resamples do not depend on how many
        follow.
    n_jobs : int, default=None
        Resamples that are made at a time; see ``n_jobs`` in scikit-learn's glossary. Any
        number gives the same support.

    Returns
    -------
    tree : MergeTree
        The estimator's ``tree_``, with `support` of shape (n_leaves - 1,); of the root, which is
        in every tree, it is 1.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator is no `L2HClustering`, or `n_resamples` or `n_jobs` is not an integer.
    ValueError
        If `n_resamples` is below 1, `random_state` is not a seed, a weight is negative or all are
        0, a row has no leaf, or the inner model no longer has the tree's leaves for columns.

    Notes
    -----
    The tree of a resample is that of :func:`~skl2h.l2h_tree` with the times that each row was
    drawn as `sample_weight`. Clades are compared as sets of leaves, not by hashes. The rows are
    read in full once for all resamples, and again only where groups grow.

    As many rows are drawn as there are; with weights, as many as they are worth: the rounded
    square of the sum of weights over the sum of their squares [2]_. So the unit of the weights
    does not matter, rows of weight 0 are as good as not there, and a tree that a few heavy rows
    decide is not taken for a safe one. A whole weight here is not as many rows: to weigh rows
    that were seen several times, repeat them.

    What is judged is the sampling of the rows alone. A model that is sure of a wrong hierarchy
    has support for it; and where n is large, support is near 1 for all that stands out of the
    noise, however small the difference.

    References
    ----------
    .. [1] J. Felsenstein, "Confidence Limits on Phylogenies: An Approach Using the Bootstrap",
       Evolution 39, 1985.
    .. [2] L. Kish, "Survey Sampling", Wiley, 1965.

    Examples
    --------
    >>> from skl2h import L2HClustering, bootstrap_support
    >>> from skl2h.datasets import make_hierarchical_logits
    >>> logits, _, _ = make_hierarchical_logits(500, 4, random_state=0)
    >>> model = L2HClustering("precomputed").fit(logits)
    >>> bootstrap_support(model, logits, n_resamples=20, random_state=0).support
    array([1., 1., 1.])
    """
    n_resamples = as_count("n_resamples", n_resamples)
    random_state = as_random_state(random_state)
    check_n_jobs(n_jobs)
    estimator, X = last_step(estimator, X)
    logits = fitted_logits(estimator, X)
    check_aggregation(estimator.aggregation)
    tree = estimator.tree_
    draws = _Draws(check_weights(sample_weight, logits.shape[0]), logits.shape[0])
    entropy = random_state.randint(2**31 - 1, size=4).tolist()
    seeds = np.random.SeedSequence(entropy).spawn(n_resamples)
    state = read_rows(logits, n_jobs)
    # Threads share the rows and their state. Each resample is one worker's.
    found = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_clades_found)(tree, logits, state, draws, seed, estimator.aggregation)
        for seed in seeds
    )
    return tree.with_support(np.mean(found, axis=0))


class _Draws:
    """Rows drawn with replacement, in proportion to their weights."""

    def __init__(self, weights, n_rows):
        weights = np.ones(n_rows) if weights is None else weights
        if not weights.any():
            raise ValueError("sample_weight is 0 for every row, so there is nothing to draw.")
        self.n_rows = n_rows
        self.rows = np.flatnonzero(weights)
        weights = weights[self.rows] / weights.max()
        self.bounds = np.cumsum(weights)
        self.n_draws = round(self.bounds[-1] ** 2 / np.square(weights).sum())

    def times(self, seed):
        """How often each row is drawn, (n_rows,), as floats."""
        drawn = np.random.default_rng(seed).random(self.n_draws) * self.bounds[-1]
        # A draw may be rounded up to the last bound itself.
        places = np.minimum(self.bounds.searchsorted(drawn, side="right"), len(self.rows) - 1)
        return np.bincount(self.rows[places], minlength=self.n_rows).astype(np.float64)


def _clades_found(tree, logits, state, draws, seed, aggregation):
    """Whether each merge of a tree is a clade of the tree of a resample, (n_merges,)."""
    merges = merge_leaves(
        logits, draws.times(seed), aggregation=aggregation, n_jobs=1, state=state.copy()
    )
    clades, _ = groups_of(MergeTree(merges.children, names=tree.names), tree)
    return clades.in_tree(tree)[tree.n_leaves :]
