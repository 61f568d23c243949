"""Display of a tree: data in `__init__`, style in `plot`, computation in `from_*`.

Everything is planned before anything is drawn: `layout` says where it stands, `coloring` in which
colour, and `captions` what it is called. Then `page` and `texts` draw it. `layout` defines the
words tip and place.
"""

import numpy as np

from ..exceptions.arguments import as_choice, as_count, as_flag
from ..exceptions.categories import DisplayWarning, warn
from ..exceptions.texts import shown
from ..hierarchy.fitted import default_level, last_step
from ..hierarchy.profile_matrix import affinity_of
from ..tree.heights import falls
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
from .coloring import Coloring
from .layout import LAYOUTS, ORIENTATIONS, View, lay_out
from .legend import draw_legend
from .page import fit_page
from .sizes import figure_size
from .texts import tile_width, write_group_numbers, write_labels, write_node_labels

__all__ = ["DendrogramDisplay"]

# Tips that `max_leaves="auto"` shows at most: what can be read on a page.
MOST_TIPS = {"rectangular": 200, "radial": 1000, "icicle": 200}

# Most entries of a legend that nobody asked for.
MOST_ENTRIES = 30


class DendrogramDisplay:
    """Picture of a tree.

    It is recommended to use :meth:`from_estimator`, :meth:`from_tree` or :meth:`from_linkage`.
    They make the display and plot it, and take the arguments of :meth:`plot` as well.

    Parameters
    ----------
    tree : MergeTree
        What to draw.
    affinity : array-like of shape (n_leaves, n_leaves), default=None
        How alike two leaves are, for ``leaf_order="similarity"``: the larger, the more alike.
        The entries (i, j) and (j, i) are added. Both sides of a DataFrame are read by name.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
        Figure that holds the axes, also if they are in a SubFigure.
    layout_ : Layout
        Tips, places and heights.
    lines_ : matplotlib LineCollection, or None
        Stems of the branches, then the bars that join them; None in an icicle.
    cells_ : matplotlib PolyCollection, or None
        Cells of an icicle.
    triangles_ : matplotlib PolyCollection, or None
        Collapsed merges.
    tiles_ : matplotlib PolyCollection, or None
        Coloured tile of each tip.
    leaders_ : matplotlib LineCollection, or None
        Lines from tips to the outer labels, if a radial tree is so full that its labels stand in
        two rings.
    texts_ : list of matplotlib Text
        Label of each tip, from the first place to the last; empty if there are no labels, or if
        they were too small to read. With ``show_labels=False``, a tip without a label has an
        empty text. They are Text like any other, but drawn faster.
    node_texts_ : list of matplotlib Text
        Labels of merges.
    group_texts_ : list of matplotlib Text
        Numbers of the groups, if they have no legend; empty otherwise.
    legend_ : matplotlib Legend, or None

    See Also
    --------
    ProfileMatrixDisplay : The tree beside a matrix of how alike its leaves are.

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
        heights="auto",
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
            Where to draw; None makes a figure of a size that fits. The picture fits the size that
            the axes have now: if it changes, plot again. What a display drew on the axes before
            is removed, and everything else stays.
        layout : {"rectangular", "radial", "icicle"}, default="rectangular"
            In an icicle each node is a cell that spans its leaves and reaches up to the merge
            that takes it in, so that the cells at any height are the groups of a level.
        orientation : {"left", "right", "top", "bottom"}, default="left"
            Side of the root; ignored by a radial tree, which has it in the middle.
        heights : {"auto", "rank", "score"}, default="auto"
            Height of a merge: its number, so that the axis shows the number of groups; or its
            score. "auto" draws the scores of a tree with the `method` "affinity", which are the
            heights of a linkage, unless all are 0, and the numbers of the merges of any other.
        leaf_order : {"merge", "size", "name", "similarity"} or array-like of shape (n_leaves,), \
default="merge"
            Which of its two children a merge puts first. "merge": the first as the tree has them.
            "size": the child with more leaves. "name": the child with the alphabetically first
            name. "similarity": the child that puts the most alike leaves side by side. Or all
            leaves, in an order in which no branches cross.
        max_leaves : int, None or "auto", default="auto"
            Most branches to end in. If there are more leaves, the groups of this level are shown
            as triangles, with the numbers of their leaves and rows. "auto" is 1,000 in a radial
            tree and 200 in others; None shows all leaves.
        level : int, default=None
            Number of groups to colour. A group has the same colour in every picture of the
            level.
        leaf_classes : array-like of shape (n_leaves,) or dict, default=None
            Class of each leaf, such as its superclass; None or NaN if it has none. A dict or the
            index of a Series gives it by name. It colours the tile at the leaf and, without
            `level`, the branches whose leaves are all of this class. With `level`, the legend
            explains the classes, and no class has the colour of a group.
        highlight : sequence of int or str, default=None
            Nodes, or names of leaves. They and what is below them stand out; the rest fades.
        show_labels : bool, default=True
            Whether to name the leaves. With False the only labels at the tips are those of
            collapsed merges that `node_labels` asks for. Labels are made small enough to fit,
            unless `text_kw` sets their size. If that is below 6 points, names that are longer than
            60 characters, or more than twice as long as the median, lose their middle. If it is
            still below 2 points, so do names that are longer than 12 characters. If that is not
            enough, there are no labels. Counts are never cut. A radial tree of 1,000 leaves has
            labels of 5 points on its own figure, which is 16.5 inches wide like A2; printed on A4,
            they are half as large. A radial tree of 400 leaves has labels of 5 points on A4.
        show_counts : bool, default=False
            Whether to show the number of rows of each leaf.
        node_labels : bool, "support" or dict of {int: str}, default=False
            Labels of the merges. True: their numbers. "support": their support, to two digits. A
            dict, or a Series: a text for each merge that is a key. The label of a collapsed merge
            stands at its tip, like the name of a leaf. The number of its leaves follows on a
            second line, or on the same if lines are close. In an icicle the other labels are made
            small enough to fit their cells, though not below 2 points, and turned if that makes
            them larger; a cell without a height, since its merge is as high as the next, has none.
        legend : bool, default=None
            Whether to explain the colours in a legend, in as many columns as it takes. None does
            so for up to 30 colours, if there is room. Without a legend, the numbers of the groups
            stand on their tiles, or on their cells in an icicle, unless `legend` is False. The
            legend takes up to half of the axes; a figure made here gets wider instead.
        line_kw : dict, default=None
            Passed to :class:`matplotlib.collections.LineCollection`, or to the
            :class:`~matplotlib.collections.PolyCollection` of an icicle.
        text_kw : dict, default=None
            Passed to the :class:`matplotlib.text.Text` of each label.

        Returns
        -------
        display : DendrogramDisplay
            With what was drawn in its attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If an argument is of another type.
        ValueError
            If an argument has another value, or does not fit the tree. Nothing is drawn then.

        Warns
        -----
        UserWarning
            If labels are left out because they would be too small to read, or a legend that was
            asked for because it is too large for the axes. Also if neither a legend nor numbers
            explain the colours, unless `legend` is False.
        """
        check_drawable(self, ax)
        from matplotlib import rcParams
        from matplotlib.collections import LineCollection, PolyCollection
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
        text_kw = check_style("text_kw", text_kw, Text, lambda **kw: Label(0.0, 0.0, "", **kw))
        kind = PolyCollection if layout == "icicle" else LineCollection
        line_kw = check_style("line_kw", line_kw, kind, lambda **kw: kind([], **kw))
        leaves = order_leaves(tree, leaf_order, self.affinity)
        places = lay_out(tree, leaf_order=leaves, max_leaves=max_leaves, heights=heights)
        view = View(places, layout, orientation)
        if view.is_icicle and places.measure == "score" and falls(tree):
            raise ValueError(
                "Some scores are smaller than those of merges below, so cells of an icicle would "
                "overlap: use heights='rank'."
            )
        coloring = Coloring(tree, view, level, leaf_classes, highlight)
        captions = tip_captions(tree, places, show_counts, node_labels)
        if not show_labels:
            captions = only_labelled(tree, places, captions)
        labels = measured(captions, text_kw)
        node_labels = node_captions(tree, view.merges_with_room(tree).tolist(), node_labels)
        entries = coloring.entries
        # A legend of many colours helps nobody who did not ask for it.
        is_wanted = bool(entries) and (len(entries) <= MOST_ENTRIES if legend is None else legend)

        size, is_own = figure_size(view, labels, rcParams["font.size"]), ax is None
        lines = cells = triangles = tiles = key = None
        numbers, aside, tile = [], 0.0, 0.0
        with opened(ax, figsize=size, layout="constrained") as ax:
            draw_axis(ax, view, tree)
            if is_wanted:
                key, aside = draw_legend(
                    ax, coloring.title, entries, at_top=not view.is_radial, may_widen=is_own
                )
            is_unexplained = bool(entries) and key is None and legend is not False
            is_numbered = is_unexplained and leaf_classes is None
            # The cells of an icicle show the groups already.
            if entries and (not view.is_icicle or leaf_classes is not None):
                tile = tile_width(level - 1 if is_numbered else None)
            page = fit_page(ax, view, labels, text_kw, tile=tile, aside=aside)
            if view.is_icicle:
                cells = page.draw_cells(tree, coloring.branches, line_kw)
            else:
                lines = page.draw_links(tree, coloring.branches, coloring.widths, line_kw)
                triangles = page.draw_triangles(tree, coloring.branches, coloring.widths)
            if tile:
                tiles = page.draw_tiles(coloring.tiles)
            texts, leaders = write_labels(page)
            coloring.fade(texts, places.tips)
            node_texts = write_node_labels(page, tree, node_labels, coloring.on_white)
            coloring.fade(node_texts, list(node_labels))
            if is_numbered:
                numbers, under = write_group_numbers(
                    page, tree, coloring.group_nodes, coloring.on_white
                )
                coloring.fade(numbers, under)
        if is_unexplained and (legend or not numbers):
            mend = "does not fit: draw on larger axes" if is_wanted else "needs legend=True"
            warn(
                f"A legend of {len(entries)} entries {mend}, or give legend=False for none.",
                DisplayWarning,
            )
        self.ax_, self.figure_, self.layout_ = ax, figure_of(ax), places
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
            An :class:`L2HClustering`, whose leaves are the clusters. Or a model with ``children_``
            such as :class:`~sklearn.cluster.AgglomerativeClustering`, whose leaves are the rows,
            or :class:`~sklearn.cluster.FeatureAgglomeration`, whose leaves are the features; its
            ``distances_``, if it has them, are the scores. Or a Pipeline that ends in such a
            model.
        X : array-like of shape (n_samples, n_features), default=None
            Data that shows which leaves are alike, for ``leaf_order="similarity"``; ignored
            otherwise. What the model was fitted on; for `L2HClustering`, any rows.
        names : sequence of str of length n_leaves, or dict of {str or int: str}, default=None
            Leaf names; None takes those of the model. A dict changes the names that are its keys.
        **plot_kw : dict
            Arguments of :meth:`plot`. If `level` is not given, it is ``n_clusters_`` of the model.

        Returns
        -------
        display : DendrogramDisplay
            With what was drawn in its attributes.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no tree.
        ValueError
            If its merges do not make a tree.

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
        # Only if needed: it takes a matrix of all pairs of leaves, or a pass over X.
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
            With what was drawn in its attributes.

        Raises
        ------
        TypeError
            If `tree` is not a MergeTree.
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
            Number of rows in each leaf. A dict or the index of a Series gives it by name.
        affinity : array-like of shape (n_leaves, n_leaves), default=None
            How alike two leaves are, for ``leaf_order="similarity"``.
        **plot_kw : dict
            Arguments of :meth:`plot`.

        Returns
        -------
        display : DendrogramDisplay
            With what was drawn in its attributes.

        Raises
        ------
        ValueError
            If `linkage` is not the linkage matrix of a binary tree.
        """
        tree = MergeTree.from_linkage(linkage, names=names, counts=counts)
        return cls(tree, affinity=affinity).plot(**plot_kw)
