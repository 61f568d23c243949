"""Display of the matrix of profiles, beside its tree."""

import numpy as np

from ..exceptions.arguments import as_flag, as_floats
from ..exceptions.texts import shown
from ..hierarchy.fitted import default_level, last_step
from ..hierarchy.profile_matrix import profile_matrix, shares_of
from ..tree.alignment import matrix_in_order
from ..tree.checks import check_level
from ..tree.leaf_order import order_leaves
from ..tree.palette import group_colors
from ..tree.tree_of import tree_of
from .arguments import check_drawable, check_style
from .axes import box_of, figure_of, opened
from .captions import one_line
from .dendrogram import DendrogramDisplay
from .sizes import SMALLEST_FONT

__all__ = ["ProfileMatrixDisplay"]

# Inches of the largest figure that it makes: one and a quarter of it is the width of A2.
LARGEST_SIDE = 13.2


class ProfileMatrixDisplay:
    """Where the rows of each leaf would go if it did not exist, beside the tree.

    What a confusion matrix should look like: alike leaves side by side, so that the groups are
    blocks along the diagonal. It needs no labels of the rows.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    tree : MergeTree
        What to draw beside the matrix.
    profiles : array-like of shape (n_leaves, n_leaves)
        Line i is the profile of leaf i: the sum, over its rows, of the largest softmax
        probability outside the leaf, at the leaf that has it. Both sides of a DataFrame are read
        by name.

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
            What a display drew on the axes before is removed.
        normalize : bool, default=True
            Whether to show the share of each line, which then sums to 1.
        leaf_order : {"similarity", "merge", "size", "name"} or array-like of shape (n_leaves,), \
default="similarity"
            As in :meth:`DendrogramDisplay.plot`.
        level : int, default=None
            Number of groups to colour and to outline.
        cmap : str or matplotlib Colormap, default="Blues"
            Colours of the shares, or of the mass.
        text_kw : dict, default=None
            Passed to the :class:`matplotlib.text.Text` of each label.

        Returns
        -------
        display : ProfileMatrixDisplay
            Which has been drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If an argument is of another type.
        ValueError
            If an argument is none of the above, or does not fit the tree.
        """
        check_drawable(self, ax)
        from matplotlib import pyplot
        from matplotlib.text import Text

        tree, n_leaves = self.tree, self.tree.n_leaves
        profiles = _check_profiles(matrix_in_order("profiles", self.profiles, tree.names), n_leaves)
        as_flag("normalize", normalize)
        if level is not None:
            check_level(tree, level)
        try:
            cmap = pyplot.get_cmap(cmap)
        except (TypeError, ValueError):
            raise ValueError(
                "cmap must be the name of a colormap of matplotlib, such as 'viridis', or a "
                f"Colormap, got {shown(cmap)}."
            ) from None
        text_kw = check_style("text_kw", text_kw, Text, lambda **kw: Text(0.0, 0.0, "", **kw))
        shares = shares_of(profiles)
        leaves = order_leaves(tree, leaf_order, shares)
        side = float(np.clip(0.22 * n_leaves, 4, np.clip(0.09 * n_leaves, 9, LARGEST_SIDE)))
        rim = {"left": 0.01, "right": 0.99, "bottom": 0.01, "top": 0.99}
        with opened(ax, figsize=(1.25 * side, 1.1 * side), gridspec_kw=rim) as ax:
            self._draw(ax, shares if normalize else profiles, leaves, level, cmap, text_kw)
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
        names : sequence of str of length n_leaves, or dict of {str or int: str}, default=None
            Leaf names; None takes those of the tree, of which a dict changes some.
        **plot_kw : dict
            Arguments of :meth:`plot`. `level` is ``n_clusters_`` of the model unless it is
            given.

        Returns
        -------
        display : ProfileMatrixDisplay
            Which has been drawn.

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
        estimator, X = last_step(estimator, X)
        profiles = profile_matrix(estimator, X, sample_weight=sample_weight)
        plot_kw.setdefault("level", default_level(estimator, estimator.tree_))
        return cls(tree_of(estimator, names), profiles).plot(**plot_kw)

    def _draw(self, ax, values, leaves, level, cmap, text_kw):
        """Draw the tree, the matrix of values and the colour bar in parts of the axes."""
        from matplotlib import rcParams
        from matplotlib.collections import LineCollection

        from .fast_text import text_widths

        tree, n_leaves = self.tree, self.tree.n_leaves
        ax.set_axis_off()
        ax.set_aspect("auto")  # a radial tree may have been here
        width, height = box_of(ax)

        # In points: the tree, the square matrix, its labels, and a colour bar below.
        labels = [one_line(tree.names[leaf]) for leaf in leaves]
        length, bar, gap = text_widths(labels, text_kw).max(), 55.0, 4.0
        side = min(width / 1.25, height - bar) - 2 * gap
        font = min(rcParams["font.size"], side / (1.2 * n_leaves + length))
        font = min(font, 0.4 * side / max(length, 1e-9))
        side -= length * font
        left = width - side - length * font - gap
        scale = 1 / np.array([width, height, width, height])

        self.figure_ = figure_of(ax)
        self.ax_ = ax.inset_axes(np.array([left, bar, side, side]) * scale)
        tree_ax = ax.inset_axes(np.array([0, bar, left - gap, side]) * scale)
        self.dendrogram_ = DendrogramDisplay(tree).plot(
            tree_ax, leaf_order=leaves, max_leaves=None, level=level, show_labels=False,
            legend=False,
        )  # fmt: skip
        tree_ax.set_axis_off()
        values = values[np.ix_(leaves, leaves)]
        np.fill_diagonal(values, np.nan)  # a leaf has no place in its own profile
        self.image_ = self.ax_.imshow(values, cmap=cmap, aspect="auto", vmin=0.0)
        ticks = np.arange(n_leaves) if font >= SMALLEST_FONT else []
        labels = labels if len(ticks) else []
        style = {"fontsize": font, "parse_math": False, "usetex": False}
        self.ax_.set_xticks(ticks, labels, **(style | {"rotation": 90} | text_kw))
        self.ax_.set_yticks(ticks, labels, **(style | text_kw))
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


def _check_profiles(profiles, n_leaves):
    profiles = as_floats("profiles", profiles)
    if profiles.shape != (n_leaves, n_leaves):
        raise ValueError(
            f"profiles must have the shape ({n_leaves}, {n_leaves}), got {profiles.shape}."
        )
    bad = np.argwhere(~(np.isfinite(profiles) & (profiles >= 0)))
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"profiles must be finite and at least 0, but profiles[{i}, {j}] is {profiles[i, j]}."
        )
    return profiles


def _blocks(groups):
    """Outline and colour of each stretch of equal groups along a diagonal."""
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    last = np.append(first[1:], len(groups))
    low, high = first - 0.5, last - 0.5
    outlines = np.array([(low, low), (high, low), (high, high), (low, high), (low, low)])
    colors = np.array(group_colors(groups.max() + 1))[groups[first]]
    return outlines.transpose(2, 0, 1), colors
