"""Classes and other labels: as an array that keeps their types, and as numbers."""

import numpy as np

from ..exceptions.arrays import as_sequence, is_missing, refuse_masked

__all__ = ["as_labels", "codes_of"]


def codes_of(labels, name):
    """Labels as numbers 0, 1, ...: the place of each among the sorted distinct labels."""
    labels = as_labels(labels, name)
    if labels.ndim != 1:
        raise ValueError(f"{name} must be one label each, got the shape {labels.shape}.")
    if not len(labels):
        raise ValueError(f"{name} is empty.")
    if labels.dtype != object:
        missing = labels != labels
    else:
        missing = np.fromiter(map(is_missing, labels), dtype=bool, count=len(labels))
    if missing.any():
        at = int(missing.argmax())
        raise ValueError(
            f"{name} holds {labels[at]} at {at}: leave out what has no label, or give it a class."
        )
    try:
        return np.unique(labels, return_inverse=True)[1]
    except TypeError:
        raise TypeError(f"{name} must hold labels of one type.") from None


def as_labels(labels, name):
    """Labels as an array, each of its own type."""
    refuse_masked(name, labels)
    labels = as_sequence(labels)
    if hasattr(labels, "dtype") or isinstance(labels, str) or not np.iterable(labels):
        return np.asarray(labels)
    # The error that NumPy raises for this depends on its version.
    if len({len(line) if isinstance(line, (list, tuple)) else None for line in labels}) > 1:
        raise ValueError(f"{name} has lines of different lengths.")
    array = np.asarray(labels)
    # With a text among them, NumPy would turn all labels into texts, and NaN into "nan".
    return np.asarray(labels, dtype=object) if array.dtype.kind in "SU" else array
