"""How large a picture and its labels are: arrays in, numbers out, nothing is drawn.

Lengths are in points, 1/72 of an inch. Widths of labels are those in a font of size 1.
"""

import math
from typing import NamedTuple

import numpy as np

__all__ = [
    "LABEL_GAP",
    "LARGEST_PAGE",
    "LINE_HEIGHT",
    "SMALLEST_FONT",
    "SMALL_FONT",
    "TILE",
    "TILE_GAP",
    "Fit",
    "figure_size",
    "fit",
]

# Labels smaller than this cannot be read, and are not drawn.
SMALLEST_FONT = 2.0

# Below this, the labels of a radial tree stand in two rings, so that each has twice the room, and
# labels that are much longer than most are cut.
SMALL_FONT = 6.0

# Height of a line of text, for a font of size 1.
LINE_HEIGHT = 1.2

# Largest share of the picture that labels may take, across.
MOST_OF_LABELS = 0.55

# Width of the coloured tile of a tip, the gaps on its inner and outer side, and the gap between two
# labels that stand behind each other.
TILE, TILE_GAP, LABEL_GAP, RING_GAP = 6.0, 2.0, 3.0, 4.0

# Room for half a line of text at the rim of a radial tree.
RIM = 2.0

# Sides of figures for radial trees in inches: the smallest, the usual largest, and the largest if
# labels would be small otherwise, the width of A2.
SMALLEST_PAGE, PAGE, LARGEST_PAGE = 5.0, 11.0, 16.5


class Fit(NamedTuple):
    """Sizes with which a tree and its labels fill a box.

    Attributes
    ----------
    font : float
        Size of the labels.
    room : float
        Distance from the leaves to the root; the radius of a radial tree.
    turned : bool
        Whether labels below or above a tree stand on their ends.
    n_rings : int
        Number of circles around a radial tree from which labels start, neighbours in turn.
    step : float
        Distance between these circles.
    """

    font: float
    room: float
    turned: bool = False
    n_rings: int = 1
    step: float = 0.0


def fit(view, labels, box, inset, largest, font=None):
    """Sizes of a tree with labels in a box (width, height).

    Parameters
    ----------
    view : View
    labels : Labels
    box : ndarray of shape (2,)
    inset : float
        Distance between the leaves and their labels.
    largest : float
        Largest size of the font.
    font : float, default=None
        Size of the font to take instead of the one that fits.

    Returns
    -------
    sizes : Fit
    """
    return (_fit_radial if view.is_radial else _fit_rectangular)(
        view, labels, box, inset, largest, font
    )


def figure_size(view, labels, largest):
    """Width and height in inches of a figure for a tree, up to what fits a page.

    Its labels have the largest size of the font, or the largest that can be had.
    """
    if view.is_radial:

        def side(font, n_rings):
            reach, gaps = _reach(labels.widths, n_rings)
            ends = font * labels.n_lines / (n_rings * _line(view)) + gaps + reach * font
            return 2 * float((ends * _directions(view).max(axis=1)).max() + RIM) / 72

        wanted = max(min(side(largest, 1), PAGE), min(side(SMALL_FONT, 2), LARGEST_PAGE))
        return (max(wanted, SMALLEST_PAGE),) * 2
    across = 4.0 + min(labels.widths.max() * largest / 72, 3.0)
    line = (LINE_HEIGHT * labels.n_lines + 0.3) * largest
    along = float(np.clip(view.n_tips * line / 72 + 0.6, 2.5, 16.0))
    return (across + 1.0, along) if view.along_y else (max(along, 4.0), across)


def _fit_radial(view, labels, box, inset, largest, font):
    widths = labels.widths
    halves = np.asarray(box) / 2 - RIM
    with np.errstate(divide="ignore"):
        space = (halves / _directions(view)).min(axis=1)
    fitting = []
    for n_rings in (1, 2):
        reach, gaps = _reach(widths, n_rings)
        # Labels from the circle r on have a font of line * r, and end at r + gaps + reach * font.
        line = n_rings * _line(view) / labels.n_lines
        fits = (line * (space - gaps) / (1 + line * reach)).min()
        fitting.append(min(fits, MOST_OF_LABELS * halves.min() / max(reach.max(), 1e-9)))
    n_rings = 1 if fitting[0] >= min(SMALL_FONT, fitting[1]) else 2
    if font is None:
        font = max(min(fitting[n_rings - 1], largest), 0.0)
    reach, gaps = _reach(widths, n_rings)
    radius = max((space - gaps - reach * font).min() - inset, halves.min() / 4)
    step = widths[::n_rings].max() * font + RING_GAP
    return Fit(float(font), float(radius), n_rings=n_rings, step=float(step))


def _fit_rectangular(view, labels, box, inset, largest, font):
    along, across = box[::-1] if view.along_y else box
    line, longest = along / view.n_tips, labels.widths.max()
    # Below a tree, labels are turned unless they fit side by side.
    turned = not view.along_y and 1.1 * longest * SMALL_FONT > line
    thick = labels.n_lines * LINE_HEIGHT
    lengthwise = view.along_y or turned
    if font is None:
        beside = thick if lengthwise else 1.1 * longest
        most = MOST_OF_LABELS * across / max(longest, 1e-9) if lengthwise else largest
        font = min(largest, line / max(beside, 1e-9), most)
    room = max(across - inset - (longest if lengthwise else thick) * font, across / 4)
    return Fit(float(font), float(room), turned=turned)


def _line(view):
    """Largest font for lines of text on a circle of radius 1."""
    return 2 * math.pi / view.n_places / LINE_HEIGHT


def _directions(view):
    """How far each tip of a radial tree is to the side and up, absolute, (n_tips, 2)."""
    places = np.arange(view.n_tips)
    points = np.column_stack([places, np.full(len(places), view.layout.base)])
    return np.abs(view.project(points))


def _reach(widths, n_rings):
    """Distance from the first circle to the end of each label, in two parts.

    The first is to be multiplied by the size of the font, the second is to be added.
    """
    rings = np.arange(len(widths)) % n_rings
    return widths + rings * widths[::n_rings].max(), rings * RING_GAP
