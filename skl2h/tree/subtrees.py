"""What is below a node: values of its leaves taken together, their names, and where they stand.

place    of a leaf: where it stands in an order of all leaves, from 0
"""

import numpy as np

from ..exceptions.texts import first_few, printable

__all__ = ["RangeMaximum", "ends_below", "first_places", "some_names", "values_below"]


def values_below(tree, leaf_values, join):
    """Value of each node, (n_nodes,): that of a merge is joined from the values of its children.

    `join` takes two Python numbers, and gives one of the same type.
    """
    values = leaf_values.tolist()
    for left, right in tree.children.tolist():
        values.append(join(values[left], values[right]))
    return np.array(values, dtype=leaf_values.dtype)


def ends_below(tree, places):
    """First and last place of the leaves below each node, two arrays (n_nodes,).

    Leaf i stands at ``places[i]``. The leaves below a node stand side by side if there are as
    many of them as places from the first to the last.
    """
    return values_below(tree, places, min), values_below(tree, places, max)


def first_places(tree):
    """First place of the leaves below each node, (n_nodes,), where no branches cross.

    The leaves below the first child of a merge stand before those below the second.
    """
    places, sizes = [0] * tree.n_nodes, tree.sizes.tolist()
    node = tree.n_nodes
    for left, right in tree.children[::-1].tolist():
        node -= 1
        places[left] = places[node]
        places[right] = places[node] + sizes[left]
    return np.array(places, dtype=np.intp)


def some_names(tree, node, most=10):
    """Names of the leaves below a node, and how many more there are."""
    return first_few([tree.names[leaf] for leaf in tree.members(node)], most, printable)


class RangeMaximum:
    """Array of n integers, of which the largest between any two places can be asked for.

    Parameters
    ----------
    values : ndarray of shape (n,), dtype=intp
    """

    def __init__(self, values):
        # Line p: the largest of the 2**p values from each place on.
        table = [values]
        for power in range(len(values).bit_length() - 1):
            ahead = np.roll(table[-1], -(1 << power))  # past the end, where nobody looks
            table.append(np.maximum(table[-1], ahead))
        self.table = np.array(table)

    def between(self, first, last):
        """Largest of the values from `first` up to, not including, a larger `last`."""
        # Two stretches of a power of two, which may overlap, hold them all.
        power = np.frexp(np.maximum(last - first, 1))[1] - 1
        return np.maximum(self.table[power, first], self.table[power, last - (1 << power)])
