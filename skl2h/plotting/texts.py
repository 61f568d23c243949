"""Texts on a page: labels of tips and merges, and numbers of groups.

matplotlib is imported inside the functions.
"""

import numpy as np

from .sizes import LABEL_GAP, LINE_HEIGHT, SMALL_FONT, SMALLEST_FONT, TILE

__all__ = ["tile_width", "write_group_numbers", "write_labels", "write_node_labels"]

# Largest sizes of the font for numbers of groups and for labels of merges.
NUMBER_FONT, NODE_FONT = 7.0, 8.0

# Points around the labels of merges.
NODE_PAD = 0.8

# Luminance of red, green and blue.
LUMINANCE = (0.2126, 0.7152, 0.0722)

# By the side of the root: direction from the tips to the labels, and how these are aligned across
# and upwards.
OUTWARDS = {
    "left": ((1, 0), "left", "center_baseline"),
    "right": ((-1, 0), "right", "center_baseline"),
    "top": ((0, -1), "center", "top"),
    "bottom": ((0, 1), "center", "bottom"),
}
# How a label that stands on its end is aligned.
TURNED = {"top": "right", "bottom": "left"}


# Width of a digit, for a font of size 1.
DIGIT = 0.65


def tile_width(largest_number):
    """Width in points of a tile for numbers up to this; None for no numbers."""
    if largest_number is None:
        return TILE
    return max(TILE, DIGIT * NUMBER_FONT * len(str(largest_number)) + 2)


def write_labels(page):
    """Label of each tip, and lines to the labels of the outer ring; None without such a ring."""
    if not page.labels.texts:
        return [], None
    return (_radial_labels if page.view.is_radial else _rectangular_labels)(page)


def write_node_labels(page, tree, texts, colors):
    """Write texts {node: text} at merges; in an icicle, small enough to fit their cells."""
    from matplotlib.transforms import ScaledTranslation

    from .fast_text import text_widths

    if not texts:
        return []
    layout, nodes = page.view.layout, list(texts)
    points = np.column_stack([layout.place, layout.height])[nodes]
    widths = text_widths(list(texts.values()), {})
    fonts = np.full(len(nodes), min(NODE_FONT, max(page.sizes.font, SMALLEST_FONT)))
    is_turned = np.zeros(len(nodes), dtype=bool)
    if page.view.is_icicle:
        lower, upper = layout.cell_ends(tree, np.array(nodes))
        points = np.column_stack([layout.span[nodes].mean(axis=1), (lower + upper) / 2])
        along = (np.diff(layout.span[nodes])[:, 0] + 1) * page.pitch
        across = (upper - lower) / page.height_per_point
        fonts, is_turned = _fit_cells(fonts, widths, along, across, page.view.along_y)
    sizes = np.column_stack([widths, np.full(len(nodes), LINE_HEIGHT)]) * fonts[:, np.newaxis]
    sizes[is_turned] = sizes[is_turned, ::-1]
    moves = page.moves_inside(points, sizes + 2 * NODE_PAD) / 72
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": NODE_PAD}
    drawn = []
    for node, point, font, turned, move in zip(nodes, points, fonts, is_turned, moves):
        style = {"color": _readable_on(colors[node])} if page.view.is_icicle else {"bbox": box}
        shift = ScaledTranslation(*move, page.ax.figure.dpi_scale_trans)
        style |= {"rotation": 90.0 * turned, "transform": page.ax.transData + shift}
        drawn.append(_write(page, point, texts[node], font, "center", **style))
    return drawn


def write_group_numbers(page, tree, group_nodes, colors):
    """Write the number of each group on its tiles, or in its cell of an icicle, if it can be read.

    Parameters
    ----------
    page : Page
    tree : MergeTree
    group_nodes : ndarray of shape (level,)
        Node of each group.
    colors : ndarray of shape (n_nodes, 3)
        Colour of the branch or cell of each node.

    Returns
    -------
    texts : list of matplotlib Text
    nodes : ndarray of shape (n_texts,), dtype=intp
        Node whose cell, or tip whose tile, each text stands on.
    """
    layout, is_icicle = page.view.layout, page.view.is_icicle
    groups = np.flatnonzero(np.isfinite(layout.span[group_nodes, 0]))
    groups = groups[layout.span[group_nodes[groups], 0].argsort()]
    nodes = group_nodes[groups]
    firsts, lasts = layout.span[nodes].T
    middles, n_tiles = (firsts + lasts) / 2, lasts - firsts + 1
    if page.tiles_are_apart:
        # On a single tile, that in the middle.
        middles, n_tiles = np.floor(middles), np.ones(len(groups))
    height = layout.base - (page.inset - page.tile / 2) * page.height_per_point
    points = np.column_stack([middles, np.full(len(groups), height)])
    rotations = _outwards(page, points)[0]
    if is_icicle:
        points[:, 1] = np.mean(layout.cell_ends(tree, nodes), axis=0)
    under = nodes if is_icicle else layout.tips[middles.astype(np.intp)]
    fonts = np.minimum(NUMBER_FONT, page.pitch * n_tiles)
    can_be_read = fonts >= SMALLEST_FONT
    texts = [
        _write(
            page, points[at], str(groups[at]), fonts[at], "center_baseline",
            rotation=rotations[at], rotation_mode="anchor", color=_readable_on(colors[under[at]]),
        )
        for at in np.flatnonzero(can_be_read)
    ]  # fmt: skip
    return texts, under[can_be_read]


def _rectangular_labels(page):
    from matplotlib.transforms import ScaledTranslation

    view, rotation = page.view, 0.0
    direction, ha, va = OUTWARDS[view.orientation]
    if page.sizes.turned:
        ha, va, rotation = TURNED[view.orientation], "center_baseline", 90.0
    shift = np.array(direction) * (page.inset + LABEL_GAP) / 72
    style = {
        "fontsize": page.sizes.font,
        "horizontalalignment": ha,
        "verticalalignment": va,
        "rotation": rotation,
        # A distance in points from the tip.
        "transform": page.ax.transData + ScaledTranslation(*shift, page.ax.figure.dpi_scale_trans),
    }
    points = np.column_stack([np.arange(view.n_tips), np.full(view.n_tips, view.layout.base)])
    return [
        _add_label(page, point, text, style)
        for point, text in zip(view.project(points).tolist(), page.labels.texts)
    ], None


def _radial_labels(page):
    from matplotlib.collections import LineCollection

    view = page.view
    rings = np.arange(view.n_tips) % page.sizes.n_rings
    gaps = page.inset + LABEL_GAP + rings * page.sizes.step
    heights = view.layout.base - gaps * page.height_per_point
    points = np.column_stack([np.arange(view.n_tips), heights])
    rotations, over = _outwards(page, points)
    style = {
        "fontsize": page.sizes.font,
        "verticalalignment": "center_baseline",
        "transform": page.ax.transData,
    }
    sides = np.where(over, "right", "left").tolist()
    texts = [
        _add_label(page, point, text, style | {"rotation": rotation, "horizontalalignment": side})
        for point, text, rotation, side in zip(
            view.project(points).tolist(), page.labels.texts, rotations.tolist(), sides
        )
    ]
    if page.sizes.n_rings == 1:
        return texts, None
    outer = np.flatnonzero(rings * page.labels.widths)  # empty labels have no line
    ends = np.empty((len(outer), 2, 2))
    ends[..., 0] = outer[:, np.newaxis]
    ends[:, 0, 1] = view.layout.base - (page.inset + 1) * page.height_per_point
    ends[:, 1, 1] = heights[outer] + 1.5 * page.height_per_point
    lines = LineCollection(view.project(ends), colors="#b0b0b0", linewidths=0.2)
    return texts, page.ax.add_collection(lines, autolim=False)


def _add_label(page, point, text, style):
    from .fast_text import Label

    plain = {"rotation_mode": "anchor", "clip_on": False, "parse_math": False, "usetex": False}
    if "\n" in text and style["verticalalignment"] == "center_baseline":
        style = style | {"verticalalignment": "center"}  # of both lines, not of the first
    label = Label(*point, text, **(plain | style | page.text_kw))
    label.set_in_layout(False)  # the limits leave room for it, and measuring it is slow
    return page.ax.add_artist(label)


def _write(page, point, text, font, va, **style):
    written = page.ax.text(
        *page.view.project(point), text, fontsize=font, verticalalignment=va,
        horizontalalignment="center", parse_math=False, usetex=False, **style,
    )  # fmt: skip
    # It is within the axes, which must not shrink for it: everything is fitted to them.
    written.set_in_layout(False)
    return written


def _fit_cells(fonts, widths, along, across, along_y):
    """Sizes of the font with which texts fit their cells, and which texts are turned for it.

    `fonts` are the largest sizes; `along` and `across` are the sides of the cells in points.
    """
    room = np.stack([across, along] if along_y else [along, across]) - 2 * NODE_PAD
    widths = np.maximum(widths, 1e-9)
    level = np.minimum(room[0] / widths, room[1] / LINE_HEIGHT)
    turned = np.minimum(room[1] / widths, room[0] / LINE_HEIGHT)
    is_turned = (level < np.minimum(fonts, SMALL_FONT)) & (turned > level)
    fitting = np.minimum(fonts, np.where(is_turned, turned, level))
    return np.maximum(fitting, SMALLEST_FONT), is_turned


def _outwards(page, points):
    """Degrees by which texts at these points are turned outwards, and which of them run inwards."""
    if not page.view.is_radial:
        level = np.zeros(len(points))
        return level if page.view.along_y else level + 90.0, level > 0
    x, y = page.view.project(points).T
    angles = np.degrees(np.arctan2(y, x))
    # On the left, text runs inwards so that it is not upside down.
    over = np.abs(angles) > 90
    return np.where(over, angles + 180, angles), over


def _readable_on(color):
    return "white" if color[:3] @ LUMINANCE < 0.5 else "black"
