"""From the rows of logits, wherever they are, to their tree."""

from functools import partial

import numpy as np

from ..exceptions.arguments import as_verbosity
from ..exceptions.categories import StrandedGroupWarning, warn
from ..exceptions.texts import first_few, shown
from ..logits.memory import free_memory, in_words
from ..merge.affinity import average_linkage, likeness_of, temperature_of
from ..merge.aggregations import check_aggregation
from ..merge.progress import printing
from ..merge.source import source_of_logits
from ..tree.merge_tree import MergeTree

__all__ = [
    "N_ARRAYS",
    "build_tree",
    "check_memory_of_likeness",
    "l2h_tree",
    "reassigned_of",
    "temperature_of_rows",
    "tree_of_shares",
]

# Arrays of leaves by leaves, in float64, that an affinity tree needs at once.
N_ARRAYS = 4


def l2h_tree(
    logits,
    *,
    sample_weight=None,
    aggregation="sum_of_means",
    input="logits",
    n_jobs=None,
    verbose=0,
    persist=True,
):
    """Merge the K clusters of a flat model into one binary tree.

    The leaves are the K clusters, the columns of `logits`, not its rows. The group the model is
    least sure of is merged with the group its rows would go to if it did not exist, K - 1
    times [1]_.

    Parameters
    ----------
    logits : {array-like, sparse matrix, Dask array} of shape (n_samples, K), dtype=number
        Unnormalised log-probabilities of each row: adding a number to a row changes nothing.
        -inf says that a leaf is impossible for a row, and so does an entry that a sparse matrix,
        or a sparse frame of pandas, does not store. Probabilities are taken with
        ``input="probabilities"``.
        The labels of columns name the leaves: those of a data frame, of an Arrow table, or of the
        second dimension of an xarray. Never changed; never copied as a whole, but for a sparse
        matrix that is not a sorted CSR, and for tables whose columns are not in one array. The
        rows of a Dask array, or data frame, stay on its workers. A list of .npy files, whose rows
        follow each other, is read through memory maps.
    sample_weight : array-like or Dask array of shape (n_samples,), default=None
        Weight of each row, not negative; None weighs all 1. A whole weight is the same as that
        many equal rows.
    aggregation : {"sum_of_means", "sum", "mean"}, default="sum_of_means"
        Score of a group, from the largest softmax probability g of its rows: the sum over its
        leaves of the leaf's mean g, or of the leaf's sum of g, or the mean of g over its rows.
    input : {"logits", "probabilities"}, default="logits"
        What the numbers are. Of probabilities, the logarithms are the logits; rows need not sum
        to 1, and 0, or what a sparse matrix does not store, says that a leaf is impossible.
    n_jobs : int, default=None
        Threads that read the rows; see ``n_jobs`` in scikit-learn's glossary. Any number
        gives the same tree. Of a Dask array, its scheduler decides.
    verbose : int, default=0
        1 prints a line at each tenth of the merges.
    persist : bool, default=True
        Whether the workers keep the chunks of a Dask array in memory until the tree is made. They
        also keep 56 bytes for each row, 64 with weights. With False each pass computes the chunks
        again.

    Returns
    -------
    tree : MergeTree
        ``children[t]`` is (selected group, partner), ``scores[t]`` the score of the selected
        group, ``counts`` the rows of each leaf, or their weight.

    Raises
    ------
    ValueError
        If a row has NaN, +inf or nothing but -inf, or a negative probability (the first such row
        is named), if the array is not 2-dimensional or not of real numbers, as text and objects
        are not even if numbers could be made of them, if entries are masked, or a weight is
        negative.
    TypeError
        If `n_jobs` or `verbose` is not an integer, or `persist` not a bool.

    Warns
    -----
    LogitsWarning
        If what is given as logits looks like probabilities: nothing is negative, and every row
        sums to 1, within 0.01.
    StrandedGroupWarning
        If the rows of a group have no probability for any other leaf: it joins the group that
        was formed earliest.

    Notes
    -----
    Ties, which are scores within 1e-9 of their doubts and profiles within a relative 1e-9, go to
    the group formed earliest. The selected scores never decrease.

    References
    ----------
    .. [1] E. Palumbo, M. Vandenhirtz, A. Ryser, I. Daunhawer, J. E. Vogt, "From Logits to
       Hierarchies: Hierarchical Clustering made Simple", ICML 2025, arXiv:2410.07858.

    Examples
    --------
    >>> from skl2h import l2h_tree
    >>> tree = l2h_tree([[3, 2, 0, 0], [2, 3, 0, 0], [0, 0, 4, 2], [0, 0, 2, 4]])
    >>> tree.children
    array([[0, 1],
           [2, 3],
           [4, 5]])
    >>> tree.scores.round(3)
    array([0.681, 0.853, 1.363])
    >>> tree.cut(2)
    array([0, 0, 1, 1])
    """
    check_aggregation(aggregation)
    verbose = as_verbosity("verbose", verbose)
    with source_of_logits(logits, sample_weight, input, n_jobs, persist) as source:
        return build_tree(source, names=source.names, aggregation=aggregation, verbose=verbose)[0]


def build_tree(
    source,
    *,
    method="l2h",
    names=None,
    aggregation="sum_of_means",
    n_jobs=None,
    verbose=0,
    on_merge=None,
):
    """Tree of the rows of a source, and the leaf of each row: of `DaskChunks`, a Dask array."""
    if method == "affinity":
        found = reassigned_of(source, n_jobs, verbose)
        n_merges = len(found.shares) - 1
        if on_merge is not None:
            on_merge(0, n_merges, 1.0)
        tree = tree_of_shares(found.shares, names, found.counts)
        if verbose:
            print(f"[affinity] {n_merges} merges made", flush=True)
        if on_merge is not None and n_merges:
            on_merge(n_merges, n_merges, 1.0)
        return tree, found.leaves
    if verbose:
        on_merge = printing(on_merge)
    merges = source.merge(aggregation, on_merge)
    made = {"scores": merges.scores, "counts": merges.counts, "method": "l2h"}
    tree = MergeTree(merges.children, names=names, **made)
    if merges.stranded:
        nodes = first_few(merges.stranded, 10, partial(_number_and_name, tree))
        warn(
            f"In float64, no row gives any probability to a way out of node {nodes}: joined to the "
            "group that was formed earliest.",
            StrandedGroupWarning,
        )
    return tree, merges.leaves


def _number_and_name(tree, node):
    return f"{node} ({shown(tree.names[node])})" if node < tree.n_leaves else str(node)


def reassigned_of(source, n_jobs=None, verbose=0):
    """Where the rows of each leaf would go, at the temperature that a sample of them tells."""
    check_memory_of_likeness(source.shape[1])
    temperature = temperature_of_rows(source, n_jobs)
    if verbose:
        print(f"[affinity] the temperature is {temperature:.4g}", flush=True)
    found = source.reassign(temperature)
    if verbose:
        print(f"[affinity] the rows of {source.shape[1]} leaves read", flush=True)
    return found


def temperature_of_rows(source, n_jobs=None):
    """Temperature that a sample of the rows tells; 1 if there is none, or few leaves."""
    if source.shape[1] < 4:
        return 1.0
    sample, weights = source.sample()
    return 1.0 if sample is None else temperature_of(sample, weights, n_jobs)


def tree_of_shares(shares, names=None, counts=None):
    """Affinity tree of where the rows of each leaf would go; the shares are overwritten."""
    apart = np.flatnonzero(~(shares.any(axis=0) | shares.any(axis=1))).tolist()
    merges = average_linkage(likeness_of(shares))
    children, heights = merges[:, :2].astype(np.intp), merges[:, 2]
    tree = MergeTree(children, scores=heights, names=names, counts=counts, method="affinity")
    if apart and len(children):
        leaves = first_few(apart, 10, partial(_number_and_name, tree))
        which, them = ("leaf", "it") if len(apart) == 1 else ("leaves", "them")
        warn(
            f"Nothing would go to or from {which} {leaves}: where the affinity tree puts {them} "
            "has no meaning.",
            StrandedGroupWarning,
        )
    return tree


def check_memory_of_likeness(n_leaves, n_arrays=N_ARRAYS, other_way="l2h_tree, or method='l2h',"):
    """Refuse leaves of which there are too many for a few arrays of leaves by leaves.

    Gives the bytes that are left besides, None where the system does not tell.
    """
    needed, free = n_arrays * 8 * n_leaves**2, free_memory()
    if free is not None and needed > free:
        raise ValueError(
            f"The likeness of {n_leaves:,} leaves takes {in_words(needed)} of memory, and there "
            f"are {in_words(free)}. Of logits, {other_way} makes a tree without it."
        )
    return None if free is None else free - needed
