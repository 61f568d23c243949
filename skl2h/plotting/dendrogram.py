"""Display of a tree: data in `__init__`, style in `plot`, computation in `from_*`.

`layout` says where everything stands, `drawing` and `writing` put it there; tip and place are
words of `layout`.
"""

import numpy as np

from ..exceptions.arguments import as_choice, as_count, as_flag
from ..exceptions.categories import DisplayWarning, warn
from ..exceptions.texts import shown
from ..hierarchy.fitted import default_level, last_step
from ..hierarchy.profile_matrix import affinity_of
from ..tree.leaf_order import order_leaves
from ..tree.merge_tree import MergeTree
from ..tree.tree_of import tree_of
from .arguments import (
    check_drawable,
    check_node_labels,
    check_style,
)
from .axes import draw_axis, figure_of, opened
from .captions import measured, node_captions, only_labelled, tip_captions
from .coloring import Coloring, highlighted
from .layout import LAYOUTS, ORIENTATIONS, View, lay_out
from .legend import draw_legend
from .page import fit_page
from .sizes import figure_size
from .texts import tile_width, write_group_numbers, write_labels, write_node_labels

__all__ = ["DendrogramDisplay"]

# Tips that `max_leaves="auto"` shows at most: what can be read on a page.
MOST_TIPS = {"rectangular": 200, "radial": 1000, "icicle": 200}

# Entries of a legend that is shown unasked.
MOST_ENTRIES = 30

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
        What to draw.
    affinity : array-like of shape (n_leaves, n_leaves), default=None
        How alike two leaves are, for ``leaf_order="similarity"``. The larger, the more alike;
        both ways are added. Both sides of a DataFrame are read by name.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
        The one that holds the axes, also where they are in a SubFigure.
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
        Label of each tip, from the first place to the last; empty if there are none, or they
        could not be read. With ``show_labels=False``, a tip without one has an empty text.
        They are Text like any other, but drawn faster.
    node_texts_ : list of matplotlib Text
        Labels of merges.
    group_texts_ : list of matplotlib Text
        Numbers of groups that have no legend; empty otherwise.
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
            Where to draw; None makes a figure of a size that fits. What is drawn fits the axes as
            they are now: after they changed their size, plot again. What a display drew on them
            before is removed, and all else stays.
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
        leaf_classes : array-like of shape (n_leaves,) or dict, default=None
            A class of each leaf, such as its superclass, None or NaN for none; by name in a dict
            or the index of a Series. It colours the tile at the leaf and, without `level`, the
            branches of one class. With `level`, the legend is of the classes, and no class has
            the colour of a group.
        highlight : sequence of int or str, default=None
            Nodes, or names of leaves: what is below them stands out, and the rest fades.
        show_labels : bool, default=True
            Whether to name the leaves. False keeps, of the labels at the tips, those of collapsed
            merges that `node_labels` asks for. Labels are made small enough to fit, unless
            `text_kw` sets their size. Where they would be smaller than 6 points, names longer than
            60 characters, or more than twice as long as the median, lose their middle; where they
            would be smaller than 2, all names longer than 12 characters do, and if that is
            not enough there are no labels. Counts are never cut. A radial tree of
            1,000 leaves has labels of 5 points on its own figure of 16.5 inches, the width of
            A2, which are half as large on A4; one of 400 has 5 points on A4.
        show_counts : bool, default=False
            Whether to tell the rows of each leaf.
        node_labels : bool, "support" or dict of {int: str}, default=False
            Labels of the merges: their numbers, their support to two digits, or a text for each
            of some, in a dict or a Series by node. A collapsed merge has its label at its tip,
            where names of leaves are, and the number of its leaves below that, or beside it where
            lines are close. In an icicle the others are made small enough to fit their cells,
            though not below 2 points, and are turned where that makes them larger.
        legend : bool, default=None
            Whether to explain the colours that are seen, in as many columns as it takes. None
            does so for up to 30 of them, where there is room. Groups without a legend have their
            numbers on their tiles, or on their cells of an icicle, unless it is False. The legend
            takes up to half of the axes; a figure of its own gets wider instead.
        line_kw : dict, default=None
            Passed to :class:`matplotlib.collections.LineCollection`, or to the
            :class:`~matplotlib.collections.PolyCollection` of an icicle.
        text_kw : dict, default=None
            Passed to the :class:`matplotlib.text.Text` of each label.

        Returns
        -------
        display : DendrogramDisplay
            Which has been drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If an argument is of another type.
        ValueError
            If an argument is none of the above, or does not fit the tree. Nothing is drawn then.

        Warns
        -----
        UserWarning
            If a legend is asked for, but is too large for the axes, or if labels would be too
            small to read: they are left out. Or if neither a legend nor numbers tell what the
            colours are, unless `legend` is False.
        """
        check_drawable(self, ax)
        from matplotlib import rcParams
        from matplotlib.collections import LineCollection, PolyCollection
        from matplotlib.colors import to_rgba_array
        from matplotlib.text import Text

        from .fast_text import Label

        tree = self.tree
        as_choice("layout", layout, LAYOUTS)
        as_choice("orientation", orientation, ORIENTATIONS)
        as_flag("show_labels", show_labels)
        as_flag("show_counts", show_counts)
        as_flag("legend", legend, None)
        node_labels = check_node_labels(node_labels)
        max_leaves = as_count("max_leaves", max_leaves, None, "auto")
        if isinstance(max_leaves, str):
            max_leaves = MOST_TIPS[layout]
        if show_counts and tree.counts is None:
            raise ValueError("This tree has no counts to show: leave show_counts out.")
        is_icicle = layout == "icicle"
        text_kw = check_style("text_kw", text_kw, Text, lambda **kw: Label(0.0, 0.0, "", **kw))
        kind = PolyCollection if is_icicle else LineCollection
        line_kw = check_style("line_kw", line_kw, kind, lambda **kw: kind([], **kw))
        leaves = order_leaves(tree, leaf_order, self.affinity)
        shown = lay_out(tree, leaf_order=leaves, max_leaves=max_leaves, heights=heights)
        if is_icicle and heights == "score" and _falls(tree):
            raise ValueError(
                "Some scores are smaller than those of merges below, so cells of an icicle would "
                "overlap: use heights='rank'."
            )
        neutral = NEUTRAL_CELL if is_icicle else NEUTRAL
        coloring = Coloring(tree, shown, level, leaf_classes, neutral)
        palette = to_rgba_array([neutral, *coloring.colors])
        branch_colors, tip_colors = palette[coloring.of_branches + 1], palette[coloring.of_tips + 1]
        stands_out = highlighted(tree, shown, highlight)
        branch_colors[~stands_out, 3] = tip_colors[~stands_out[shown.tips], 3] = FADED
        widths = np.where(stands_out & (highlight is not None), 2.0, 1.0)
        captions = tip_captions(tree, shown, show_counts, node_labels)
        if not show_labels:
            captions = only_labelled(tree, shown, captions)
        node_texts = node_captions(tree, shown.merges.tolist(), node_labels)
        entries = coloring.entries
        # A key of many colours is no key, unless asked for.
        is_wanted = bool(entries) and (len(entries) <= MOST_ENTRIES if legend is None else legend)

        view, is_own = View(shown, layout, orientation), ax is None
        wanted = measured(captions, text_kw)
        size = figure_size(view, wanted, rcParams["font.size"])
        lines = cells = triangles = tiles = key = None
        numbers, aside, tile = [], 0.0, 0.0
        with opened(ax, figsize=size, layout="constrained") as ax:
            draw_axis(ax, view, tree, heights)
            if is_wanted:
                key, aside = draw_legend(
                    ax, coloring.title, entries, at_top=not view.is_radial, may_widen=is_own
                )
            is_unexplained = bool(entries) and key is None and legend is not False
            is_numbered = is_unexplained and leaf_classes is None
            # The cells of an icicle tell the groups already.
            if entries and (not is_icicle or leaf_classes is not None):
                tile = tile_width(level - 1 if is_numbered else None)
            page = fit_page(ax, view, wanted, text_kw, tile=tile, aside=aside)
            if is_icicle:
                cells = page.draw_cells(tree, branch_colors, line_kw)
            else:
                lines = page.draw_links(tree, branch_colors, widths, line_kw)
                triangles = page.draw_triangles(tree, branch_colors, widths)
            if tile:
                tiles = page.draw_tiles(tip_colors)
            texts, leaders = write_labels(page)
            _fade(texts, ~stands_out[shown.tips])
            # As they are seen on white.
            seen = branch_colors[:, 3:] * branch_colors[:, :3] + 1 - branch_colors[:, 3:]
            merges = list(node_texts)
            node_texts = write_node_labels(page, tree, node_texts, seen)
            _fade(node_texts, ~stands_out[merges])
            if is_numbered:
                numbers, under = write_group_numbers(page, tree, coloring.group_nodes, seen)
                _fade(numbers, ~stands_out[under])
        if is_unexplained and (legend or not numbers):
            mend = "does not fit: draw on larger axes" if is_wanted else "needs legend=True"
            warn(
                f"A legend of {len(entries)} entries {mend}, or give legend=False for none.",
                DisplayWarning,
            )
        self.ax_, self.figure_, self.layout_ = ax, figure_of(ax), shown
        self.lines_, self.cells_, self.triangles_, self.tiles_ = lines, cells, triangles, tiles
        self.texts_, self.leaders_, self.legend_ = texts, leaders, key
        self.node_texts_, self.group_texts_ = node_texts, numbers
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
        names : sequence of str of length n_leaves, or dict of {str or int: str}, default=None
            Leaf names; None takes those the model has, of which a dict changes some.
        **plot_kw : dict
            Arguments of :meth:`plot`. `level` is ``n_clusters_`` of the model unless it is
            given.

        Returns
        -------
        display : DendrogramDisplay
            Which has been drawn.

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
        estimator, X = last_step(estimator, X)
        if isinstance(estimator, MergeTree):
            raise TypeError(f"A fitted estimator is needed, got {shown(estimator)}: see from_tree.")
        tree = tree_of(estimator, names)
        # It takes the square of the leaves, or a reading of X.
        affinity = None
        if X is not None and np.array_equal(plot_kw.get("leaf_order"), "similarity"):
            affinity = affinity_of(estimator, X)
        plot_kw.setdefault("level", default_level(estimator, tree))
        return cls(tree, affinity=affinity).plot(**plot_kw)

    @classmethod
    def from_tree(cls, tree, *, affinity=None, **plot_kw):
        """Draw a tree.

        Parameters
        ----------
        tree : MergeTree
            What to draw.
        affinity : array-like of shape (n_leaves, n_leaves), default=None
            How alike two leaves are, for ``leaf_order="similarity"``.
        **plot_kw : dict
            Arguments of :meth:`plot`.

        Returns
        -------
        display : DendrogramDisplay
            Which has been drawn.

        Raises
        ------
        TypeError
            If it is no tree.
        """
        return cls(tree, affinity=affinity).plot(**plot_kw)

    @classmethod
    def from_linkage(cls, linkage, *, names=None, counts=None, affinity=None, **plot_kw):
        """Draw a SciPy linkage matrix; its heights are the scores.

        Parameters
        ----------
        linkage : array-like of shape (n_leaves - 1, 4)
            As :func:`scipy.cluster.hierarchy.linkage` gives it.
        names : sequence of str of length n_leaves, or dict of {int: str}, default=None
            Leaf names; None names the leaves by their numbers.
        counts : array-like of shape (n_leaves,) or dict, default=None
            Rows in each leaf, by name in a dict or the index of a Series.
        affinity : array-like of shape (n_leaves, n_leaves), default=None
            How alike two leaves are, for ``leaf_order="similarity"``.
        **plot_kw : dict
            Arguments of :meth:`plot`.

        Returns
        -------
        display : DendrogramDisplay
            Which has been drawn.

        Raises
        ------
        ValueError
            If it is not the linkage matrix of one binary tree.
        """
        tree = MergeTree.from_linkage(linkage, names=names, counts=counts)
        return cls(tree, affinity=affinity).plot(**plot_kw)


def _fade(texts, are_faded):
    for text, is_faded in zip(texts, are_faded):
        if is_faded:
            text.set_alpha(2 * FADED)


def _falls(tree):
    """Whether a merge scores less than one that it takes in, by more than is lost in rounding."""
    taken_in = tree.children - tree.n_leaves
    below = np.where(taken_in >= 0, tree.scores[np.maximum(taken_in, 0)], -np.inf)
    fall = (below - tree.scores[:, np.newaxis]).max(initial=0.0)
    return bool(fall > 1e-9 * np.abs(tree.scores).max(initial=0.0))
