"""Displays: data in `__init__`, style in `plot`, computation in `from_*`.

`layout` says where everything stands, `drawing` draws it; tip and place are words of `layout`.
"""

import operator

import numpy as np
from sklearn.cluster import FeatureAgglomeration
from sklearn.metrics import pairwise_distances
from sklearn.pipeline import Pipeline

from .drawing import SMALLEST_FONT, Page, longest, needs_matplotlib
from .estimator import L2HClustering, profile_matrix
from .layout import ORIENTATIONS, common_below, lay_out
from .leaf_order import order_leaves
from .palette import group_colors
from .tree import MergeTree, printable, tree_of

__all__ = ["DendrogramDisplay", "ProfileMatrixDisplay"]

LAYOUTS = ("rectangular", "radial", "icicle")

# Tips that `max_leaves="auto"` shows at most: what can be read on a page.
MOST_TIPS = {"rectangular": 200, "radial": 1000, "icicle": 200}

# Entries of a legend that is shown unasked.
MOST_ENTRIES = 30

# Longer labels are cut, with an ellipsis.
LONGEST_LABEL = 60

# What is in no one group, or of no one class.
NEUTRAL, NEUTRAL_CELL = "#4d4d4d", "#d0d0d0"

# What is not highlighted.
FADED = 0.25


class DendrogramDisplay:
    """Picture of a tree.

    It is recommended to use :meth:`from_estimator`, :meth:`from_tree` or :meth:`from_linkage`,
    which make the display and plot it. All of them take the arguments of :meth:`plot`.

    Parameters
    ----------
    tree : MergeTree
    affinity : array-like of shape (n_leaves, n_leaves), default=None
        How alike two leaves are, for ``leaf_order="similarity"``. The larger, the more alike;
        both ways are added.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    layout_ : Layout
        Tips, places and heights.
    lines_ : matplotlib LineCollection, or None
        Stems, then bars; None in an icicle.
    cells_ : matplotlib PolyCollection, or None
        Cells of an icicle.
    triangles_ : matplotlib PolyCollection, or None
        Collapsed merges.
    tiles_ : matplotlib PolyCollection, or None
        Coloured tile of each tip.
    leaders_ : matplotlib LineCollection, or None
        Lines from tips to labels further out, where a radial tree is so full that its labels
        stand in two rings.
    texts_ : list of matplotlib Text
        Label of each tip, from the first place to the last; empty if they could not be read.
    node_texts_ : list of matplotlib Text
        Labels of merges.
    legend_ : matplotlib Legend, or None

    See Also
    --------
    ProfileMatrixDisplay : Which leaves take the place of which.

    Examples
    --------
    >>> from skl2h import DendrogramDisplay, MergeTree
    >>> tree = MergeTree([(0, 2), (1, 3)], names=["cat", "car", "dog"])
    >>> display = DendrogramDisplay.from_tree(tree, level=2)
    >>> [text.get_text() for text in display.texts_]
    ['car', 'cat', 'dog']
    """

    def __init__(self, tree, *, affinity=None):
        self.tree = tree
        self.affinity = affinity

    def plot(
        self,
        ax=None,
        *,
        layout="rectangular",
        orientation="left",
        heights="rank",
        leaf_order="merge",
        max_leaves="auto",
        level=None,
        leaf_classes=None,
        highlight=None,
        show_labels=True,
        show_counts=False,
        node_labels=False,
        legend=None,
        line_kw=None,
        text_kw=None,
    ):
        """Draw the tree.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure of a size that fits.
        layout : {"rectangular", "radial", "icicle"}, default="rectangular"
            In an icicle a node is a cell that spans its leaves, up to the merge that takes it
            in: across any height lie the groups of one level.
        orientation : {"left", "right", "top", "bottom"}, default="left"
            Side of the root; a radial tree has it in the middle.
        heights : {"rank", "score"}, default="rank"
            Height of a merge: its number, so that the axis tells the number of groups; or its
            score.
        leaf_order : {"merge", "size", "name", "similarity"} or array-like of shape (n_leaves,), \
default="merge"
            Which of its two a merge puts first: the one it was given first, the one with more
            leaves, the one with the first name; or the flips that put the most alike leaves
            side by side. Or the leaves themselves, in an order in which no branches cross.
        max_leaves : int, None or "auto", default="auto"
            Branches to end in at most: the groups of this level, if there are more leaves, are
            triangles that tell how many leaves and rows they hold. "auto" shows 1,000 in a
            radial tree and 200 in others, None all.
        level : int, default=None
            Number of groups to colour. A group has the same colour in every picture of the
            level.
        leaf_classes : array-like of shape (n_leaves,), default=None
            A class of each leaf, such as its superclass. It colours the tile at the leaf and,
            without `level`, the branches of one class. With `level`, the legend is of the
            classes, and no class has the colour of a group.
        highlight : sequence of int or str, default=None
            Nodes, or names of leaves: what is below them stands out, and the rest fades.
        show_labels : bool, default=True
            Whether to name the leaves. Labels are made small enough to fit; those that would
            be smaller than 2 points are not drawn, unless `text_kw` sets their size.
        show_counts : bool, default=False
            Whether to tell the rows of each leaf.
        node_labels : bool or dict of {int: str}, default=False
            Labels of the merges: their numbers, or a text for each of some.
        legend : bool, default=None
            Whether to explain the colours; None does so for up to 30 of them.
        line_kw : dict, default=None
            Passed to :class:`matplotlib.collections.LineCollection`, or to the
            :class:`~matplotlib.collections.PolyCollection` of an icicle.
        text_kw : dict, default=None
            Passed to the :class:`matplotlib.text.Text` of each label.

        Returns
        -------
        display : DendrogramDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If an argument is none of the above, or does not fit the tree.
        """
        needs_matplotlib("DendrogramDisplay.plot")
        from matplotlib.colors import to_rgba_array

        tree = self.tree
        _check_one_of("layout", layout, LAYOUTS)
        _check_one_of("orientation", orientation, ORIENTATIONS)
        if isinstance(max_leaves, str):
            _check_one_of("max_leaves, unless it is an integer or None,", max_leaves, ("auto",))
            max_leaves = MOST_TIPS[layout]
        if show_counts and tree.counts is None:
            raise ValueError("This tree has no counts to show: leave show_counts out.")
        leaves = order_leaves(tree, leaf_order, self.affinity)
        shown = lay_out(tree, leaf_order=leaves, max_leaves=max_leaves, heights=heights)
        if layout == "icicle" and heights == "score" and _falls(tree):
            raise ValueError(
                "Some scores are smaller than those of merges below, so cells of an icicle would "
                "overlap: use heights='rank'."
            )
        neutral = NEUTRAL_CELL if layout == "icicle" else NEUTRAL
        coloring = _Coloring(tree, shown, level, leaf_classes)
        branch_colors = to_rgba_array([neutral, *coloring.colors])[coloring.of_branches + 1]
        stands_out = _stands_out(tree, shown, highlight)
        branch_colors[~stands_out, 3] = FADED
        labels = _tip_labels(tree, shown, show_counts) if show_labels else []
        node_texts = _node_texts(tree, shown, node_labels)

        page = Page(shown, layout, orientation, labels, text_kw)
        page.open(ax)
        page.draw_axis(tree, heights)
        entries = coloring.entries
        if legend is None:
            legend = len(entries) <= MOST_ENTRIES
        self.legend_ = None
        if legend and entries:
            self.legend_ = page.draw_legend(coloring.title, entries, widen=ax is None)
        # The cells of an icicle tell the groups already.
        has_tiles = bool(entries) and (layout != "icicle" or leaf_classes is not None)
        page.fit(has_tiles)

        self.ax_, self.figure_, self.layout_ = page.ax, page.figure, shown
        self.lines_ = self.cells_ = self.triangles_ = self.tiles_ = None
        if layout == "icicle":
            self.cells_ = page.draw_cells(tree, branch_colors, line_kw)
        else:
            widths = np.where(stands_out, 1.0 if highlight is None else 2.0, 1.0)
            self.lines_ = page.draw_links(tree, branch_colors, widths, line_kw)
            self.triangles_ = page.draw_triangles(tree, branch_colors)
        if has_tiles:
            tile_colors = to_rgba_array([neutral, *coloring.colors])[coloring.of_tips + 1]
            tile_colors[~stands_out[shown.tips], 3] = FADED
            self.tiles_ = page.draw_tiles(tile_colors)
        self.texts_, self.leaders_ = page.draw_labels()
        for text, out in zip(self.texts_, stands_out[shown.tips]):
            if not out:
                text.set_alpha(2 * FADED)
        self.node_texts_ = page.draw_node_labels(tree, node_texts, branch_colors)
        return self

    @classmethod
    def from_estimator(cls, estimator, X=None, *, names=None, **plot_kw):
        """Draw the tree of a fitted model.

        Parameters
        ----------
        estimator : fitted estimator
            An :class:`L2HClustering`, whose leaves are the clusters; a model with ``children_``
            such as :class:`~sklearn.cluster.AgglomerativeClustering`, whose leaves are the
            rows, or :class:`~sklearn.cluster.FeatureAgglomeration`, whose leaves are the
            features; or a Pipeline that ends in one. Its ``distances_``, if it has them, are the
            scores.
        X : array-like of shape (n_samples, n_features), default=None
            Data to tell which leaves are alike, for ``leaf_order="similarity"``: what the
            model was fitted on, or, for `L2HClustering`, any rows. Not looked at otherwise.
        names : sequence of str of length n_leaves, default=None
            Leaf names; None takes those the model has.
        **plot_kw : dict
            Arguments of :meth:`plot`. `level` is ``n_clusters_`` of the model unless it is
            given.

        Returns
        -------
        display : DendrogramDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no tree.
        ValueError
            If its tree is not whole.

        Examples
        --------
        >>> from sklearn.cluster import AgglomerativeClustering
        >>> from sklearn.datasets import load_iris
        >>> from skl2h import DendrogramDisplay
        >>> model = AgglomerativeClustering(3, compute_distances=True).fit(load_iris().data)
        >>> display = DendrogramDisplay.from_estimator(model, max_leaves=5, heights="score")
        >>> [text.get_text() for text in display.texts_]
        ['50 leaves', '24 leaves', '12 leaves', '26 leaves', '38 leaves']
        """
        estimator, X = _last_step(estimator, X)
        if isinstance(estimator, MergeTree):
            raise TypeError(f"A fitted estimator is needed, got {estimator!r}: see from_tree.")
        tree = tree_of(estimator, names)
        # It takes the square of the leaves, or a reading of X.
        affinity = None
        if X is not None and np.array_equal(plot_kw.get("leaf_order"), "similarity"):
            affinity = _affinity(estimator, X)
        _default_level(estimator, tree, plot_kw)
        return cls(tree, affinity=affinity).plot(**plot_kw)

    @classmethod
    def from_tree(cls, tree, *, affinity=None, **plot_kw):
        """Draw a tree.

        Parameters
        ----------
        tree : MergeTree
        affinity : array-like of shape (n_leaves, n_leaves), default=None
            How alike two leaves are, for ``leaf_order="similarity"``.
        **plot_kw : dict
            Arguments of :meth:`plot`.

        Returns
        -------
        display : DendrogramDisplay

        Raises
        ------
        TypeError
            If it is no tree.
        """
        if not isinstance(tree, MergeTree):
            raise TypeError(f"from_tree needs a MergeTree, got {tree!r}.")
        return cls(tree, affinity=affinity).plot(**plot_kw)

    @classmethod
    def from_linkage(cls, linkage, *, names=None, counts=None, affinity=None, **plot_kw):
        """Draw a SciPy linkage matrix; its heights are the scores.

        Parameters
        ----------
        linkage : array-like of shape (n_leaves - 1, 4)
            As :func:`scipy.cluster.hierarchy.linkage` gives it.
        names : sequence of str of length n_leaves, default=None
            Leaf names; None names the leaves by their numbers.
        counts : array-like of shape (n_leaves,), default=None
            Rows in each leaf.
        affinity : array-like of shape (n_leaves, n_leaves), default=None
            How alike two leaves are, for ``leaf_order="similarity"``.
        **plot_kw : dict
            Arguments of :meth:`plot`.

        Returns
        -------
        display : DendrogramDisplay

        Raises
        ------
        ValueError
            If it is not the linkage matrix of one binary tree.
        """
        tree = MergeTree.from_linkage(linkage, names=names, counts=counts)
        return cls(tree, affinity=affinity).plot(**plot_kw)


class ProfileMatrixDisplay:
    """Where the rows of each leaf would go if it did not exist, beside the tree.

    What a confusion matrix should look like: alike leaves side by side, so that the groups are
    blocks along the diagonal. It needs no labels of the rows.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    tree : MergeTree
    profiles : array-like of shape (n_leaves, n_leaves)
        Line i is the profile of leaf i: the sum, over its rows, of the largest softmax
        probability outside the leaf, at the leaf that has it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the matrix.
    figure_ : matplotlib Figure
    dendrogram_ : DendrogramDisplay
        On the left of the matrix, in the same order.
    image_ : matplotlib AxesImage
    outlines_ : matplotlib LineCollection, or None
        Groups of the level.
    colorbar_ : matplotlib Colorbar

    Notes
    -----
    The profile of a leaf without rows is made of the rows of other leaves: how much of them it
    would have got.
    """

    def __init__(self, tree, profiles):
        self.tree = tree
        self.profiles = profiles

    def plot(
        self, ax=None, *, normalize=True, leaf_order="similarity", level=None, cmap="Blues",
        text_kw=None,
    ):  # fmt: skip
        """Draw the matrix and the tree.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; the tree takes a part of it. None makes a figure of a size that fits.
        normalize : bool, default=True
            Whether to show the share of each line, which then sums to 1.
        leaf_order : {"similarity", "merge", "size", "name"} or array-like of shape (n_leaves,), \
default="similarity"
            As in :meth:`DendrogramDisplay.plot`.
        level : int, default=None
            Number of groups to colour and to outline.
        cmap : str or matplotlib Colormap, default="Blues"
        text_kw : dict, default=None
            Passed to the :class:`matplotlib.text.Text` of each label.

        Returns
        -------
        display : ProfileMatrixDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If an argument is none of the above, or does not fit the tree.
        """
        needs_matplotlib("ProfileMatrixDisplay.plot")
        from matplotlib import pyplot, rcParams
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.collections import LineCollection
        from matplotlib.text import Text

        tree, profiles = self.tree, np.asarray(self.profiles, dtype=np.float64)
        n_leaves = tree.n_leaves
        if profiles.shape != (n_leaves, n_leaves):
            raise ValueError(
                f"profiles must have the shape ({n_leaves}, {n_leaves}), got {profiles.shape}."
            )
        shares = _shares(profiles)
        leaves = order_leaves(tree, leaf_order, shares)
        if ax is None:
            side = float(np.clip(0.22 * n_leaves, 4, 9))
            figure = pyplot.figure(figsize=(1.25 * side, 1.1 * side))
            ax = figure.add_axes([0.01, 0.01, 0.98, 0.98])
        ax.set_axis_off()
        width, height = ax.get_window_extent().size * 72 / ax.figure.dpi

        # In points: the tree, the square matrix, its labels, and a colour bar below.
        labels = [_one_line(tree.names[leaf]) for leaf in leaves]
        text_kw = normalize_kwargs(text_kw, Text)
        length, bar, gap = longest(labels, text_kw), 55.0, 4.0
        side = min(width / 1.25, height - bar) - 2 * gap
        font = min(rcParams["font.size"], side / (1.2 * n_leaves + length))
        font = min(font, 0.4 * side / max(length, 1e-9))
        side -= length * font
        left = width - side - length * font - gap
        scale = 1 / np.array([width, height, width, height])

        self.figure_ = ax.figure
        self.ax_ = ax.inset_axes(np.array([left, bar, side, side]) * scale)
        tree_ax = ax.inset_axes(np.array([0, bar, left - gap, side]) * scale)
        self.dendrogram_ = DendrogramDisplay(tree).plot(
            tree_ax, leaf_order=leaves, max_leaves=None, level=level, show_labels=False,
            legend=False,
        )  # fmt: skip
        tree_ax.set_axis_off()
        values = (shares if normalize else profiles)[np.ix_(leaves, leaves)]
        np.fill_diagonal(values, np.nan)  # a leaf has no place in its own profile
        self.image_ = self.ax_.imshow(values, cmap=cmap, aspect="auto", vmin=0.0)
        ticks = np.arange(n_leaves) if font >= SMALLEST_FONT else []
        labels = labels if len(ticks) else []
        style = {"fontsize": font, "parse_math": False} | text_kw
        self.ax_.set_xticks(ticks, labels, rotation=90, **style)
        self.ax_.set_yticks(ticks, labels, **style)
        self.ax_.tick_params(
            length=0, bottom=False, labelbottom=False, labeltop=True, left=False, labelleft=False,
            labelright=True, pad=2,
        )  # fmt: skip
        self.outlines_ = None
        if level is not None:
            corners, colors = _blocks(tree.cut(level)[leaves])
            lines = LineCollection(corners, colors=colors, linewidths=1.5, clip_on=False)
            self.outlines_ = self.ax_.add_collection(lines, autolim=False)
        bar_ax = ax.inset_axes(np.array([left, bar - 20, side, 8]) * scale)
        self.colorbar_ = ax.figure.colorbar(self.image_, cax=bar_ax, orientation="horizontal")
        self.colorbar_.set_label("share of the line" if normalize else "rows")
        return self

    @classmethod
    def from_estimator(cls, estimator, X, *, sample_weight=None, names=None, **plot_kw):
        """Compute the profiles of the leaves of a fitted model, and draw them.

        Parameters
        ----------
        estimator : fitted L2HClustering
            Or a Pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Whatever the inner model takes; the rows that it was fitted on, or others.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        names : sequence of str, default=None
            Names of the leaves; None means those of the tree.
        **plot_kw : dict
            Arguments of :meth:`plot`. `level` is ``n_clusters_`` of the model unless it is
            given.

        Returns
        -------
        display : ProfileMatrixDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no `L2HClustering`.

        Examples
        --------
        >>> from skl2h import L2HClustering, ProfileMatrixDisplay
        >>> from skl2h.datasets import make_hierarchical_logits
        >>> logits, _, _ = make_hierarchical_logits(500, 8, random_state=0)
        >>> model = L2HClustering("precomputed", n_clusters=2).fit(logits)
        >>> display = ProfileMatrixDisplay.from_estimator(model, logits)
        >>> display.profiles.shape
        (8, 8)
        """
        estimator, X = _last_step(estimator, X)
        if not isinstance(estimator, L2HClustering):
            raise TypeError(f"A fitted L2HClustering is needed, got {estimator!r}.")
        profiles = profile_matrix(estimator, X, sample_weight)
        _default_level(estimator, estimator.tree_, plot_kw)
        return cls(tree_of(estimator, names), profiles).plot(**plot_kw)


class _Coloring:
    """Which branch and which tip has which colour.

    Attributes
    ----------
    colors : list of str
    of_branches : ndarray of shape (n_nodes,), dtype=intp
        Colour of each node, -1 where the leaves below have none in common.
    of_tips : ndarray of shape (n_tips,), dtype=intp
        Colour of each tile, -1 as well.
    title : str or None
        What the colours say...
    entries : list of (str, str)
        ... and each of those of the tiles, with a text.
    """

    def __init__(self, tree, layout, level, leaf_classes):
        self.colors, self.title, self.entries = [], None, []
        self.of_branches = np.full(tree.n_nodes, -1)
        if level is not None:
            groups = tree.cut(operator.index(level))
            self.of_branches = of_nodes = common_below(tree, groups)
            self.colors, self.title = group_colors(level), f"level {level}"
            self.entries = list(zip(self.colors, _group_texts(tree, groups, level)))
        if leaf_classes is not None:
            classes = np.asarray(leaf_classes)
            if classes.shape != (tree.n_leaves,):
                raise ValueError(
                    f"leaf_classes must have the shape ({tree.n_leaves},), one for each leaf, "
                    f"got {classes.shape}."
                )
            names, classes = np.unique(classes, return_inverse=True)
            of_nodes = common_below(tree, classes)
            # After the colours of the groups: one colour says one thing.
            n_groups = len(self.colors)
            self.colors = group_colors(n_groups + len(names))
            colors = self.colors[n_groups:]
            of_nodes = np.where(of_nodes < 0, -1, of_nodes + n_groups)
            if level is None:
                self.of_branches = of_nodes
            self.title = None
            self.entries = [(color, _one_line(str(name))) for color, name in zip(colors, names)]
        self.of_tips = of_nodes[layout.tips] if self.entries else None


def _falls(tree):
    """Whether a merge scores less than one that it takes in."""
    taken_in = tree.children - tree.n_leaves
    below = np.where(taken_in >= 0, tree.scores[np.maximum(taken_in, 0)], -np.inf)
    return bool((below > tree.scores[:, np.newaxis]).any())


def _group_texts(tree, groups, level):
    """What a legend says of each group: its number, and how many leaves, or which one."""
    first = np.unique(groups, return_index=True)[1]
    sizes = np.bincount(groups, minlength=level)
    return [
        f"{group}: {_one_line(tree.names[leaf]) if size == 1 else f'{size:,} leaves'}"
        for group, (leaf, size) in enumerate(zip(first, sizes))
    ]


def _stands_out(tree, layout, highlight):
    """Which nodes do, (n_nodes,): all, or those below what is highlighted."""
    if highlight is None:
        return np.ones(tree.n_nodes, dtype=bool)
    stands_out = np.zeros(tree.n_nodes, dtype=bool)
    for one in [highlight] if isinstance(highlight, (str, int, np.integer)) else highlight:
        if isinstance(one, str):
            nodes = [leaf for leaf, name in enumerate(tree.names) if name == one]
            if not nodes:
                raise ValueError(f"highlight names {one!r}, but no leaf has this name.")
        else:
            nodes = tree.path(one)[:1]
        for node in nodes:
            while np.isnan(layout.place[node]):  # within a collapsed merge
                node = tree.parents[node]
            stands_out[node] = True
    for t in range(len(tree.children) - 1, -1, -1):
        if stands_out[tree.n_leaves + t]:
            stands_out[tree.children[t]] = True
    return stands_out


def _tip_labels(tree, layout, show_counts):
    labels = []
    for node in layout.tips.tolist():
        rows = ""
        if tree.counts is not None and (show_counts or node >= tree.n_leaves):
            count = tree.node_counts[node]
            rows = "1 row" if count == 1 else f"{count:,.6g} rows"
            if isinstance(count, np.integer):
                rows = "1 row" if count == 1 else f"{count:,} rows"
        if node < tree.n_leaves:
            name = _one_line(tree.names[node])
            labels.append(f"{name} ({rows})" if rows else name)
        else:
            leaves = f"{tree.sizes[node]:,} leaves"
            labels.append(f"{leaves}, {rows}" if rows else leaves)
    return labels


def _one_line(name):
    """Name as one piece of text on one line, not too long."""
    name = printable(name)
    return name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"


def _node_texts(tree, layout, node_labels):
    merges = layout.merges.tolist()
    if isinstance(node_labels, (bool, np.bool_)):
        return {merge: str(merge) for merge in merges} if node_labels else {}
    for node in node_labels:
        if not tree.n_leaves <= operator.index(node) < tree.n_nodes:
            raise ValueError(
                f"node_labels names {node}, but the merges are {tree.n_leaves} to "
                f"{tree.n_nodes - 1}."
            )
    return {node: _one_line(str(node_labels[node])) for node in merges if node in node_labels}


def _last_step(estimator, X):
    """Last step of a pipeline, and the data it sees."""
    if not isinstance(estimator, Pipeline):
        return estimator, X
    if X is not None and len(estimator) > 1:
        X = estimator[:-1].transform(X)
    return estimator[-1], X


def _default_level(estimator, tree, plot_kw):
    n_clusters = getattr(estimator, "n_clusters_", None)
    if n_clusters is not None and 1 < n_clusters < tree.n_leaves:
        plot_kw.setdefault("level", int(n_clusters))


def _affinity(estimator, X):
    """How alike the leaves of a fitted model are, (n_leaves, n_leaves)."""
    if isinstance(estimator, L2HClustering):
        return _shares(profile_matrix(estimator, X))
    # Leaves are rows, or features: the nearer, the more alike.
    metric = getattr(estimator, "metric", "euclidean")
    X = np.asarray(X).T if isinstance(estimator, FeatureAgglomeration) else X
    return -(metric(X) if callable(metric) else pairwise_distances(X, metric=metric))


def _shares(profiles):
    """Each line over its sum; a line of zeros as it is."""
    sums = profiles.sum(axis=1, keepdims=True)
    return np.divide(profiles, sums, out=np.zeros_like(profiles), where=sums > 0)


def _blocks(groups):
    """Outline and colour of each stretch of equal groups along a diagonal."""
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    last = np.append(first[1:], len(groups))
    low, high = first - 0.5, last - 0.5
    outlines = np.array([(low, low), (high, low), (high, high), (low, high), (low, low)])
    colors = np.array(group_colors(groups.max() + 1))[groups[first]]
    return outlines.transpose(2, 0, 1), colors


def _check_one_of(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}.")
