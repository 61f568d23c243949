"""Why the merges of an affinity tree were made: columns of the evidence, from the rows."""

from itertools import pairwise

import numpy as np

from ..merge.affinity import likeness_of
from ..merge.affinity_distances import distances_of
from ..merge.affinity_evidence import moments_of, rows_that_carry
from ..merge.rows_by_leaf import RowsByLeaf
from ..tree.subtrees import values_below
from .build import check_memory_of_likeness, temperature_of_rows

__all__ = ["columns_of_affinity"]

# Arrays of leaves by leaves, in float64, that are there at once.
N_ARRAYS = 5


def columns_of_affinity(source, tree, wanted, n_rows):
    """Columns of `Evidence`, but for the nodes, as a dict.

    Parameters
    ----------
    source : RowsInMemory
    tree : MergeTree
    wanted : range
        Merges, by their numbers in the tree: all, or one.
    n_rows : int
        Rows to name of each.
    """
    n_leaves = tree.n_leaves
    check_memory_of_likeness(n_leaves, N_ARRAYS)
    temperature = temperature_of_rows(source, source.n_jobs)
    found = source.reassign(temperature)
    distances = np.empty(0)
    if n_leaves > 1:
        distances = distances_of(likeness_of(found.shares.copy()))
    moments = moments_of(tree.children[: wanted.stop - n_leaves], distances, found.shares)
    merges = slice(wanted.start - n_leaves, wanted.stop - n_leaves)
    means, runners_up, others, sent, lifts = (values[merges] for values in moments)
    larger = np.maximum(means, others)
    tells = larger > 0  # not NaN
    margins = np.where(runners_up < 0, 1.0, 0.0)
    margins[tells] = (others - means)[tells] / larger[tells]

    looked_at = source.weights
    if len(wanted) == 1:
        # Only the rows of its leaves have anything to say.
        looked_at = np.isin(found.leaves, tree.members(wanted.start)).astype(float)
        if source.weights is not None:
            looked_at *= source.weights
    by_leaf = RowsByLeaf.of(found.leaves, looked_at, n_leaves)
    going, of_merge, rows = rows_that_carry(
        source.logits,
        found.leaves,
        by_leaf,
        source.weights,
        tree,
        temperature,
        n_rows,
        source.n_jobs,
    )
    shares = np.full(len(wanted), np.nan)
    weight = np.bincount(found.leaves, weights=source.weights, minlength=n_leaves)
    first, second = values_below(tree, weight.astype(float), float.__add__)[tree.children[merges]].T
    # No more than 1, whatever the order in which weights were added.
    np.divide(np.minimum(going[merges], first), first, out=shares, where=first > 0)
    kinds = np.where((first > 0) & (second > 0), "rows", "soft").astype("<U8")
    kinds[(sent == 0).all(axis=1)] = "stranded"
    bounds = np.searchsorted(of_merge, np.arange(merges.start, merges.stop + 1)).tolist()
    return {
        "runners_up": runners_up,
        "partner_means": means,
        "runner_up_means": others,
        "margins": margins,
        "shares": shares,
        "kinds": kinds,
        "rows": [rows[a:b] for a, b in pairwise(bounds)],
        "sent": sent,
        "lifts": lifts,
    }
