"""Arguments, each checked with one clear error: numbers, flags, and what trees are made of."""

import math
import numbers
import operator
import sys
from collections.abc import Mapping, Set
from contextlib import suppress

import numpy as np
from sklearn.utils import check_random_state

from .arrays import as_array, is_missing, ndarray_of, refuse_masked
from .texts import shown

__all__ = [
    "as_choice",
    "as_count",
    "as_flag",
    "as_float_dtype",
    "as_floats",
    "as_index",
    "as_integers",
    "as_number",
    "as_random_state",
    "as_verbosity",
    "check_children",
    "check_counts",
    "check_level",
    "check_levels",
    "check_n_jobs",
    "check_scores",
    "check_support",
    "check_text",
    "check_texts_by_node",
    "check_weights",
    "list_of_names",
]


def check_children(children):
    """Pairs of nodes as intp, which are the merges of one binary tree."""
    refuse_masked("children", children)
    try:
        children = ndarray_of(children)
    except ValueError:  # lists of several lengths
        raise ValueError(f"children must be pairs of nodes, got {shown(children)}.") from None
    if children.shape == (0,):
        children = np.empty((0, 2), dtype=np.intp)
    if children.ndim != 2 or children.shape[1] != 2:
        raise ValueError(f"children must have the shape (n_leaves - 1, 2), got {children.shape}.")
    if children.dtype.kind not in "iuf":
        raise ValueError(f"children must be integers, got {children.dtype}.")
    with np.errstate(invalid="ignore"):  # NaN becomes some integer, and is refused as unequal
        nodes = children.astype(np.intp)
    if not np.array_equal(nodes, children):
        raise ValueError("children must be integers.")
    made = len(nodes) + 1 + np.arange(len(nodes))[:, np.newaxis]
    bad = np.argwhere((nodes < 0) | (nodes >= made))
    if len(bad):
        t = bad[0, 0]
        raise ValueError(f"Merge {t} joins node {nodes[tuple(bad[0])]}, which is not there yet.")
    used = np.bincount(nodes.ravel())
    if (used > 1).any():
        raise ValueError(f"Node {(used > 1).argmax()} is merged more than once.")
    return nodes


def check_scores(scores, n_merges):
    """Scores of the merges as float64."""
    scores = as_floats("scores", scores)
    _check_length("scores", scores, n_merges, "merges")
    _check_finite("scores", scores)
    return scores


def check_support(support, n_merges):
    """Support of the merges as float64, from 0 to 1."""
    support = as_floats("support", support)
    _check_length("support", support, n_merges, "merges")
    outside = ~((support >= 0) & (support <= 1))  # NaN as well
    if outside.any():
        at = int(outside.argmax())
        raise ValueError(f"support[{at}] is {support[at]}, not a share from 0 to 1.")
    return support


def check_counts(counts, n_leaves):
    """Rows of the leaves as int64, or their weights as float64; their sum is a number as well."""
    counts = as_array("counts", counts)
    whole = counts.dtype.kind != "f"
    if not whole:
        counts = as_floats("counts", counts)
    _check_length("counts", counts, n_leaves, "leaves")
    _check_finite("counts", counts)
    if (counts < 0).any():
        raise ValueError(f"counts[{(counts < 0).argmax()}] is negative.")
    largest = np.iinfo(np.int64).max if whole else np.finfo(np.float64).max
    if sum(counts.tolist()) > largest:  # of Python's numbers, which neither wrap nor warn
        raise ValueError(f"counts add up to more than {largest}.")
    return counts.astype(np.int64) if whole else counts


def check_weights(weights, n_rows):
    """Weights of the rows as float64, or None."""
    if weights is None:
        return None
    weights = as_array("sample_weight", weights).astype(np.float64, copy=False)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must have the shape ({n_rows},), one for each row, got {weights.shape}."
        )
    _check_finite("sample_weight", weights)
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise ValueError(f"sample_weight[{row}] is negative: {weights[row]:g}.")
    with np.errstate(over="ignore"):
        if np.isinf(weights.sum()):
            raise ValueError("The sum of sample_weight is too large for float64: scale it down.")
    return weights


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


def check_level(tree, level, name="level"):
    """Level of a tree as an int."""
    level = as_index(name, level)
    if not 1 <= level <= tree.n_leaves:
        raise ValueError(
            f"There is no level {shown(level)}: a tree of {tree.n_leaves} leaves has the levels "
            f"1 to {tree.n_leaves} (the number of groups)."
        )
    return level


def check_levels(tree, levels, name="levels"):
    """Levels of a tree as a list of int."""
    if isinstance(levels, (str, bytes, Mapping, Set)) or not np.iterable(levels):
        raise TypeError(f"{name} must be a sequence of integers, got {shown(levels)}.")
    return [check_level(tree, level, f"{name}[{at}]") for at, level in enumerate(levels)]


def as_index(name, value, *others):
    """Value as an int, or as it is if it is one of the others; a bool is not an integer."""
    if _is_one_of(value, others):
        return value
    if not isinstance(value, (bool, np.bool_)):
        with suppress(TypeError):
            number = operator.index(value)
            if abs(number) <= sys.maxsize:
                return number
            raise ValueError(f"{name} must be an integer of 64 bits, got {shown(value)}.")
    is_word = isinstance(value, str) and any(isinstance(other, str) for other in others)
    error = ValueError if is_word else TypeError
    _refuse(name, ["an integer", *map(repr, others)], value, error)


def as_integers(name, values):
    """Integers as an array, with no dimension for a single one."""
    refuse_masked(name, values)
    try:
        array = ndarray_of(values)
    except ValueError:  # lists of several lengths
        array = None
    if array is not None and array.ndim == 0:
        return np.array(as_index(name, values))
    if array is None or array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer or an array of integers, got {shown(values)}.")
    return array


def as_count(name, value, *others, least=1, most=None):
    """Value as an int between two limits, or as it is if it is one of the others."""
    if _is_one_of(value, others):
        return value
    number = as_index(name, value, *others)
    if most is not None and not least <= number <= most:
        raise ValueError(f"{name} must be {least:,} to {most:,}, got {shown(value)}.")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {shown(value)}.")
    return number


def as_number(name, value, *, may_be_zero=False, most=math.inf):
    """Value as a finite float that is above 0 (or is 0, if it may be) and at most `most`."""
    scalar = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if not isinstance(scalar, numbers.Real) or isinstance(scalar, bool):
        _refuse(name, ["a number"], value)
    try:
        number = float(scalar)
    except OverflowError:  # an int or a fraction may be larger than any float
        number = math.inf
    if not 0 <= number < math.inf or not (number or may_be_zero):
        least = "not negative" if may_be_zero else "above 0"
        raise ValueError(f"{name} must be finite and {least}, got {shown(value)}.")
    if number > most:
        raise ValueError(f"{name} must not be above {most}, got {shown(value)}.")
    return number


def as_flag(name, value, *others):
    """Value as a bool, or as it is if it is one of the others; 0 and "no" are not bools."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if _is_one_of(value, others):
        return value
    error = ValueError if any(isinstance(other, str) for other in others) else TypeError
    _refuse(name, ["True", "False", *map(repr, others)], value, error)


def as_choice(name, value, allowed):
    """Value that is one of the allowed ones, which are texts or None."""
    if not _is_one_of(value, allowed):
        _refuse(name, list(map(repr, allowed)), value, ValueError)
    return value


def check_text(name, value):
    """Value that is a text."""
    if not isinstance(value, str):
        _refuse(name, ["a text"], value)
    return value


def as_verbosity(name, value):
    """Value as an int of at least 0; True is 1."""
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    return as_count(name, value, least=0)


def check_n_jobs(n_jobs):
    """Refuse what is no number of threads."""
    if as_index("n_jobs", n_jobs, None) == 0:
        raise ValueError("n_jobs must not be 0, got 0: None or 1 is one thread, -1 is all cores.")


def as_random_state(random_state):
    """RandomState of a seed, or one that exists already."""
    with suppress(ValueError):
        if not isinstance(random_state, (bool, np.bool_)):
            return check_random_state(random_state)
    kinds = [f"an integer from 0 to {2**32 - 1:,}", "a numpy.random.RandomState", "None"]
    _refuse("random_state", kinds, random_state, ValueError)


def as_float_dtype(name, value):
    """Dtype to compute in, float32 or float64, that a value names."""
    dtype = None
    if value is not None:  # NumPy's None is float64
        with suppress(TypeError, ValueError):
            dtype = np.dtype(value)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"{name} must be float32 or float64, got {shown(value)}.")
    return dtype


def as_floats(name, values):
    """Real numbers as a new array of float64; text is none, even if it could be read as one."""
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is told as that
        return as_array(name, values).astype(np.float64)


def _is_one_of(value, others):
    # Identity and equality of texts alone: arrays have an equality of their own.
    return any(value is other or (isinstance(value, str) and value == other) for other in others)


def _refuse(name, allowed, value, error=TypeError):
    *first, last = allowed
    choice = f"{', '.join(first)} or {last}" if first else last
    raise error(f"{name} must be {choice}, got {shown(value)}.")


def _check_length(name, values, length, what):
    if values.shape != (length,):
        raise ValueError(
            f"{name} must have the shape ({length},), one for each of the {length} {what}, "
            f"got {values.shape}."
        )


def _check_finite(name, values):
    if not np.isfinite(values).all():
        at = int(np.isfinite(values).argmin())
        raise ValueError(f"{name}[{at}] is {values[at]}, not a finite number.")
