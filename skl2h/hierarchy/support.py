"""How far the merges of a tree depend on which rows there happened to be.

clade      the leaves below a node
resample   the rows drawn with replacement: each row with a whole weight, the times it was drawn
"""

from functools import partial

import numpy as np
from joblib import cpu_count, effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from ..exceptions.arguments import as_count, as_random_state, check_n_jobs, check_weights
from ..merge.affinity import average_linkage, in_order, likeness_of, reassigned
from ..merge.aggregations import check_aggregation
from ..merge.loop import merge_leaves
from ..merge.resampled_rows import resampled_sums, resamples_per_pass
from ..merge.rows import read_rows
from ..merge.rows_by_leaf import RowsByLeaf
from ..merge.source import RowsInMemory
from .build import N_ARRAYS, check_memory_of_likeness, temperature_of_rows
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
        The tree whose merges are judged. Each resample is merged by the method that the tree was
        made by; for "l2h", it is aggregated as the parameter `aggregation` says.
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
        0, a row has no leaf, the inner model no longer has the tree's leaves for columns, or, of
        an affinity tree, a few arrays of shape (n_leaves, n_leaves) would not fit in memory.

    Notes
    -----
    The tree of a resample is that of :func:`~skl2h.l2h_tree` with the times that each row was
    drawn as `sample_weight`. Clades are compared as sets of leaves, not by hashes. The rows are
    read in full once for all resamples, and again only where groups grow.

    Of an affinity tree, it is that of :func:`~skl2h.affinity_tree`, but at the temperature of all
    rows, with their weights. The temperature tells how sharp the model is, which drawing rows
    changes little; held fixed, where a row would go is the same in every resample, and only the
    sums change. So the rows are read once for as many resamples as have their sums in 256 MB, and
    for 16 of them at least where memory allows.

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
    tree = estimator.tree_
    weights = check_weights(sample_weight, logits.shape[0])
    draws = _Draws(weights, logits.shape[0])
    entropy = random_state.randint(2**31 - 1, size=4).tolist()
    seeds = np.random.SeedSequence(entropy).spawn(n_resamples)
    if tree.method == "affinity":
        trees = _affinity_trees(logits, weights, draws, seeds, n_jobs)
    else:
        check_aggregation(estimator.aggregation)
        trees = _l2h_trees(logits, draws, seeds, estimator.aggregation, n_jobs)
    places = np.argsort(tree.leaf_order)
    own = _spans(tree.children, places)
    found = [_spans(children, places) for children in trees]
    spans, counts = np.unique(np.concatenate([own, *found]), return_counts=True)
    return tree.with_support((counts[np.searchsorted(spans, own)] - 1) / n_resamples)


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
        self.are_equal = bool((weights == 1).all())
        self.n_draws = round(self.bounds[-1] ** 2 / np.square(weights).sum())

    def times(self, seed):
        """How often each row is drawn, (n_rows,), as floats."""
        drawn = np.random.default_rng(seed).random(self.n_draws) * self.bounds[-1]
        if self.are_equal:  # the bounds are 1, 2, 3 and so on
            places = drawn.astype(np.intp)
        else:
            places = self.bounds.searchsorted(drawn, side="right")
        # A draw may be rounded up to the last bound itself.
        places = np.minimum(places, len(self.rows) - 1)
        return np.bincount(self.rows[places], minlength=self.n_rows).astype(np.float64)


def _l2h_trees(logits, draws, seeds, aggregation, n_jobs):
    """Children of the tree of each resample, of the least sure group first."""
    state = read_rows(logits, n_jobs)
    # Threads share the rows and their state. Each resample is one worker's.
    return Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_l2h_tree)(logits, state, draws, seed, aggregation) for seed in seeds
    )


def _l2h_tree(logits, state, draws, seed, aggregation):
    return merge_leaves(
        logits, draws.times(seed), aggregation=aggregation, n_jobs=1, state=state.copy()
    ).children


def _affinity_trees(logits, weights, draws, seeds, n_jobs):
    """Children of the affinity tree of each resample, at the temperature of all rows."""
    n_leaves = logits.shape[1]
    n_threads = min(effective_n_jobs(n_jobs), cpu_count(), len(seeds))
    # The sums of one resample, and for each thread what a tree needs.
    free = check_memory_of_likeness(n_leaves, N_ARRAYS * n_threads + 1)
    per_pass = resamples_per_pass(logits.shape, free)
    leaves = logits.leaves()
    source = RowsInMemory(logits, n_jobs)
    source.weigh(weights)
    temperature = temperature_of_rows(source, n_jobs)
    by_leaf = RowsByLeaf.of(leaves, weights, n_leaves)
    trees = []
    # Products here are many and small: threads within each would cost more than they bring.
    with threadpool_limits(1, user_api="blas"):
        for start in range(0, len(seeds), per_pass):
            times = [_narrow(draws.times(seed)) for seed in seeds[start : start + per_pass]]
            sums = resampled_sums(logits, leaves, by_leaf, times, temperature, n_jobs)
            task = partial(_affinity_tree, sums, leaves, times)
            trees += in_order(task, range(len(times)), n_jobs)
            del sums, task  # before there are others
    return trees


def _affinity_tree(sums, leaves, times, at):
    totals = np.bincount(leaves, weights=times[at], minlength=len(sums))
    shares = reassigned(sums[:, at].copy(), totals).shares
    return average_linkage(likeness_of(shares))[:, :2].astype(np.intp)


def _narrow(times):
    """Times that rows were drawn, in the fewest bytes that hold them."""
    return times.astype(np.min_scalar_type(int(times.max())))


def _spans(children, places):
    """A number for the leaves below each merge that stand side by side, else -1, (n_merges,).

    Leaf i stands at ``places[i]``. Two merges have the same number if the same leaves are below.
    """
    first, last, sizes = places.tolist(), places.tolist(), [1] * len(places)
    for a, b in children.tolist():
        first.append(min(first[a], first[b]))
        last.append(max(last[a], last[b]))
        sizes.append(sizes[a] + sizes[b])
    first, last, sizes = (
        np.array(ends[len(places) :], dtype=np.int64) for ends in (first, last, sizes)
    )
    return np.where(last - first + 1 == sizes, first * (len(places) + 1) + sizes, -1)
