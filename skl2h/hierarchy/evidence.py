"""Why the merges of a tree were made: where the rows of groups would go without their leaves.

partner     the group that the selected one was merged with
runner-up   the best of the others at that moment
mean        what the algorithm compares: of the profile over a group's leaves; of an affinity tree,
            of the distance over the pairs of leaves of two groups
"""

from contextlib import suppress
from dataclasses import dataclass, fields

import numpy as np

from ..exceptions.arguments import as_count, as_index, check_weights
from ..exceptions.texts import shown
from ..merge.loop import replay_merges
from ..merge.source import RowsInMemory
from ..tree.merge_tree import MergeTree
from ..tree.subtrees import some_names
from .affinity_evidence import columns_of_affinity
from .fitted import fitted_logits, last_step

__all__ = ["Evidence", "merge_evidence"]


class Listing:
    """Arrays with an entry for each of some merges: a line each as text, and a table."""

    def __len__(self):
        return len(self.nodes)

    def __repr__(self):
        return f"{type(self).__name__}(n_entries={len(self)})"

    def __str__(self):
        return "\n".join(self.lines())

    def _repr_html_(self):
        with suppress(ImportError):
            return self.to_pandas()._repr_html_()

    def _import_pandas(self):
        try:
            import pandas
        except ImportError:
            raise ImportError('to_pandas needs pandas: pip install "skl2h[pandas]".') from None
        return pandas


@dataclass(frozen=True, eq=False, repr=False)
class Evidence(Listing):
    """Why merges of a tree were made; one entry for each.

    Made by :func:`~skl2h.merge_evidence`. Printing it gives one line for each merge; a notebook
    shows the table, if there is pandas.

    Attributes
    ----------
    tree : MergeTree
    nodes : ndarray of shape (n_entries,), dtype=intp
        The merges, by their numbers in the tree.
    selected, partners : ndarray of shape (n_entries,), dtype=intp
        The two nodes that each joins: the group that was selected, and the one it went to. Of an
        affinity tree, which selects none, the first and the second of the merge.
    runners_up : ndarray of shape (n_entries,), dtype=intp
        The group with the largest mean but for the partner; -1 if no row goes to any other. Of an
        affinity tree, the other group that is closest to one of the two; -1 if there is none.
    partner_means, runner_up_means : ndarray of shape (n_entries,), dtype=float64
        Mean of the profile over the leaves of the partner and of the runner-up, in rows, or in
        the unit of their weights; 0 without a runner-up. Of an affinity tree, the mean distance
        between leaves of the two groups, which is the height of the merge, and between leaves of
        the runner-up and of the group that it is closest to; NaN without a runner-up.
    margins : ndarray of shape (n_entries,), dtype=float64
        Difference of the two means over the larger one: 1 if nothing speaks for any other group,
        0 for a tie or if nothing speaks for any at all. Negative only by the tolerance of ties, or
        where the rows are not those that the tree was built of.
    shares : ndarray of shape (n_entries,), dtype=float64
        Share of the selected group's rows, by weight, whose best leaf outside it is one of the
        partner's. NaN for a group without rows.
    kinds : ndarray of shape (n_entries,), dtype=str
        "rows" for a group with rows, "soft" for one without, which goes where the rows of others
        find it plausible, and "stranded" for one that no row gives any way out: it went to the
        group that was formed earliest, and nothing speaks for that. Of an affinity tree, "soft"
        if one of the two has no rows, so that it sends nothing, and "stranded" if neither sends
        anything to the other: what speaks for the merge then is only what both send elsewhere.
    rows : list of ndarray of dtype=intp
        Of each merge the rows that carry it most, the most important first: rows of the selected
        group, or for "soft" of the partner. Of an affinity tree, rows of either group. Of rows
        that count the same, the first.
    sent : ndarray of shape (n_entries, 2), dtype=float64, or None
        Of an affinity tree, the share that the first group sends to the second, and the second to
        the first: the share of a leaf's rows that would go to the other group without that leaf,
        as a mean over the leaves of the group, which all count the same. None of another tree.
    lifts : ndarray of shape (n_entries, 2), dtype=float64, or None
        These shares over what all leaves of the tree send there on average; 0 if that is 0.
    """

    tree: MergeTree
    nodes: np.ndarray
    selected: np.ndarray
    partners: np.ndarray
    runners_up: np.ndarray
    partner_means: np.ndarray
    runner_up_means: np.ndarray
    margins: np.ndarray
    shares: np.ndarray
    kinds: np.ndarray
    rows: list
    sent: np.ndarray | None = None
    lifts: np.ndarray | None = None

    def lines(self):
        """Text of each entry.

        Returns
        -------
        lines : list of str
            One for each.
        """
        return [self._line(at) for at in range(len(self))]

    def take(self, places):
        """Some of the entries.

        Parameters
        ----------
        places : int, slice or array-like of int or bool
            As an array is indexed; an int gives one entry.

        Returns
        -------
        evidence : Evidence
            In the order that was asked for.

        Raises
        ------
        IndexError
            If there are no such entries.
        """
        try:
            found = np.atleast_1d(np.arange(len(self))[places])
        except (IndexError, TypeError, ValueError):
            found = None
        if found is None or found.ndim > 1:
            raise IndexError(
                f"places must say which of the {len(self)} entries to take, by their numbers, a "
                f"slice, or a bool for each, got {shown(places)}."
            )
        places = found
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                values[name] = value[places]
        return Evidence(**{**values, "rows": [self.rows[at] for at in places]})

    def to_pandas(self):
        """DataFrame with one line for each entry.

        Returns
        -------
        table : pandas.DataFrame of shape (n_entries, 11), or (n_entries, 15)
            The index is ``node``. Columns are ``selected``, ``partner``, ``runner_up`` (Int64,
            missing if there is none), ``partner_mean``, ``runner_up_mean``, ``margin``,
            ``share``, ``kind``, ``rows`` (a list each), and the leaves of both sides by name, in
            ``selected_leaves`` and ``partner_leaves``. Of an affinity tree also ``sent``, from
            the first to the second, ``sent_back``, ``lift`` and ``lift_back``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = self._import_pandas()
        runners_up = pandas.array(self.runners_up, dtype="Int64")
        runners_up[self.runners_up < 0] = pandas.NA
        columns = {
            "selected": self.selected,
            "partner": self.partners,
            "runner_up": runners_up,
            "partner_mean": self.partner_means,
            "runner_up_mean": self.runner_up_means,
            "margin": self.margins,
            "share": self.shares,
            "kind": self.kinds.astype(object),
            "rows": [rows.tolist() for rows in self.rows],
            "selected_leaves": self._names(self.selected),
            "partner_leaves": self._names(self.partners),
        }
        if self.sent is not None:
            columns["sent"], columns["sent_back"] = self.sent.T
            columns["lift"], columns["lift_back"] = self.lifts.T
        return pandas.DataFrame(columns, index=pandas.Index(self.nodes, name="node"))

    def _names(self, nodes):
        return [some_names(self.tree, node) for node in nodes]

    def _line(self, at):
        tree = self.tree
        sides = [some_names(tree, node, 3) for node in (self.selected[at], self.partners[at])]
        if self.sent is None:
            line = f"node {self.nodes[at]}: {' -> '.join(sides)}; "
            if self.kinds[at] == "stranded":
                return line + "no row has a way out, so it went to the group formed earliest"
            soft = self.kinds[at] == "soft"
            line += "no rows of its own" if soft else f"{self.shares[at]:.0%} of its rows"
        else:
            line = f"node {self.nodes[at]}: {' -- '.join(sides)}; {self._exchange(at)}"
        if self.runners_up[at] >= 0:
            runner_up = some_names(tree, self.runners_up[at], 3)
            line += f", margin {self.margins[at]:.2f} over {runner_up}"
        elif self.sent is None:
            line += ", nothing for any other"
        rows = list(map(str, self.rows[at][:3].tolist()))
        return line + (f"; such as row{'s'[: len(rows) > 1]} {', '.join(rows)}" if rows else "")

    def _exchange(self, at):
        """What the two groups of a merge of an affinity tree send to each other."""
        if not self.sent[at].any():
            return "neither sends anything to the other"
        giver = 0 if self.sent[at, 0] > 0 else 1
        sent, back = self.sent[at, giver], self.sent[at, 1 - giver]
        lift = self.lifts[at, giver]
        first, second = ("the first", "the second")[:: -1 if giver else 1]
        return (
            f"{first} sends {sent:.0%} to {second}, {lift:,.{int(lift < 10)}f} times as much as "
            f"leaves do on average, and gets {f'{back:.0%}' if back > 0 else 'nothing'} back"
        )


def merge_evidence(estimator, X, node=None, *, sample_weight=None, n_rows=10):
    """Why merges were made: where the rows of the selected group would go without its leaves.

    Parameters
    ----------
    estimator : fitted L2HClustering, or Pipeline that ends in one
        Whose merges are explained.
    X : array-like of shape (n_samples, n_features)
        The rows that the tree was built of, or others. For ``"precomputed"``, what
        `fit` was given: logits or probabilities.
    node : int, default=None
        A merge of the tree; None takes all, in their order.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row, not negative; None weighs all 1. If `fit` had weights, give the same:
        the estimator does not keep them.
    n_rows : int, default=10
        Rows to name of each merge, at most.

    Returns
    -------
    evidence : Evidence
        Arrays with an entry for each merge; printed, a line for each; ``to_pandas()`` gives a
        table.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator is no `L2HClustering`, or `node` or `n_rows` is no integer.
    ValueError
        If the node is no merge, `n_rows` is negative, a weight is, a row has no leaf, the inner
        model no longer has the tree's leaves for columns, or, of an affinity tree, a few arrays
        of shape (n_leaves, n_leaves) would not fit in memory.

    Notes
    -----
    The merges of the estimator's tree are made again, one by one; before each, the rows of the
    selected group G tell their profile: each row adds its weight times its largest softmax over
    the leaves outside G at the leaf that has it. The partner is the group with the largest mean
    of the profile over its leaves, and the runner-up the next. The rows that carry a merge most
    are those that add most at the partner's leaves. A group without rows has a soft profile:
    each row of others adds its weight times the softmax, over all leaves, of G's leaves at its
    own leaf.

    All merges together take little longer than building the tree.

    Of an affinity tree, what is compared is the mean distance between the leaves of two groups,
    as of :func:`~skl2h.affinity_tree`, of the rows given here at the temperature that they tell.
    The runner-up is the other group that has the smallest one to either of the two. What speaks
    for a merge is what each group sends to the other, over what all leaves send there on average.
    The rows that carry it most are those with the largest weight times softmax, at the
    temperature and outside of their own leaf, over the leaves of the other group. That takes a
    few passes over the rows.

    Examples
    --------
    >>> from skl2h import L2HClustering, merge_evidence
    >>> logits = [[3, 2, 0, 0], [2, 3, 0, 1], [0, 0, 4, 2], [0, 0, 2, 4]]
    >>> evidence = merge_evidence(L2HClustering("precomputed").fit(logits), logits)
    >>> print(evidence)
    node 4: 1 -> 0; 100% of its rows, nothing for any other; such as row 1
    node 5: 2 -> 3; 100% of its rows, nothing for any other; such as row 2
    node 6: 0, 1 -> 2, 3; 100% of its rows, nothing for any other; such as rows 1, 0
    >>> evidence.shares
    array([1., 1., 1.])
    """
    n_rows, node = as_count("n_rows", n_rows, least=0), as_index("node", node, None)
    estimator, X = last_step(estimator, X)
    logits = fitted_logits(estimator, X)
    tree = estimator.tree_
    weights = check_weights(sample_weight, logits.shape[0])
    wanted = range(tree.n_leaves, tree.n_nodes)
    if node is not None:
        if node not in wanted:
            raise ValueError(
                f"node {node} is no merge: they are {wanted.start} to {wanted.stop - 1}."
                if wanted
                else f"node {node} is no merge: a tree of one leaf has none."
            )
        wanted = range(node, node + 1)
    scale = 1.0
    if weights is not None:
        # Products of tiny weights need not underflow.
        scale = min(weights.max(), 1.0) or 1.0
        weights = weights / scale
    rows = RowsInMemory(logits, estimator.n_jobs)
    rows.weigh(weights)
    if tree.method == "affinity":
        columns = columns_of_affinity(rows, tree, wanted, n_rows)
    else:
        columns = _of_l2h(rows, tree, wanted, n_rows, scale)
    merges = slice(wanted.start - tree.n_leaves, wanted.stop - tree.n_leaves)
    selected, partners = tree.children[merges].T
    nodes = np.array(wanted, dtype=np.intp)
    return Evidence(tree=tree, nodes=nodes, selected=selected, partners=partners, **columns)


def _of_l2h(source, tree, wanted, n_rows, scale):
    """Columns of the evidence for merges of the least sure group first."""
    children = tree.children[: wanted.stop - tree.n_leaves]
    moments = replay_merges(source.logits, children, source.weights, n_jobs=source.n_jobs)
    with np.errstate(all="ignore"):  # exp(-1000) is 0, and meant to be
        entries = [
            _weigh(*moment, n_rows)
            for merge, moment in enumerate(moments, tree.n_leaves)
            if merge in wanted
        ]
    columns = [list(column) for column in zip(*entries)] or [[]] * 6
    partner_means, runner_up_means = (np.array(means, dtype=float) for means in columns[:2])
    larger = np.maximum(partner_means, runner_up_means)
    return {
        "runners_up": np.array(columns[2], dtype=np.intp),
        "partner_means": partner_means * scale,
        "runner_up_means": runner_up_means * scale,
        "margins": (partner_means - runner_up_means) / np.where(larger > 0, larger, 1.0),
        "shares": np.array(columns[3], dtype=float),
        "kinds": np.array(columns[4], dtype="<U8"),
        "rows": columns[5],
    }


def _weigh(groups, profiles, selected, partner, n_rows):
    """Means of partner and runner-up, the runner-up, share, kind and rows of one merge."""
    leaves, mass = profiles.of(selected, exact=True)
    slots, means = groups.means(selected, leaves, mass)
    at_partner = slots == partner
    partner_mean = float(means[at_partner].sum())
    means[at_partner] = 0.0
    runner_up = groups.best(slots, means)
    runner_up_mean = 0.0 if runner_up is None else float(means[slots == runner_up][0])
    if groups.total[selected]:
        rows = profiles.rows_of(selected)
        there = (groups.slot_of_leaf[leaves] == partner) & profiles.can_go(rows)
        weight = profiles.weights_of(rows)
        share = float(weight[there].sum() / weight.sum())
        rows, mass = rows[there], mass[there]
    else:
        rows, mass = profiles.soft_rows(groups.members[selected], partner)
        share = np.nan
    kind = "rows" if groups.total[selected] else "soft"
    if not partner_mean and runner_up is None:
        kind = "stranded"
    runner_up = -1 if runner_up is None else groups.node[runner_up]
    return partner_mean, runner_up_mean, runner_up, share, kind, _largest(rows, mass, n_rows)


def _largest(rows, mass, n_rows):
    """The rows with the largest mass above 0, the largest first, equal ones in their order."""
    rows, mass = rows[mass > 0], mass[mass > 0]
    if len(rows) > n_rows:
        least = np.partition(mass, len(mass) - n_rows)[len(mass) - n_rows] if n_rows else np.inf
        kept = mass >= least * (1 - 1e-6)
        rows, mass = rows[kept], mass[kept]
    # In float32 of the largest, so that the last digit does not decide.
    rough = (mass / mass.max(initial=np.finfo(float).tiny)).astype(np.float32)
    return rows[np.lexsort([rows, -rough])][:n_rows]
