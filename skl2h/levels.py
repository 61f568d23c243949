"""Which levels of a tree tell most of where its rows would go.

mass      of a row that had to leave its leaf: the softmax over the other leaves, 1 in all
meeting   the merge that joins two leaves: mass from one to the other crosses it
level     a cut of the tree, named by its number of groups; mass stays within the groups of a
          level if it crosses merges that the level has made
"""

import operator

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .build import check_logits, check_weights
from .groups import TOLERANCE
from .logits import SparseLogits, as_logits, best_entries
from .sources import model_of
from .tree import MergeTree

__all__ = ["best_levels", "mass_of_merges", "suggest_levels"]


def suggest_levels(source, logits=None, *, sample_weight=None, n_levels=5):
    """Levels of a tree at which to cut it, best first.

    A row that had to leave its leaf would go to the other leaves with certain probabilities, the
    softmax over them. Were these even, a share p of all that mass would stay within the groups of
    a level; in truth it is q. The best level is where q stands out of p the most: where q > p and
    the information ``q log(q / p) + (1 - q) log((1 - q) / (1 - p))`` is largest. Both are equal at
    the root and at the leaves, and at any level of a tree that says nothing; and where the mass
    between two leaves knows but two rates, a high one within some groups and a low one across
    them, no other level can tell more than that of these groups, as every other mixes the two
    rates (the data processing inequality [1]_). The next level is the one that adds most
    information to that, and so on.

    Parameters
    ----------
    source : MergeTree, L2HClustering or Pipeline
        A tree, or an estimator that was fitted with ``n_clusters="auto"``, perhaps as the last
        step of a Pipeline.
    logits : {array-like, sparse matrix} of shape (n_samples, K), default=None
        Logits of the rows that the tree was made of, as for :func:`~skl2h.l2h_tree`; needed for
        a tree. An estimator has kept from `fit` what it takes.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row of `logits`.
    n_levels : int, default=5
        Most levels to give. There are fewer in a small tree, or where no other level adds
        anything.

    Returns
    -------
    levels : ndarray of shape (n_found,), dtype=intp
        Numbers of groups, from 2 to K - 1; only K, if no level says anything.
    gains : ndarray of shape (n_found,), dtype=float64
        Information that each adds to those before it, in nats per row. Near 0 a level is nothing
        but chance.

    Raises
    ------
    NotFittedError
        If the estimator has not been fitted.
    ValueError
        If the estimator was fitted with another `n_clusters`, `n_levels` is below 1, or the
        logits are not those of the leaves.
    TypeError
        If `source` is no tree, or no logits come with it.

    See Also
    --------
    skl2h.metrics.reassignment_within : How much stays within each level, of any profiles.

    Notes
    -----
    Scores alone do not tell: with the default aggregation they grow with the number of leaves of
    a group, whatever its leaves have in common. So this reads the rows once more, which takes
    about as long as two softmaxes.

    A level of other groups than the tree's is never found: where groups that belong together
    differ much in size, the method, which merges small groups early, joins some of them before
    others are whole.

    Levels that differ in nothing but rounding are equal, and the smallest number of groups wins.

    References
    ----------
    .. [1] T. M. Cover, J. A. Thomas, "Elements of Information Theory", 2nd edition, 2006,
       section 2.8.

    Examples
    --------
    >>> from skl2h import l2h_tree, suggest_levels
    >>> from skl2h.datasets import make_hierarchical_logits
    >>> logits, _, _ = make_hierarchical_logits(1000, 16, random_state=0)
    >>> levels, gains = suggest_levels(l2h_tree(logits), logits, n_levels=3)
    >>> levels
    array([8, 4, 2])
    >>> gains.round(2)
    array([1.8 , 0.24, 0.01])
    """
    n_levels = operator.index(n_levels)
    if n_levels < 1:
        raise ValueError(f"n_levels must be at least 1, got {n_levels}.")
    source = model_of(source)
    if isinstance(source, MergeTree):
        if logits is None:
            raise TypeError("A tree alone does not tell its levels: give the logits as well.")
        scores = check_logits(logits)
        if scores.shape[1] != source.n_leaves:
            raise ValueError(
                f"The logits have {scores.shape[1]} columns, but the tree has {source.n_leaves} "
                "leaves."
            )
        weights = check_weights(sample_weight, scores.shape[0])
        logits = as_logits(scores)
        return best_levels(mass_of_merges(source, logits, logits.leaves(), weights), n_levels)
    if not hasattr(source, "fit"):
        raise TypeError(f"A MergeTree or a fitted L2HClustering is needed, got {source!r}.")
    check_is_fitted(source)
    if logits is not None or sample_weight is not None:
        raise TypeError("An estimator has read its rows in fit: give logits with a tree only.")
    mass = getattr(source, "_mass_of_merges", None)
    if mass is None:
        raise ValueError(
            f'This {type(source).__name__} was not fitted with n_clusters="auto", so it has not '
            "kept what tells the levels: fit it so (FrozenEstimator spares the inner model), or "
            "give its tree_ and the logits."
        )
    return best_levels(mass, n_levels)


def mass_of_merges(tree, logits, leaves, weights=None):
    """Mass that crosses each merge, and what would if it were even, (2, K - 1).

    `leaves` are those of the rows. A row that can go nowhere has no mass.
    """
    if weights is not None:
        weights = weights / (weights.max() or 1.0)  # sums times leaves stay finite
    n_leaves = tree.n_leaves
    mass = np.zeros(2 * n_leaves - 1)  # by the node of the meeting
    leaving = np.zeros(n_leaves)
    lines = _lines_of_entries if isinstance(logits, SparseLogits) else _lines_of_blocks
    for leaf, column, share in lines(logits, leaves, weights):
        leaving += np.bincount(leaf.ravel(), weights=share.sum(axis=1), minlength=n_leaves)
        meeting = tree.lca(leaf, column)
        mass += np.bincount(meeting.ravel(), weights=share.ravel(), minlength=len(mass))
    # If they were even, a row of one side would go to each leaf of the other alike.
    sums = leaving.tolist()
    for left, right in tree.children.tolist():
        sums.append(sums[left] + sums[right])
    left, right = tree.children.T
    sums = np.array(sums)
    even = sums[left] * tree.sizes[right] + sums[right] * tree.sizes[left]
    return np.stack([mass[n_leaves:], even / max(n_leaves - 1, 1)])


def best_levels(mass, n_levels):
    """Levels and their gains, from what `mass_of_merges` gives."""
    n_leaves = mass.shape[1] + 1
    total = mass.sum(axis=1, keepdims=True)
    found = []
    if (total > 0).all():
        within = np.concatenate([np.zeros((2, 1)), np.cumsum(mass, axis=1)], axis=1)
        within = np.minimum(within / within[:, -1:], 1.0)
        waiting = [_best_split(within, 0, n_leaves - 1)]
        while waiting and len(found) < n_levels:
            best = max(waiting, key=operator.itemgetter(0))
            waiting.remove(best)
            gain, split, first, last = best
            if gain <= TOLERANCE:
                break
            found.append((n_leaves - split, gain))
            waiting += [_best_split(within, *ends) for ends in ((first, split), (split, last))]
    levels, gains = zip(*(found or [(n_leaves, 0.0)]))
    return np.array(levels, dtype=np.intp), np.array(gains)


def _best_split(within, first, last):
    """Gain and place of the best level between two, by the merges made, and the two."""
    if last - first < 2:
        return 0.0, first, first, last
    here = within[:, first + 1 : last]
    fine = here - within[:, [first]]
    coarse = within[:, [last]] - here
    gains = _information(*fine) + _information(*coarse) - _information(*(fine + coarse))
    with np.errstate(all="ignore"):
        denser = fine[0] * coarse[1] > coarse[0] * fine[1]
    gains = np.where(denser, gains, 0.0)
    # The last of the equal ones has the fewest groups.
    split = np.flatnonzero(gains >= gains.max() - TOLERANCE)[-1]
    return float(gains[split]), first + 1 + int(split), first, last


def _information(found, even):
    """``found log(found / even)``, 0 where there is none."""
    with np.errstate(all="ignore"):
        return np.where((found > 0) & (even > 0), found * np.log(found / even), 0.0)


def _lines_of_blocks(logits, leaves, weights):
    """Some leaves (m, 1), all columns (1, K), and the mass from the ones to the others (m, K)."""
    columns = np.arange(logits.shape[1])[np.newaxis]
    # In the order of leaves, the rows of a leaf are a stretch of the block.
    order = np.argsort(leaves, kind="stable")
    step = logits.rows_per_block()
    for start in range(0, len(order), step):
        rows = order[start : start + step]
        own = leaves[rows]
        V = logits.at(rows).astype(np.float64)
        V[np.arange(len(rows)), own] = -np.inf
        with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
            peak = V.max(axis=1, keepdims=True)
            V -= np.where(np.isneginf(peak), 0.0, peak)
            np.exp(V, out=V)
            total = V.sum(axis=1, keepdims=True)
            V *= _weights_over(total[:, 0], weights, rows)[:, np.newaxis]
        leaf, first = np.unique(own, return_index=True)
        yield leaf[:, np.newaxis], columns, np.add.reduceat(V, first, axis=0)


def _lines_of_entries(logits, leaves, weights):
    """Leaves (E, 1), columns (E, 1) and mass (E, 1) of the entries of a block of rows."""
    for rows in logits.blocks():
        values, columns, starts = logits.entries(rows)
        lengths = np.diff(starts)
        own = np.repeat(leaves[rows], lengths)
        values[columns == own] = -np.inf
        _, peak, rest = best_entries(values, columns, starts)
        with np.errstate(all="ignore"):
            p = np.exp(values - np.repeat(np.where(np.isneginf(peak), 0.0, peak), lengths))
            p *= np.repeat(_weights_over(rest, weights, rows), lengths)
        yield own[:, np.newaxis], columns[:, np.newaxis], p[:, np.newaxis]


def _weights_over(total, weights, rows):
    """Weight of each row over its sum of exponentials; 0 if it can go nowhere."""
    weights = 1.0 if weights is None else weights[rows]
    return np.where(total > 0, weights / total, 0.0)
