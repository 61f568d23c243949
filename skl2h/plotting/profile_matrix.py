"""Display of the matrix of profiles, or of a confusion matrix, beside its tree."""

import numpy as np

from ..exceptions.arguments import as_flag
from ..hierarchy.affinity import as_confusion, confusion_tree
from ..hierarchy.fitted import default_level, last_step
from ..hierarchy.profile_matrix import profile_matrix, shares_of
from ..tree.alignment import matrix_in_order
from ..tree.checks import check_level
from ..tree.leaf_order import order_leaves
from ..tree.palette import group_colors
from ..tree.tree_of import tree_of
from .arguments import check_colormap, check_drawable, check_profiles, check_style
from .axes import box_of, figure_of, opened
from .captions import one_line
from .dendrogram import DendrogramDisplay
from .sizes import LINE_HEIGHT, SMALLEST_FONT

__all__ = ["ProfileMatrixDisplay"]

# Inches of the largest matrix in a figure made here, whose width is 1.25 times that: A2.
LARGEST_SIDE = 13.2

# Largest size of the font of titles, as a share of the side of all.
TITLE_SHARE = 0.06

# What the entries are, by whether it is a confusion matrix and lines are divided by their sums.
UNITS = {
    (False, True): "share of the line",
    (False, False): "rows",
    (True, True): "share of the errors of a class",
    (True, False): "entry of the matrix",
}


class ProfileMatrixDisplay:
    """Where the rows of each leaf would go if it did not exist, beside the tree.

    A confusion matrix that needs no labels of the rows. Alike leaves stand side by side, so that
    groups are blocks along the diagonal.

    It is recommended to use :meth:`from_estimator` or :meth:`from_confusion`, which make the
    display and plot it.

    Parameters
    ----------
    tree : MergeTree
        What to draw beside the matrix.
    profiles : array-like of shape (n_leaves, n_leaves)
        Line i is the profile of leaf i, as :func:`~skl2h.profile_matrix` gives it, or line i of a
        confusion matrix. Both sides of a DataFrame are read by name. The diagonal is not drawn.
    confusion : bool, default=False
        Whether `profiles` is a confusion matrix: its lines are true classes and its columns are
        predicted ones, and the titles say so.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the matrix.
    figure_ : matplotlib Figure
    dendrogram_ : DendrogramDisplay
        On the left of the matrix, in the same order.
    image_ : matplotlib AxesImage
    outlines_ : matplotlib LineCollection, or None
        Outlines of the groups; None without a level.
    colorbar_ : matplotlib Colorbar

    See Also
    --------
    profile_matrix : The matrix alone.
    confusion_tree : The tree of a confusion matrix alone.
    DendrogramDisplay : The tree alone.

    Examples
    --------
    >>> from skl2h import L2HClustering, ProfileMatrixDisplay
    >>> from skl2h.datasets import make_hierarchical_logits
    >>> logits, _, _ = make_hierarchical_logits(200, 8, random_state=0)
    >>> model = L2HClustering("precomputed").fit(logits)
    >>> display = ProfileMatrixDisplay.from_estimator(model, logits)
    >>> display.profiles.shape
    (8, 8)
    """

    def __init__(self, tree, profiles, *, confusion=False):
        self.tree = tree
        self.profiles = profiles
        self.confusion = confusion

    def plot(
        self, ax=None, *, normalize=True, leaf_order="similarity", level=None, cmap="Blues",
        text_kw=None,
    ):  # fmt: skip
        """Draw the matrix and the tree.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw the tree and the matrix; None makes a figure of a size that fits. What a
            display drew on the axes before is removed.
        normalize : bool, default=True
            Whether to divide each line by its sum.
        leaf_order : {"similarity", "merge", "size", "name"} or array-like of shape (n_leaves,), \
default="similarity"
            As in :meth:`DendrogramDisplay.plot`.
        level : int, default=None
            Number of groups to colour and to outline.
        cmap : str or matplotlib Colormap, default="Blues"
            Colours of the entries of the matrix.
        text_kw : dict, default=None
            Passed to the :class:`matplotlib.text.Text` of each label.

        Returns
        -------
        display : ProfileMatrixDisplay
            With what was drawn in its attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If an argument is of another type.
        ValueError
            If an argument has another value, or does not fit the tree.
        """
        check_drawable(self, ax)
        from matplotlib.text import Text

        tree, n_leaves = self.tree, self.tree.n_leaves
        profiles = check_profiles(matrix_in_order("profiles", self.profiles, tree.names), n_leaves)
        normalize = as_flag("normalize", normalize)
        confusion = as_flag("confusion", self.confusion)
        if confusion:  # lines are divided by the sum of errors
            np.fill_diagonal(profiles, 0.0)
        if level is not None:
            check_level(tree, level)
        cmap = check_colormap(cmap)
        text_kw = check_style("text_kw", text_kw, Text, lambda **kw: Text(0.0, 0.0, "", **kw))
        shares = shares_of(profiles)
        leaves = order_leaves(tree, leaf_order, shares)
        values = (shares if normalize else profiles)[np.ix_(leaves, leaves)]
        np.fill_diagonal(values, np.nan)  # a leaf has no place in its own profile
        side = float(np.clip(0.22 * n_leaves, 4, np.clip(0.09 * n_leaves, 9, LARGEST_SIDE)))
        rim = {"left": 0.01, "right": 0.99, "bottom": 0.01, "top": 0.99}
        with opened(ax, figsize=(1.25 * side, 1.1 * side), gridspec_kw=rim) as ax:
            names = [tree.names[leaf] for leaf in leaves]
            labels, font, title_font, boxes = _divided(ax, names, text_kw, has_titles=confusion)
            matrix_ax, tree_ax, bar_ax = (ax.inset_axes(box) for box in boxes)
            dendrogram = DendrogramDisplay(tree).plot(
                tree_ax, leaf_order=leaves, max_leaves=None, level=level, show_labels=False,
                legend=False,
            )  # fmt: skip
            tree_ax.set_axis_off()
            image = matrix_ax.imshow(values, cmap=cmap, aspect="auto", vmin=0.0)
            _write_names(matrix_ax, labels, font, text_kw)
            if confusion:
                _write_titles(matrix_ax, title_font)
            outlines = None if level is None else _outlined(matrix_ax, tree.cut(level)[leaves])
            colorbar = ax.figure.colorbar(image, cax=bar_ax, orientation="horizontal")
            colorbar.set_label(UNITS[confusion, normalize])
        self.ax_, self.figure_, self.dendrogram_ = matrix_ax, figure_of(ax), dendrogram
        self.image_, self.outlines_, self.colorbar_ = image, outlines, colorbar
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
        names : sequence of str of length n_leaves, or dict of {str or int: str}, default=None
            Leaf names; None takes those of the tree. A dict changes the names that are its keys.
        **plot_kw : dict
            Arguments of :meth:`plot`. If `level` is not given, it is ``n_clusters_`` of the model.

        Returns
        -------
        display : ProfileMatrixDisplay
            With what was drawn in its attributes.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not an `L2HClustering`, or X is a Dask collection.

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
        estimator, X = last_step(estimator, X)
        profiles = profile_matrix(estimator, X, sample_weight=sample_weight)
        plot_kw.setdefault("level", default_level(estimator, estimator.tree_))
        return cls(tree_of(estimator, names), profiles).plot(**plot_kw)

    @classmethod
    def from_confusion(cls, matrix, *, names=None, **plot_kw):
        """Draw a confusion matrix in the order of its tree, which :func:`confusion_tree` makes.

        It is turned as scikit-learn's ``ConfusionMatrixDisplay`` has it: lines are true classes,
        columns are predicted ones. Classes that are confused stand side by side, so that groups of
        them are blocks along the diagonal. The diagonal itself is left out, since it would outshine
        the rest.

        Parameters
        ----------
        matrix : {array-like, sparse matrix} of shape (n_classes, n_classes), dtype=number
            Counts or shares: ``matrix[a, b]`` is how much of class a was taken for b. The diagonal
            is not needed, and may be NaN. The columns of a data frame name the classes; its index
            must have the same names, in any order.
        names : sequence of str of length n_classes, or dict of {str or int: str}, default=None
            Names of the classes; a dict renames some of them. None takes those of a data frame, or
            numbers.
        **plot_kw : dict
            Arguments of :meth:`plot`.

        Returns
        -------
        display : ProfileMatrixDisplay
            With what was drawn in its attributes. Its `profiles` are the matrix, with 0 on the
            diagonal, and its `tree` is the tree.

        Raises
        ------
        ValueError
            If the matrix is not square, or outside of its diagonal not of finite numbers that are
            at least 0, if the index and the columns of a data frame differ, or the number of names
            is another.
        TypeError
            If `names` are in no order, as those of a set.

        Examples
        --------
        >>> from skl2h import ProfileMatrixDisplay
        >>> matrix = [[50, 0, 9, 1], [1, 44, 0, 15], [8, 1, 51, 0], [0, 20, 1, 40]]
        >>> names = ["cat", "truck", "dog", "car"]
        >>> display = ProfileMatrixDisplay.from_confusion(matrix, names=names, level=2)
        >>> [label.get_text() for label in display.ax_.get_yticklabels()]
        ['cat', 'dog', 'truck', 'car']
        """
        profiles, names = as_confusion(matrix, names)
        tree = confusion_tree(profiles, names=names)
        return cls(tree, profiles, confusion=True).plot(**plot_kw)


def _divided(ax, names, text_kw, *, has_titles):
    """Labels of the leaves, sizes of their font and that of titles, and where the parts are.

    These are the matrix, which is square, the tree and the colour bar, as (left, lower, width,
    height) from 0 to 1.
    """
    from matplotlib import rcParams

    from .fast_text import text_widths

    ax.set_axis_off()
    ax.set_aspect("auto")  # a radial tree may have been here
    width, height = box_of(ax)
    # In points: the tree, the matrix and its labels beside each other, and below them the bar.
    labels = [one_line(name) for name in names]
    length, bar, gap = text_widths(labels, text_kw).max(), 55.0, 4.0
    side = min(width / 1.25, height - bar) - 2 * gap
    title_font = min(rcParams["font.size"], TITLE_SHARE * side) if has_titles else 0.0
    side -= 1.5 * LINE_HEIGHT * title_font
    font = min(rcParams["font.size"], side / (1.2 * len(labels) + length))
    font = min(font, 0.4 * side / max(length, 1e-9))
    right = length * font + 1.5 * LINE_HEIGHT * title_font
    side -= length * font
    left = width - side - right - gap
    boxes = np.array(
        [[left, bar, side, side], [0, bar, left - gap, side], [left, bar - 20, side, 8]]
    )
    return labels, font, title_font, boxes / [width, height, width, height]


def _write_titles(ax, font):
    """Say what the lines and the columns of a confusion matrix are, beyond the names."""
    ax.set_xlabel("predicted class", fontsize=font, labelpad=0.4 * font)
    ax.set_ylabel("true class", fontsize=font, labelpad=0.4 * font)
    ax.xaxis.set_label_position("top")
    ax.yaxis.set_label_position("right")


def _write_names(ax, labels, font, text_kw):
    """Names of the leaves above the matrix and on its right, if they can be read."""
    if font < SMALLEST_FONT:
        labels = []
    style = {"fontsize": font, "parse_math": False, "usetex": False}
    ax.set_xticks(np.arange(len(labels)), labels, **(style | {"rotation": 90} | text_kw))
    ax.set_yticks(np.arange(len(labels)), labels, **(style | text_kw))
    ax.tick_params(
        length=0, bottom=False, labelbottom=False, labeltop=True, left=False, labelleft=False,
        labelright=True, pad=2,
    )  # fmt: skip


def _outlined(ax, groups):
    """Outline each stretch of equal groups along the diagonal, in the colour of the group."""
    from matplotlib.collections import LineCollection

    first = np.flatnonzero(np.diff(groups, prepend=-1))
    last = np.append(first[1:], len(groups))
    low, high = first - 0.5, last - 0.5
    corners = np.array([(low, low), (high, low), (high, high), (low, high), (low, low)])
    colors = np.array(group_colors(groups.max() + 1))[groups[first]]
    lines = LineCollection(corners.transpose(2, 0, 1), colors=colors, linewidths=1.5, clip_on=False)
    return ax.add_collection(lines, autolim=False)
