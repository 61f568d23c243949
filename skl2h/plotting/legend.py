"""The key to the colours of a picture, on the right of its axes and within them."""

import math

__all__ = ["draw_legend"]

# Sizes to try, after the one that legends have.
SMALLER_FONTS = (8.0, 6.5, 5.0)

# Parts of a row and of a column, for a font of size 1.
ROW, COLUMN, COLUMN_GAP = 1.6, 1.8, 1.5

# In points, from the tree.
LEGEND_GAP = 8.0


def draw_legend(ax, title, entries, room, at_top):
    """Legend of (color, text) entries, as large as fits the room.

    Parameters
    ----------
    ax : matplotlib Axes
    title : str or None
    entries : list of (str, str)
    room : (float, float)
        Width and height in points that it may take.
    at_top : bool
        Whether it stands in the upper corner, or half-way up.

    Returns
    -------
    legend : matplotlib Legend, or None
        None if even the smallest does not fit.
    width : float
        Points that it takes of the axes.
    """
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    from .fast_text import text_widths

    width, height = room[0] - LEGEND_GAP, room[1]
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
        size = legend.get_window_extent().size * 72 / ax.figure.dpi
        if (size <= [width, height]).all():
            return legend, size[0] + LEGEND_GAP
        legend.remove()
    return None, 0.0


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
