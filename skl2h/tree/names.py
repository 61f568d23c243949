"""Names of leaves, and texts for nodes."""

from collections import Counter
from collections.abc import Mapping, Set

import numpy as np

from ..exceptions.arrays import is_missing
from ..exceptions.texts import first_difference, first_few, printable, shown

__all__ = ["check_order", "check_texts_by_node", "list_of_names", "some_names"]


def list_of_names(names, what="names"):
    """Names in their order as a list of str."""
    if isinstance(names, Set):
        raise TypeError(f"{what} must be in the order of the leaves, which a set does not have.")
    is_bytes = isinstance(names, (bytes, bytearray, memoryview))
    if not np.iterable(names) or getattr(names, "ndim", 1) != 1 or is_bytes:
        raise TypeError(f"{what} must be one sequence of texts, got {shown(names)}.")
    names = list(names)
    missing = list(map(is_missing, names))
    if any(missing):
        at = missing.index(True)
        raise ValueError(
            f"{what}[{at}] is {shown(names[at])}, which is not a name: give a text, which may be "
            "empty."
        )
    return list(map(str, names))


def check_texts_by_node(name, texts):
    """Texts {node: text} as a dict of str; a Series has the nodes as its index."""
    if not isinstance(texts, Mapping) and not hasattr(texts, "iloc"):
        raise TypeError(f"{name} must be a dict {{node: text}}, got {shown(texts)}.")
    for node, text in texts.items():
        if is_missing(text):
            raise ValueError(f"{name}[{shown(node)}] is {shown(text)}, which is not a text.")
    return {node: str(text) for node, text in texts.items()}


def some_names(tree, node, most=10):
    """Names of the leaves below a node, and how many more there are."""
    return first_few([tree.names[leaf] for leaf in tree.members(node)], most, printable)


def check_order(tree, columns):
    """Refuse columns that are the leaves by name, but in another order."""
    columns = tuple(columns)
    if columns != tree.names and Counter(columns) == Counter(tree.names):
        at, column, leaf = first_difference(columns, tree.names)
        raise ValueError(
            f"The columns of the logits are the leaves in another order: column {at} is "
            f"{column}, and leaf {at} {leaf}. Give them in the order of tree.names, or as an "
            "array without labels if they are in this order already."
        )
