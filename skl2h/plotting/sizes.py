"""How large a picture and its labels are: arrays in, numbers out, nothing is drawn.

Lengths are in points, 1/72 of an inch. Widths of labels are those in a font of size 1.
"""

import math
from typing import NamedTuple

import numpy as np

from ..exceptions.texts import cut_middle
from .layout import places_around, radial

__all__ = [
    "LABEL_GAP",
    "LARGEST_PAGE",
    "LINE_HEIGHT",
    "LONGEST_NAME",
    "NEVER_CUT",
    "SMALLEST_FONT",
    "SMALL_FONT",
    "TILE",
    "TILE_GAP",
    "Fit",
    "cut_long",
    "fit_radial",
    "fit_rectangular",
    "on_one_line",
    "radial_side",
    "rectangular_size",
]

# Labels smaller than this cannot be read, and are not drawn.
SMALLEST_FONT = 2.0

# Below this, the labels of a radial tree stand in two rings, so that each has twice the room, and
# labels that are much longer than most are cut.
SMALL_FONT = 6.0

# Height of a line of text, for a font of size 1.
LINE_HEIGHT = 1.2

# What labels may take of the picture, across.
MOST_OF_LABELS = 0.55

# Coloured tile of a tip, the gaps on its inner and outer side, and one between labels in line.
TILE, TILE_GAP, LABEL_GAP, RING_GAP = 6.0, 2.0, 3.0, 4.0

# Half a line, at the rim of a radial tree.
RIM = 2.0

# Inches of a page, and of the largest one, the width of A2: a radial tree outgrows the first as
# far as its labels would be small there.
SMALLEST_PAGE, PAGE, LARGEST_PAGE = 5.0, 11.0, 16.5

# Characters of a name that are never cut, and most of them where room is short.
NEVER_CUT, LONGEST_NAME = 12, 60


class Fit(NamedTuple):
    """Sizes with which a tree and its labels fill a box.

    Attributes
    ----------
    font : float
        Size of the labels.
    room : float
        From the leaves to the root; the radius of a radial tree.
    turned : bool
        Whether labels below or above a tree stand on their ends.
    n_rings : int
        Circles around a radial tree that labels start from: neighbours start from different ones.
    step : float
        From one such circle to the next.
    """

    font: float
    room: float
    turned: bool = False
    n_rings: int = 1
    step: float = 0.0


def fit_radial(layout, widths, n_lines, box, inset, largest, font=None):
    """Sizes of a radial tree in a box (width, height), with labels of so many lines at most.

    `inset` is what stands between the leaves and their labels, `largest` the largest font, and
    `font` one to take instead of what fits.
    """
    halves = np.asarray(box) / 2 - RIM
    with np.errstate(divide="ignore"):
        space = (halves / _directions(layout)).min(axis=1)
    fitting = []
    for n_rings in (1, 2):
        reach, gaps = _reach(widths, n_rings)
        # Labels from the circle r on have a font of line * r, and end at r + gaps + reach * font.
        line = n_rings * _line(layout) / n_lines
        fits = (line * (space - gaps) / (1 + line * reach)).min()
        fitting.append(min(fits, MOST_OF_LABELS * halves.min() / max(reach.max(), 1e-9)))
    n_rings = 1 if fitting[0] >= min(SMALL_FONT, fitting[1]) else 2
    if font is None:
        font = max(min(fitting[n_rings - 1], largest), 0.0)
    reach, gaps = _reach(widths, n_rings)
    radius = max((space - gaps - reach * font).min() - inset, halves.min() / 4)
    step = widths[::n_rings].max() * font + RING_GAP
    return Fit(float(font), float(radius), n_rings=n_rings, step=float(step))


def fit_rectangular(n_tips, longest, n_lines, box, inset, largest, along_y, font=None):
    """Sizes of a tree of any other layout in a box (along the leaves, across)."""
    along, across = box
    line = along / n_tips
    # Below a tree, labels are turned unless they fit side by side.
    turned = not along_y and 1.1 * longest * SMALL_FONT > line
    thick = n_lines * LINE_HEIGHT
    outwards = longest if along_y or turned else thick
    if font is None:
        beside = thick if along_y or turned else 1.1 * longest
        most = MOST_OF_LABELS * across / max(longest, 1e-9) if along_y or turned else largest
        font = min(largest, line / max(beside, 1e-9), most)
    room = max(across - inset - outwards * font, across / 4)
    return Fit(float(font), float(room), turned=turned)


def radial_side(layout, widths, n_lines, largest):
    """Inches of the square for a radial tree with labels of the largest font that can be had."""

    def side(font, n_rings):
        reach, gaps = _reach(widths, n_rings)
        ends = font * n_lines / (n_rings * _line(layout)) + gaps + reach * font
        return 2 * float((ends * _directions(layout).max(axis=1)).max() + RIM) / 72

    side = max(min(side(largest, 1), PAGE), min(side(SMALL_FONT, 2), LARGEST_PAGE))
    return max(side, SMALLEST_PAGE)


def rectangular_size(n_tips, longest, n_lines, largest, along_y):
    """Inches across and upwards for a tree of any other layout."""
    across = 4.0 + min(longest * largest / 72, 3.0)
    line = (LINE_HEIGHT * n_lines + 0.3) * largest
    along = float(np.clip(n_tips * line / 72 + 0.6, 2.5, 16.0))
    return (across + 1.0, along) if along_y else (max(along, 4.0), across)


def cut_long(captions, most=LONGEST_NAME):
    """Captions (name, what follows it) with names cut to some characters at most.

    Names more than twice as long as the median are cut as well.
    """
    lengths = [len(name) for name, _ in captions if name] or [0]
    most = min(most, max(NEVER_CUT, int(2 * np.median(lengths))))
    return [(cut_middle(name, most), rest) for name, rest in captions]


def on_one_line(captions):
    """Captions with what stands below a name beside it, in brackets."""
    return [(name, f" ({rest[1:]})" if rest.startswith("\n") else rest) for name, rest in captions]


def _line(layout):
    """Largest font for lines of text on a circle of radius 1."""
    return 2 * math.pi / places_around(layout) / LINE_HEIGHT


def _directions(layout):
    """How far each tip of a radial tree is to the side and up, absolute, (n_tips, 2)."""
    places = np.arange(len(layout.tips))
    return np.abs(radial(np.column_stack([places, np.full(len(places), layout.base)]), layout))


def _reach(widths, n_rings):
    """From the first circle of labels to the end of each: times the font, and besides it."""
    rings = np.arange(len(widths)) % n_rings
    return widths + rings * widths[::n_rings].max(), rings * RING_GAP
