"""A small still picture of a tree, for a notebook: one element of SVG.

tip     the end of a line of the picture: a leaf, or a group whose leaves are not shown one by one

The picture has no script, no style sheet and no identifier, so a page can hold any number of
pictures. Text and lines take the colour of the text around them.
"""

import re
from html import escape
from unicodedata import east_asian_width

import numpy as np

from ..exceptions.texts import NONCHARACTERS, printable
from .heights import has_heights
from .palette import group_colors

__all__ = ["as_text", "picture_of"]

MAX_TIPS = 24
MAX_LETTERS = 64

# In pixels: one tip, the lines, room for the text beside them, and the margin.
_ROW, _LINES, _TEXT, _MARGIN = 20, 260, 480, 8

# HTML reads numeric references from 80 to 9f as letters of the Windows code page.
_NOT_HELD = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x80-\x9f\ud800-\udfff{NONCHARACTERS}]")


def _tree_svg(tree, level):
    """Picture of a tree from its root, on the left, to at most `MAX_TIPS` tips.

    The groups of the cut at `level` have their colours; what is above them is grey. Where a merge
    stands is said by its height above the highest merge that is not shown, if the tree has heights,
    and otherwise by its number. Returns the text of an ``<svg>`` element, of ASCII characters only.
    """
    n_tips = min(tree.n_leaves, MAX_TIPS)
    above = 2 * tree.n_leaves - n_tips  # from here on nodes are merges of tips
    tips = np.flatnonzero((tree.parents[:above] >= above) | (tree.parents[:above] < 0))
    tips = tips[tree.starts[tips].argsort()]

    color_of = _colors(tree, level)
    y = dict(zip(tips.tolist(), _MARGIN + _ROW * (np.arange(n_tips) + 0.5)))
    x = dict.fromkeys(y, _MARGIN + _LINES)
    lines, texts = [], []
    below_root = _depths(tree, above, n_tips)
    for node, (first, last) in enumerate(tree.children[above - tree.n_leaves :].tolist(), above):
        y[node] = (y[first] + y[last]) / 2
        x[node] = _MARGIN + _LINES * below_root[node - above]
        for child in (first, last):
            path = f"M{x[node]:.1f} {y[node]:.1f}V{y[child]:.1f}H{x[child]:.1f}"
            lines.append(f'<path d="{path}" stroke="{color_of(child)}"/>')
    for tip in tips.tolist():
        color = color_of(tip)
        if tip < tree.n_leaves:
            mark = f'<circle cx="{x[tip]}" cy="{y[tip]}" r="3.5" fill="{color}" stroke="none"/>'
        else:
            corners = f"{x[tip] - 4},{y[tip]} {x[tip] + 10},{y[tip] - 7} {x[tip] + 10},{y[tip] + 7}"
            mark = f'<polygon points="{corners}" fill="{color}" stroke="none"/>'
        lines.append(mark)
        text = _text(tree, tip)
        texts.append(f'<text x="{x[tip] + 16}" y="{y[tip] + 4}">{text}</text>')

    width, height = _LINES + _TEXT + 2 * _MARGIN, _ROW * n_tips + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="Tree of {tree.n_leaves} leaves">'
        f'<g fill="none" stroke-width="1.6">{"".join(lines)}</g>'
        f'<g fill="currentColor" font-family="sans-serif" font-size="12">{"".join(texts)}</g>'
        "</svg>"
    )


def _depths(tree, above, n_tips):
    """How far each merge shown is below the root, as a part of the way to the tips."""
    if not has_heights(tree):
        return np.arange(n_tips - 1)[::-1] / n_tips
    hidden, shown = np.split(tree.scores, [above - tree.n_leaves])
    top, floor = shown.max(), hidden.max(initial=0.0)
    if not floor < top:
        floor = 0.0
    return (top - np.maximum(shown, floor)) / (top - floor)


def _colors(tree, level):
    """Colour of a node at or above the tips, as a function of it."""
    groups, colors = tree.cut(level), group_colors(level)
    cut = 2 * tree.n_leaves - level  # nodes from here on are above the groups

    def color_of(node):
        return "#8c959f" if node >= cut else colors[groups[tree.leaf_order[tree.starts[node]]]]

    return color_of


def _text(tree, tip):
    leaves = tree.leaf_order[tree.starts[tip] :][: min(tree.sizes[tip], MAX_LETTERS // 2)]
    rows = ""
    if tree.counts is not None:
        rows = f" ({tree.node_counts[tip]:,.12g})"
    names = ", ".join(printable(tree.names[leaf]) for leaf in leaves)
    if tip < tree.n_leaves:
        return as_text(_fitted(names, MAX_LETTERS) + rows)
    size = f"{tree.sizes[tip]:,} leaves{rows}: "
    names = as_text(_fitted(names, MAX_LETTERS - len(size)))
    return f'<tspan opacity="0.7">{size}</tspan>{names}'


def _fitted(text, n_letters):
    """Text shortened to the width of `n_letters`, with a writing direction of its own."""
    # Letters that are as wide as high, such as Chinese ones, take the place of two.
    ends = np.cumsum([1 + (east_asian_width(char) in "WF") for char in text[: n_letters + 1]])
    if ends[-1] > n_letters:
        text = text[: np.searchsorted(ends, n_letters - 1, side="right")] + "\u2026"
    return text if text.isascii() else f"\u2068{text}\u2069"


def as_text(text):
    """Text as ASCII markup, in HTML and in XML; U+FFFD for what neither can hold."""
    held = _NOT_HELD.sub("\ufffd", text)
    return escape(held).encode("ascii", "xmlcharrefreplace").decode()


def picture_of(tree, level):
    """Element of HTML that shows a tree, coloured by the groups of a level."""
    caption = [repr(tree)]
    if tree.counts is not None:
        caption.append(f"{tree.node_counts[-1]:,.12g} rows (in brackets: of each line)")
    if 1 < level < tree.n_leaves:
        caption.append(f"coloured by its {level} groups")
    caption, picture = ", ".join(caption), _tree_svg(tree, level)
    return f'<div style="overflow-x: auto"><div>{caption}</div>{picture}</div>'
