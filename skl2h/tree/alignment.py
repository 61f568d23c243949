"""Values with keys, put in the order of the leaves or of the merges.

keys    the keys of a mapping, or the index of a Series or DataFrame
names   what leaves are called, in their order; a merge is called by its node number

A text is the name of a leaf. A whole number is the number of a leaf, or its name where names are
whole numbers and the keys would not be numbers of leaves, as with the classes 1, 2 and 3.
"""

from collections import Counter
from collections.abc import Mapping
from numbers import Integral

import numpy as np

from ..exceptions.arrays import as_sequence
from ..exceptions.texts import first_few, shown
from .checks import check_names

__all__ = ["in_order", "matrix_in_order", "names_in_order"]


def in_order(what, values, names, of="leaves"):
    """Values in the order of the names; values without keys stay as they are.

    The index 0, 1, 2, ... that pandas gives by itself stands for the order of the leaves, unless
    these are named by the same numbers in another order.

    Raises
    ------
    ValueError
        If the keys are not those of all leaves, or do not say which leaf they mean.
    """
    keys = _keys_of(values)
    if keys is None:
        return as_sequence(values)
    names = tuple(names)
    if isinstance(values, Mapping):
        of_place = dict(zip(_all_places(what, keys, names, of, "keys", ""), values.values()))
        return [of_place[place] for place in range(len(names))]
    places = _places_of_labels(what, keys, names, of, "index", f"{what}.sort_index()")
    return values if places is None else values.iloc[places]


def matrix_in_order(what, matrix, names):
    """A matrix of leaves by leaves with both sides of a DataFrame in the order of the names."""
    if getattr(matrix, "ndim", None) != 2 or _keys_of(matrix) is None:
        return matrix
    matrix = in_order(what, matrix, names)
    labels = matrix.columns.tolist()
    sort = f"{what}.sort_index(axis=1)"
    places = _places_of_labels(what, labels, tuple(names), "leaves", "columns", sort)
    return matrix if places is None else matrix.iloc[:, places]


def names_in_order(names, old):
    """Names of all leaves as a list: new names in the order of the old.

    A mapping renames only the leaves that its keys name or number.
    """
    if not isinstance(names, Mapping):
        return check_names(in_order("names", names, old))
    old = list(old)
    places = _places("names", list(names), old, "leaves")
    unknown = [key for key, place in zip(names, places) if place is None]
    if unknown:
        raise ValueError(
            f"names renames {first_few(unknown)}, but no leaf has such a name or number: the "
            f"leaves are {first_few(old)}."
        )
    for place, name in zip(places, names.values()):
        old[place] = name
    return check_names(old)


def _keys_of(values):
    if isinstance(values, Mapping):
        return list(values)
    index = getattr(values, "index", None) if hasattr(values, "iloc") else None
    return index.tolist() if hasattr(index, "tolist") else None


def _places_of_labels(what, labels, names, of, side, sort):
    """Where each name stands among the labels of one side; None if these number them in order."""
    called = "names of the leaves, as texts" if of == "leaves" else "node numbers of the merges"
    remedy = (
        f" Set its {side} to the {called}, or give {what}.to_numpy() if it is in the order of "
        f"the {of}."
    )
    # This comes first: numbers in order may also be names in another order.
    places = _all_places(what, labels, names, of, side, remedy)
    numbers = [label for label in labels if _is_integer(label)]
    if len(labels) == len(numbers) and sorted(numbers) == list(range(len(names))):
        if numbers == sorted(numbers):
            return None
        # They may be the index of rows that were shuffled before the tree was built.
        raise ValueError(
            f"In the {side} of {what}, 0 to {len(names) - 1} stand in another order, and do not "
            f"say what they number. Give {sort} if they number the {of}.{remedy}"
        )
    return np.argsort(places)


def _all_places(what, keys, names, of, kind, remedy):
    """Place of each key; an error unless the keys are those of all leaves."""
    places = _places(what, keys, names, of, remedy)
    found = set(places)
    missing = [name for place, name in enumerate(names) if place not in found]
    unknown = [key for key, place in zip(keys, places) if place is None]
    if missing or unknown:
        faults = [f"lacks {first_few(missing)}"] if missing else []
        faults += [f"holds {first_few(unknown)}, which the tree does not have"] if unknown else []
        raise ValueError(
            f"The {kind} of {what} must name all {len(names)} {of}, but "
            f"{' and '.join(faults)}.{remedy}"
        )
    return places


def _places(what, keys, names, of, remedy=""):
    """Place of each key among the names; None for a key that is not a name."""
    place_of = {name: place for place, name in enumerate(names)}
    twice = set()
    if len(place_of) < len(names):
        twice = {name for name, times in Counter(names).items() if times > 1}
    n_numbers = sum(_is_integer(key) and 0 <= key < len(names) for key in keys)
    n_names = sum(_is_integer(key) and str(key) in place_of for key in keys)
    n_integers = sum(map(_is_integer, keys))
    places, key_at = [], {}
    for key in keys:
        name = str(key)
        place = place_of.get(name)
        if _is_integer(key) and n_numbers >= n_names:
            if n_numbers == n_names == n_integers and (place != key or name in twice):
                raise ValueError(
                    f"{what} has the key {shown(key)}, which is the number of the leaf "
                    f"{shown(names[key])} and the name of another: give names as texts, "
                    f"{shown(name)}.{remedy}"
                )
            place = int(key) if 0 <= key < len(names) else None
        elif name in twice:
            raise ValueError(
                f"Two {of} are named {shown(name)}, so that {what} cannot be told apart by name: "
                "give a list in the order of the leaves, or give the leaves other names first."
            )
        if place is not None and place in key_at:
            raise ValueError(
                f"{what} has two entries for {shown(names[place])}: "
                f"{first_few([key_at[place], key])}."
            )
        key_at[place] = key
        places.append(place)
    return places


def _is_integer(key):
    return isinstance(key, Integral) and not isinstance(key, bool)
