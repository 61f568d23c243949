"""Texts of leaves, merges and groups in a picture. Those at tips have up to two lines."""

import operator
from itertools import chain
from typing import NamedTuple
from unicodedata import bidirectional

import numpy as np

from ..exceptions.texts import cut_middle, printable, shown
from ..tree.tree_of import support_of

__all__ = [
    "LONGEST_NAME",
    "NEVER_CUT",
    "Labels",
    "cut_long",
    "group_captions",
    "measured",
    "node_captions",
    "on_one_line",
    "one_line",
    "only_labelled",
    "tip_captions",
]

# A name up to the first length is never cut; where room is short, none is longer than the second.
NEVER_CUT, LONGEST_NAME = 12, 60


class Labels(NamedTuple):
    """Captions of the tips as they are written.

    Attributes
    ----------
    captions : list of (str, str)
        Name of each tip, which may be cut, and what follows it; empty for no labels.
    texts : list of str
        Name and what follows it in one text, which has up to two lines.
    widths : ndarray of shape (n_tips,), dtype=float64
        Width of the longest line of each text in a font of size 1; [0] for no labels.
    n_lines : int
        Largest number of lines of a text.
    """

    captions: list
    texts: list
    widths: np.ndarray
    n_lines: int


def measured(captions, text_kw):
    """Labels of these captions in the font of a style."""
    from .fast_text import text_widths

    texts = [name + rest for name, rest in captions]
    lines = [text.split("\n") for text in texts]
    n_lines = [len(of_text) for of_text in lines] or [1]
    widths = text_widths(list(chain(*lines)), text_kw) if lines else np.zeros(1)
    longest = np.maximum.reduceat(widths, np.cumsum([0, *n_lines[:-1]]))
    return Labels(captions, texts, longest, max(n_lines))


def tip_captions(tree, layout, show_counts, node_labels=False):
    """Caption (name, what follows it) of each tip, from the first place to the last.

    The name of a collapsed merge is its label, if it has a label; the number of its leaves follows
    on a second line. Only names may be cut.
    """
    tips = layout.tips.tolist()
    labels = node_captions(tree, [node for node in tips if node >= tree.n_leaves], node_labels)
    captions = []
    for node in tips:
        is_leaf = node < tree.n_leaves
        rows = ""
        if tree.counts is not None and (show_counts or not is_leaf):
            count = tree.node_counts[node]
            number = f"{count:,}" if isinstance(count, np.integer) else f"{count:,.6g}"
            rows = "1 row" if count == 1 else f"{number} rows"
        if is_leaf:
            name = printable(tree.names[node])
            captions.append((_in_order(name), f" ({rows})") if rows else (name, ""))
        else:
            leaves = f"{tree.sizes[node]:,} leaves"
            leaves = f"{leaves}, {rows}" if rows else leaves
            name = _in_order(labels.get(node, ""))
            captions.append((name, f"\n{leaves}") if name else ("", leaves))
    return captions


def only_labelled(tree, layout, captions):
    """Captions with empty ones for leaves and for merges without a label; [] if all are empty."""
    kept = [
        caption if node >= tree.n_leaves and caption[0] else ("", "")
        for node, caption in zip(layout.tips.tolist(), captions)
    ]
    return kept if any(name for name, _ in kept) else []


def cut_long(captions, most=LONGEST_NAME):
    """Captions (name, what follows it) with names of `most` characters at most.

    Names more than twice as long as the median are cut as well.
    """
    lengths = [len(name) for name, _ in captions if name] or [0]
    most = min(most, max(NEVER_CUT, int(2 * np.median(lengths))))
    return [(cut_middle(name, most), rest) for name, rest in captions]


def on_one_line(captions):
    """Captions with the second line in brackets behind the first."""
    return [(name, f" ({rest[1:]})" if rest.startswith("\n") else rest) for name, rest in captions]


def node_captions(tree, merges, node_labels):
    """Labels {node: text} of those of these merges that have a label."""
    if isinstance(node_labels, (bool, np.bool_)):
        return {merge: str(merge) for merge in merges} if node_labels else {}
    if isinstance(node_labels, str):
        support = support_of(tree)
        return {merge: f"{support[merge - tree.n_leaves]:.2f}" for merge in merges}
    for node in node_labels:
        if not tree.n_leaves <= operator.index(node) < tree.n_nodes:
            raise ValueError(
                f"node_labels names {shown(node)}, but the merges are {tree.n_leaves} to "
                f"{tree.n_nodes - 1}."
            )
    return {node: one_line(str(node_labels[node])) for node in merges if node in node_labels}


def group_captions(tree, groups, level):
    """Text of each group in a legend: its number, and the name of its leaf or how many it has."""
    first = np.unique(groups, return_index=True)[1]
    sizes = np.bincount(groups, minlength=level)
    return [
        f"{group}: {_in_order(one_line(tree.names[leaf])) if size == 1 else f'{size:,} leaves'}"
        for group, (leaf, size) in enumerate(zip(first, sizes))
    ]


def one_line(name):
    """Name on one line, of `LONGEST_NAME` characters at most."""
    return cut_middle(printable(name), LONGEST_NAME)


def _in_order(name):
    """Name after which a text still runs from left to right, also if the name itself does not."""
    turns = any(bidirectional(character) in ("R", "AL") for character in name)
    # Not isolates, which old versions of matplotlib draw as boxes.
    return f"\u200e{name}\u200e" if turns else name
