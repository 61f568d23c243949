"""What a picture says of leaves, merges and groups: texts of one line, or two at a tip."""

import operator
from unicodedata import bidirectional

import numpy as np

from ..exceptions.texts import cut_middle, printable, shown
from ..tree.tree_of import support_of
from .sizes import LONGEST_NAME

__all__ = ["group_captions", "node_captions", "one_line", "only_labelled", "tip_captions"]


def tip_captions(tree, layout, show_counts, node_labels=False):
    """Caption (name, what follows it) of each tip, from the first place to the last.

    The name of a collapsed merge is its label, if it has one, and its leaves are on a line below.
    Only names may be cut.
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
    """Captions of tips without those of leaves and of merges that have no label, if any are left.

    A tip without a caption has an empty one.
    """
    kept = [
        caption if node >= tree.n_leaves and caption[0] else ("", "")
        for node, caption in zip(layout.tips.tolist(), captions)
    ]
    return kept if any(name for name, _ in kept) else []


def node_captions(tree, merges, node_labels):
    """Labels {node: text} of some merges."""
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
    """What a legend says of each group: its number, and how many leaves, or which one."""
    first = np.unique(groups, return_index=True)[1]
    sizes = np.bincount(groups, minlength=level)
    return [
        f"{group}: {_in_order(one_line(tree.names[leaf])) if size == 1 else f'{size:,} leaves'}"
        for group, (leaf, size) in enumerate(zip(first, sizes))
    ]


def one_line(name):
    """Name as one piece of text on one line, not too long."""
    return cut_middle(printable(name), LONGEST_NAME)


def _in_order(name):
    """Name that does not turn what stands beside it, though it be written from right to left."""
    turns = any(bidirectional(character) in ("R", "AL") for character in name)
    # Marks, as old versions of matplotlib draw a box for an isolate.
    return f"\u200e{name}\u200e" if turns else name
