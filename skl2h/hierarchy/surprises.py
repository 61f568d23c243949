"""Merges that contradict a taxonomy.

home    of a node: the smallest group of the reference that holds all leaves below it
kin     of a node: the smallest group of the reference that holds them and more
torn    a side of a merge whose kin holds nothing of the other side
"""

from dataclasses import dataclass

import numpy as np

from ..exceptions.texts import shown
from ..tree.merge_tree import MergeTree
from ..tree.reference import groups_of
from ..tree.subtrees import RangeMaximum, ends_below, some_names
from ..tree.tree_of import tree_of
from .evidence import Evidence, Listing

__all__ = ["Surprises", "surprises"]


@dataclass(frozen=True, eq=False, repr=False)
class Surprises(Listing):
    """Merges that contradict a reference, strongest first.

    Made by :func:`~skl2h.surprises`. Printing it gives one line for each; a notebook shows the
    table, if there is pandas.

    Attributes
    ----------
    tree : MergeTree
    nodes : ndarray of shape (n_surprises,), dtype=intp
        The merges, by their numbers in the tree.
    gaps : ndarray of shape (n_surprises,), dtype=float64
        How far apart the reference puts the two sides, above 0 and below 1.
    strengths : ndarray of shape (n_surprises,), dtype=float64
        What they are ordered by.
    evidence : Evidence or None
        That of the same merges, in the same order, if there was any.
    """

    tree: MergeTree
    nodes: np.ndarray
    gaps: np.ndarray
    strengths: np.ndarray
    evidence: Evidence | None

    def lines(self):
        """Text of each entry.

        Returns
        -------
        lines : list of str
            One for each.
        """
        if self.evidence is not None:
            lines = self.evidence.lines()
        else:
            pairs = self.tree.children[self.nodes - self.tree.n_leaves]
            joint = " -- " if self.tree.method == "affinity" else " -> "
            lines = [
                f"node {node}: " + joint.join(some_names(self.tree, side, 3) for side in pair)
                for node, pair in zip(self.nodes, pairs)
            ]
        return [f"{strength:.3f} {line}" for strength, line in zip(self.strengths, lines)]

    def to_pandas(self):
        """DataFrame with one line for each.

        Returns
        -------
        table : pandas.DataFrame
            The index is ``node``. Columns are ``strength`` and ``gap``, and those of the
            evidence, if there was any.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = self._import_pandas()
        table = pandas.DataFrame(
            {"strength": self.strengths, "gap": self.gaps},
            index=pandas.Index(self.nodes, name="node"),
        )
        return table if self.evidence is None else table.join(self.evidence.to_pandas())


def surprises(tree, reference, *, evidence=None):
    """Merges that contradict a taxonomy, strongest first.

    The kin of a group is the smallest group of the reference that holds all its leaves and others
    besides. A merge of two groups contradicts the reference if the kin of at least one of them
    holds no leaf of the other. So the reference puts the whole group together with leaves that
    the merge passes over, and apart from every leaf that it takes in: snow vehicles are merged
    with arctic dogs, while other vehicles and other dogs are still to be had.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        Whose merges are looked at.
    reference : MergeTree, fitted estimator, linkage matrix, array-like or dict
        Another tree over the same leaves, or the classes of each leaf, of shape (n_leaves,) or
        (n_leaves, n_columns), in their order or by name, as of
        :func:`~skl2h.metrics.triplet_accuracy`.
    evidence : Evidence, default=None
        Why all merges of the tree were made, as :func:`~skl2h.merge_evidence` gives it. None
        takes the tree alone.

    Returns
    -------
    surprises : Surprises
        Printed, a line for each; ``to_pandas()`` gives a table.

    Raises
    ------
    NotFittedError
        If an estimator is not fitted.
    TypeError
        If `tree` is not a tree, `evidence` is not an `Evidence`, or labels are of several types.
    ValueError
        If the reference is over other leaves, its columns are not nested, a label is missing, or
        the evidence is not that of all merges of this tree.

    Notes
    -----
    The gap of a contradiction is 1 less the size of the kin over the size of the smallest group
    of the reference that holds both sides; of the two sides, the larger gap if both are torn from
    their kin. It is large where the sides are close to others and far from each other: among
    classes of one level it only tells small classes from large ones.

    The strength is the gap times what is behind the merge: the share of the selected group's rows
    that go to the partner, times the margin over the runner-up, which is often one of its kin. A
    negative margin counts as 0, and so does the share of a group without rows. Without evidence,
    the strength is the gap. Equal ones are in the order of the merges. Of an affinity tree, in
    which neither group is selected, the share is what one of the two sends to the other, the
    larger of both.

    A merge that has mixed two classes is the one to blame: later merges of the mixed group are
    measured by the smallest group of the reference that holds all of it, and contradict only
    where they tear off something more.

    Time is near linear in the leaves, but for the smaller of each group and of the other's kin,
    which is looked through.

    Examples
    --------
    >>> from skl2h import MergeTree, surprises
    >>> names = ["husky", "beagle", "snowplow", "bus", "tram"]
    >>> tree = MergeTree([(2, 0), (3, 4), (1, 5), (6, 7)], names=names)
    >>> print(surprises(tree, ["dog", "dog", "vehicle", "vehicle", "vehicle"]))
    0.600 node 5: snowplow -> husky
    """
    tree = tree_of(tree)
    groups, _ = groups_of(reference, tree)
    if evidence is not None:
        _check_evidence(evidence, tree)
    homes, kins = _homes_and_kins(tree, groups)
    sides = tree.children
    torn = np.column_stack(
        [~_meets(tree, groups, sides[:, 1], kins[sides[:, 0]]),
         ~_meets(tree, groups, sides[:, 0], kins[sides[:, 1]])]
    )  # fmt: skip
    of_both = groups.sizes[homes[tree.n_leaves :, np.newaxis]]
    gaps = np.where(torn, 1 - groups.sizes[kins[sides]] / of_both, 0.0).max(axis=1, initial=0.0)
    strengths = gaps
    if evidence is not None:
        shares = evidence.shares if evidence.sent is None else evidence.sent.max(axis=1, initial=0)
        strengths = gaps * np.nan_to_num(shares) * np.maximum(evidence.margins, 0)
    found = np.flatnonzero(torn.any(axis=1))
    found = found[np.argsort(-strengths[found], kind="stable")]
    return Surprises(
        tree=tree,
        nodes=tree.n_leaves + found,
        gaps=gaps[found],
        strengths=strengths[found],
        evidence=None if evidence is None else evidence.take(found),
    )


def _check_evidence(evidence, tree):
    if not isinstance(evidence, Evidence):
        raise TypeError(f"evidence is what merge_evidence gives, got {shown(evidence)}.")
    merges = np.arange(tree.n_leaves, tree.n_nodes)
    if not np.array_equal(evidence.nodes, merges) or not np.array_equal(
        evidence.tree.children, tree.children
    ):
        raise ValueError(
            f"evidence must be that of all {len(merges)} merges of this tree, as "
            "merge_evidence(estimator, X) gives it."
        )


def _homes_and_kins(tree, groups):
    """Number of the home and of the kin of each node, (n_nodes,); of the root, itself."""
    n_leaves = tree.n_leaves
    joint = _joint(groups, n_leaves)
    # Parents stand before children, so of nested groups the innermost has the largest number,
    # and among the gaps between some places the group that holds them all has the smallest.
    smallest = RangeMaximum(-joint)
    first, last = ends_below(tree, groups.places)
    homes = np.empty(tree.n_nodes, dtype=np.intp)
    homes[n_leaves:] = -smallest.between(first[n_leaves:], last[n_leaves:])
    beside = np.concatenate([[0], joint, [0]])
    homes[:n_leaves] = np.maximum(beside[groups.places], beside[groups.places + 1])
    kins = homes.copy()
    while True:
        same = (groups.sizes[kins] == tree.sizes) & (kins > 0)
        if not same.any():
            return homes, kins
        kins[same] = groups.parents[kins[same]]


def _joint(groups, n_leaves):
    """The innermost group that holds each place and the next, (n_leaves - 1,)."""
    ends = (groups.starts + groups.sizes).tolist()
    by_start = np.lexsort([np.arange(len(ends)), groups.starts])[::-1].tolist()
    starts = groups.starts.tolist()
    joint, around = [], []
    for gap in range(n_leaves - 1):
        while by_start and starts[by_start[-1]] == gap:
            around.append(by_start.pop())
        while ends[around[-1]] <= gap + 1:
            around.pop()
        joint.append(around[-1])
    return np.array(joint, dtype=np.intp)


def _meets(tree, groups, nodes, others):
    """Whether each node has a leaf in each group of the reference, (n_pairs,)."""
    in_reference, in_tree = groups.places[tree.leaf_order], tree.starts[groups.order]
    ends = (tree.starts[nodes], tree.sizes[nodes], groups.starts[others], groups.sizes[others])
    found = []
    for start, size, first, length in zip(*(end.tolist() for end in ends)):
        if size <= length:
            places = in_reference[start : start + size] - first
            found.append(((places >= 0) & (places < length)).any())
        else:
            places = in_tree[first : first + length] - start
            found.append(((places >= 0) & (places < size)).any())
    return np.array(found, dtype=bool)
