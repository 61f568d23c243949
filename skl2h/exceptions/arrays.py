"""Arrays of real numbers or labels, from whatever holds them, and the names of their columns."""

import sys
import warnings
from collections.abc import Iterable, Set
from contextlib import suppress

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _get_feature_names

from .texts import shown

__all__ = [
    "as_array",
    "as_labels",
    "as_sequence",
    "codes_of",
    "column_names",
    "feature_labels",
    "has_dimensions",
    "is_missing",
    "ndarray_of",
    "refuse_masked",
]

# Kinds of dtypes that are real numbers: bool, int, uint, float.
NUMBERS = "biuf"


def as_array(name, values, *, accept_sparse=False):
    """Real numbers as an array of any shape, or as the sparse matrix that they are.

    Nothing is copied unless it has to be converted. Missing values in a column of pandas or polars,
    or in a table of Arrow, become NaN.

    Raises
    ------
    ValueError
        If they are not numbers, such as texts or objects, even if these look like numbers, or if
        entries are masked.
    """
    if accept_sparse and issparse(values):
        array = values
    else:
        refuse_masked(name, values)
        if _is_lazy(values):
            raise ValueError(
                f"{name} is a LazyFrame, which has no rows yet: give .collect() of it."
            )
        pandas = sys.modules.get("pandas")
        if pandas is not None and isinstance(
            values,
            (
                pandas.DataFrame,
                pandas.Series,
                pandas.Index,
                pandas.api.extensions.ExtensionArray,
            ),
        ):
            return _array_of_pandas(pandas, name, values, accept_sparse)
        try:
            array = ndarray_of(values)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"{name} must be real numbers in an array, or in lines of one length, got "
                f"{shown(values)}."
            ) from error
        if array.ndim == 0 and array.dtype.kind not in "iuf":
            raise ValueError(
                f"{name} must be real numbers in an array or a list, got {shown(values)}."
            )
    _check_dtype(name, array.dtype)
    return array


def ndarray_of(values):
    """The array that NumPy makes of any values.

    Raises
    ------
    ValueError
        If lines are of several lengths.
    """
    with warnings.catch_warnings():
        # Before 1.24, NumPy made an array of objects of them.
        warnings.filterwarnings("error", "Creating an ndarray from ragged")
        try:
            return np.asarray(values)
        except Warning as error:
            raise ValueError(str(error)) from None


def _array_of_pandas(pandas, name, table, accept_sparse):
    columns = table.columns if table.ndim == 2 else None
    dtypes = [table.dtype] if columns is None else table.dtypes.tolist()
    for at, dtype in enumerate(dtypes):
        _check_dtype(name, dtype, "" if columns is None else f" in column {shown(columns[at])}")
    if all(isinstance(dtype, np.dtype) for dtype in dtypes):
        return np.asarray(table, dtype=np.result_type(np.bool_, *set(dtypes)))
    if accept_sparse and columns is not None:
        of_zeros = [
            isinstance(dtype, pandas.SparseDtype) and dtype.fill_value == 0 for dtype in dtypes
        ]
        if all(of_zeros):
            return table.sparse.to_coo().tocsr()
        if any(isinstance(dtype, pandas.SparseDtype) for dtype in dtypes):
            at = of_zeros.index(False)
            raise ValueError(
                f"{name} is a sparse frame, of which the column {shown(columns[at])} has the dtype "
                f"{dtypes[at]}: its columns do not all leave out zeros. Give .sparse.to_coo() of a "
                "frame that does, where what it does not store is impossible, or give "
                ".sparse.to_dense()."
            )
    # Columns with dtypes of pandas may have missing values.
    return table.to_numpy(dtype=np.float64, na_value=np.nan)


def _check_dtype(name, dtype, where=""):
    if dtype.kind not in NUMBERS:
        remedy = "take the real part" if dtype.kind == "c" else "convert with astype(float)"
        raise ValueError(f"{name} must be real numbers, got dtype {dtype}{where}: {remedy}.")


def refuse_masked(name, values):
    """Refuse masked entries in an array or a list of arrays: NumPy reads the values below them."""
    lines = values if isinstance(values, (list, tuple)) else [values]
    if any(isinstance(line, np.ma.MaskedArray) and np.ma.is_masked(line) for line in lines):
        raise ValueError(
            f"{name} has masked entries, which have no value: give them one with filled(), or "
            "leave them out."
        )


def as_sequence(values):
    """Values as they are, or a list if they can only be gone through, as those of a generator."""
    is_other = isinstance(values, Set) or not isinstance(values, Iterable)
    if is_other or any(hasattr(values, name) for name in ("__getitem__", "__array__", "fit")):
        return values
    return list(values)


def is_missing(value):
    """Whether a value is missing: None, NaN, NaT, pandas' NA or a masked entry."""
    try:
        return value is None or value is np.ma.masked or bool(value != value)
    except (TypeError, ValueError):  # NA is neither true nor false
        return True


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


def has_dimensions(table):
    """Whether an array has dimensions with names and coordinates, as xarray's have."""
    return hasattr(type(table), "dims") and hasattr(type(table), "coords")


def _is_lazy(table):
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(table, polars.LazyFrame)


def column_names(table):
    """Labels of the columns of a table as str, or None if it has none.

    The columns of an array of xarray are its second dimension. Labels of several levels are joined
    by slashes, and a missing label stays missing.
    """
    labels = _labels_of(table)
    return None if labels is None else [_name_of(label) for label in labels]


def feature_labels(table):
    """Labels of the columns of a table as they are, if scikit-learn can tell them, or None.

    Those of xarray, and several of one name, which some of its versions refuse, count as well.
    """
    labels = _labels_of(table)
    if labels is None or has_dimensions(table) or len(set(labels)) < len(labels):
        return labels
    with suppress(TypeError):  # labels of several types, of which the caller makes an error
        return None if _get_feature_names(table) is None else labels
    return labels


def _labels_of(table):
    if _is_lazy(table):
        return None
    # By class: a table of pandas has attributes with the names of its columns, which may be these.
    if hasattr(type(table), "column_names"):  # of Arrow, whose `columns` are the columns themselves
        labels = table.column_names
    elif has_dimensions(table):
        known = table.ndim == 2 and table.dims[1] in table.coords
        labels = np.asarray(table.coords[table.dims[1]]).tolist() if known else None
    else:
        labels = getattr(table, "columns", None)
    return None if labels is None or callable(labels) else list(labels)


def _name_of(label):
    if isinstance(label, tuple):
        return " / ".join(map(str, label))
    return label if is_missing(label) else str(label)
