"""How much each level of a tree tells of where its rows would go.

mass      of a row that had to leave its leaf: the softmax over the other leaves, 1 in all
meeting   the merge that joins two leaves: mass from one to the other crosses it
level     a cut of the tree, named by its number of groups; mass stays within the groups of a
          level if it crosses merges that the level has made
"""

import operator

import numpy as np

from ..merge.queue import TOLERANCE
from ..tree.subtrees import values_below

__all__ = ["best_levels", "mass_of_merges", "mass_of_shares"]


def mass_of_merges(tree, logits, leaves, weights=None):
    """Mass that crosses each merge, and what would cross it if mass were spread evenly, (2, K - 1).

    `leaves` are those of the rows. A row that can go nowhere has no mass. The mass of several sets
    of rows is the sum of their masses.
    """
    n_leaves = tree.n_leaves
    if not len(leaves):
        return np.zeros((2, n_leaves - 1))
    heaviest = 1.0
    if weights is not None:
        heaviest = weights.max() or 1.0
        weights = weights / heaviest  # sums times leaves stay finite
    mass = np.zeros(2 * n_leaves - 1)  # by the node of the meeting
    leaving = np.zeros(n_leaves)
    for leaf, column, share in logits.leaving(leaves, weights):
        leaving += np.bincount(leaf.ravel(), weights=share.sum(axis=1), minlength=n_leaves)
        meeting = tree.lca(leaf, column)
        mass += np.bincount(meeting.ravel(), weights=share.ravel(), minlength=len(mass))
    return _beside_even(tree, mass, leaving) * heaviest


def mass_of_shares(tree, shares):
    """The same for leaves of which each would go to others in some shares, (K, K)."""
    leaf, column = np.nonzero(shares)
    share = shares[leaf, column]
    mass = np.bincount(tree.lca(leaf, column), weights=share, minlength=tree.n_nodes)
    return _beside_even(tree, mass, shares.sum(axis=1))


def _beside_even(tree, mass, leaving):
    """Mass by the node of its meeting, beside what would be there if it were spread evenly."""
    # Then a row of one side would go to each leaf of the other alike.
    sums = values_below(tree, leaving, operator.add)
    left, right = tree.children.T
    even = sums[left] * tree.sizes[right] + sums[right] * tree.sizes[left]
    return np.stack([mass[tree.n_leaves :], even / max(tree.n_leaves - 1, 1)])


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
