"""Arguments, each checked with one clear error: numbers, flags, texts and weights."""

import math
import numbers
import operator
import sys
from contextlib import suppress

import numpy as np
from sklearn.utils import check_random_state

from .arrays import as_array, ndarray_of, refuse_masked
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
    "check_finite",
    "check_n_jobs",
    "check_text",
    "check_weights",
]


def check_weights(weights, n_rows, first=0):
    """Weights of the rows as float64, or None; errors number the rows from `first`."""
    if weights is None:
        return None
    weights = as_array("sample_weight", weights).astype(np.float64, copy=False)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must have the shape ({n_rows},), one for each row, got {weights.shape}."
        )
    check_finite("sample_weight", weights, first)
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise ValueError(f"sample_weight[{first + row}] is negative: {weights[row]:g}.")
    with np.errstate(over="ignore"):
        if np.isinf(weights.sum()):
            raise ValueError("The sum of sample_weight is too large for float64: scale it down.")
    return weights


def as_index(name, value, *others):
    """Value as an int, or as it is if it is among `others`; a bool is not an integer."""
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
    """Integers as an array; a single integer becomes an array without dimensions."""
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
    """Value as an int from `least` to `most`, or as it is if it is among `others`."""
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
    """Value as a bool, or as it is if it is among `others`; 0 and "no" are not bools."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if _is_one_of(value, others):
        return value
    error = ValueError if any(isinstance(other, str) for other in others) else TypeError
    _refuse(name, ["True", "False", *map(repr, others)], value, error)


def as_choice(name, value, allowed):
    """Value that is among the allowed values, which are texts or None."""
    if not _is_one_of(value, allowed):
        _refuse(name, list(map(repr, allowed)), value, ValueError)
    return value


def check_finite(name, values, first=0):
    """Refuse an array of numbers in which one is not finite; they are numbered from `first`."""
    if not np.isfinite(values).all():
        at = int(np.isfinite(values).argmin())
        raise ValueError(f"{name}[{first + at}] is {values[at]}, not a finite number.")


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
    """Number of threads as an int other than 0, or None."""
    n_jobs = as_index("n_jobs", n_jobs, None)
    if n_jobs == 0:
        raise ValueError("n_jobs must not be 0, got 0: None or 1 is one thread, -1 is all cores.")
    return n_jobs


def as_random_state(random_state):
    """RandomState of a seed, or the given RandomState."""
    with suppress(ValueError):
        if not isinstance(random_state, (bool, np.bool_)):
            return check_random_state(random_state)
    kinds = [f"an integer from 0 to {2**32 - 1:,}", "a numpy.random.RandomState", "None"]
    _refuse("random_state", kinds, random_state, ValueError)


def as_float_dtype(name, value):
    """Dtype float32 or float64, from its name or itself."""
    dtype = None
    if value is not None:  # NumPy would read None as float64
        with suppress(TypeError, ValueError):
            dtype = np.dtype(value)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"{name} must be float32 or float64, got {shown(value)}.")
    return dtype


def as_floats(name, values):
    """Real numbers as a new array of float64; texts are refused, even if they look like numbers."""
    with np.errstate(over="ignore"):  # what is too large becomes inf, which checks then refuse
        return as_array(name, values).astype(np.float64)


def _is_one_of(value, others):
    # Only texts are compared by equality, since that of arrays is another array.
    return any(value is other or (isinstance(value, str) and value == other) for other in others)


def _refuse(name, allowed, value, error=TypeError):
    *first, last = allowed
    choice = f"{', '.join(first)} or {last}" if first else last
    raise error(f"{name} must be {choice}, got {shown(value)}.")
