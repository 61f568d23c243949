"""Legend of the colours of a picture, on the right of its axes and within them."""

import math

from .axes import box_of, figure_of
from .sizes import LARGEST_PAGE

__all__ = ["draw_legend"]

# Sizes of the font to try if a legend of the usual size does not fit.
SMALLER_FONTS = (8.0, 6.5, 5.0)

# Height of a row, width of a column without its text, and the gap between columns, for a font of
# size 1.
ROW, COLUMN, COLUMN_GAP = 1.6, 1.8, 1.5

# Points between the tree and the legend.
LEGEND_GAP = 8.0

# Largest share of the width that a legend may take, of axes that were not made here.
MOST_OF_LEGEND = 0.5


def draw_legend(ax, title, entries, *, at_top, may_widen):
    """Legend of (color, text) entries on the right, as large as fits.

    It takes a part of the axes that is then left free by the tree.

    Parameters
    ----------
    ax : matplotlib Axes
    title : str or None
    entries : list of (str, str)
    at_top : bool
        Whether it stands in the upper corner, instead of half-way up.
    may_widen : bool
        Whether the figure is made wider by the width of the legend.

    Returns
    -------
    legend : matplotlib Legend, or None
        None if it does not fit even with the smallest font.
    width : float
        Width in points that it takes of the axes.
    """
    width, height = box_of(ax)
    most = LARGEST_PAGE * 72 if may_widen else MOST_OF_LEGEND * width
    legend = _largest_legend(ax, title, entries, most - LEGEND_GAP, height, at_top)
    if legend is None:
        return None, 0.0
    taken = _size_of(legend)[0] + LEGEND_GAP
    if may_widen:
        width, height = figure_of(ax).get_size_inches()
        figure_of(ax).set_size_inches(width + taken / 72, height)
    return legend, taken


def _largest_legend(ax, title, entries, width, height, at_top):
    """The largest legend of this size at most, or None."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    from .fast_text import text_widths

    largest = FontProperties(size=rcParams["legend.fontsize"]).get_size_in_points()
    longest = text_widths([text for _, text in entries], {}).max()
    for font in (largest, *(font for font in SMALLER_FONTS if font < largest)):
        n_rows = int(height / (ROW * font)) - (title is not None)
        if n_rows < 1:
            continue
        n_columns = math.ceil(len(entries) / n_rows)
        if (n_columns * (COLUMN + longest + COLUMN_GAP) - COLUMN_GAP) * font > width:
            continue
        legend = _legend(ax, title, entries, font, n_columns, at_top)
        if (_size_of(legend) <= [width, height]).all():
            return legend
        legend.remove()
    return None


def _size_of(legend):
    """Width and height in points."""
    return legend.get_window_extent().size * 72 / legend.figure.dpi


def _legend(ax, title, entries, font, n_columns, at_top):
    from matplotlib.patches import Patch

    legend = ax.legend(
        handles=[Patch(color=color, label=text) for color, text in entries],
        title=title,
        fontsize=font,
        title_fontsize=font,
        loc="upper right" if at_top else "center right",
        bbox_to_anchor=(1.0, 1.0) if at_top else (1.0, 0.5),
        borderaxespad=0.0,
        borderpad=0.2,
        columnspacing=COLUMN_GAP,
        ncol=n_columns,
        frameon=False,
        alignment="left",
        handlelength=1.0,
        handleheight=1.0,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
        text.set_usetex(False)
    return legend
