"""Files that the command line reads: tables of scores, names and weights."""

import codecs
import glob
import os
import re
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from ..exceptions.arguments import check_weights
from ..exceptions.categories import LogitsWarning, warn
from ..exceptions.faults import InputError, doing
from ..exceptions.texts import shown_text
from .archives import read_archive
from .csv_tables import line_of_row, read_csv, read_square_csv
from .memory import check_memory
from .memory_maps import load_mapped, why_not_read

__all__ = [
    "TREES",
    "FileTable",
    "check_options",
    "check_regular",
    "expand",
    "read_confusion",
    "read_names",
    "read_scores",
    "read_weights",
    "reading",
]

# Endings of files that hold a tree, and no logits.
TREES = (".json", ".nwk", ".newick")

# Rows from which a column that counts them is no accident.
COUNTED = 3

# Memory of the shortest lines that Python does not share, for each of their bytes in a file.
BYTES_OF_TEXT = 20


class FileTable(NamedTuple):
    """Table of numbers in a file: scores, or weights of rows.

    Attributes
    ----------
    path : Path
    scores : ndarray or sparse matrix of shape (n, K)
    names : list of str or None
    has_header : bool or None
        Whether the first line of a text is names; None if it is no text.
    """

    path: Path
    scores: np.ndarray
    names: list | None = None
    has_header: bool | None = None

    @contextmanager
    def faults(self, where):
        """Name where the scores are from in errors, and their row and column as in the file."""
        with doing(where):
            try:
                yield
            except ValueError as error:
                raise InputError(self._placed(str(error)), of=where) from error

    def _placed(self, message):
        """Error of rows counted from 0, as of lines of a text, which are counted from 1."""
        if self.has_header is None:
            return message
        message = re.sub(r"in column (\d+)", lambda m: f"in column {int(m[1]) + 1}", message)
        return re.sub(
            r"Row (\d+)|sample_weight\[(\d+)\]",
            lambda m: f"Line {line_of_row(self.path, int(m[1] or m[2]), self.has_header)}",
            message,
        )

    def warn_of_row_numbers(self):
        """Warn of a column that counts the rows."""
        scores, n_rows = self.scores, self.scores.shape[0]
        if issparse(scores) or n_rows < COUNTED:
            return
        first, last = np.array(scores[[0, -1]], dtype=np.float64)
        with np.errstate(invalid="ignore"):
            likely = np.isin(first, (0, 1)) & (last - first == n_rows - 1)
        for column in np.flatnonzero(likely):
            start = int(first[column])
            if np.array_equal(scores[:, column], np.arange(start, start + n_rows)):
                warn(
                    f"{shown_text(self.path)}: "
                    f"column {column + (self.has_header is not None)} counts {start}, "
                    f"{start + 1}, {start + 2}... as row numbers do: if it holds them, write the "
                    "table without it (pandas: index=False).",
                    LogitsWarning,
                )


def expand(given):
    """Files that are named, or match a pattern, of which each in the order of the names."""
    paths = []
    for path in given:
        found = [path]
        with doing(path):
            if glob.has_magic(str(path)) and not path.exists():
                found = sorted(map(Path, glob.glob(str(path))))
        if not found:
            raise InputError("matches no file.", of=path)
        paths += found
    return paths


def read_scores(path, kind, *, array=None, header=None, with_names=True):
    """`FileTable` of scores, with the names of its columns where the file has them.

    `array` chooses one of an archive, `header` is as of `read_csv`, and names of an archive are
    read only if they are wanted.
    """
    if path.suffix.lower() not in (".npy", ".npz", ".csv"):
        raise InputError(
            "the ending must be one of .npy, .npz, .csv for logits, and for a tree one of "
            f"{', '.join(TREES)}.",
            of=path,
        )
    check_options(path, array, header)
    table = _read_table(path, kind, array, header, with_names)
    scores = table.scores
    if scores.ndim != 2 or 0 in scores.shape:
        raise InputError(
            f"the array has shape {scores.shape}; one row for each sample and one column for each "
            "cluster are needed.",
            of=path,
        )
    return table


def read_confusion(path, *, array=None, with_names=True):
    """`FileTable` of a confusion matrix, with the names of its classes where the file has them.

    `array` and `with_names` are as of `read_scores`.
    """
    if path.suffix.lower() not in (".npy", ".npz", ".csv"):
        raise InputError(
            "the ending must be one of .npy, .npz, .csv for a confusion matrix.", of=path
        )
    check_options(path, array, None)
    if path.suffix.lower() == ".csv":
        with reading(path):
            return FileTable(path, *read_square_csv(path))
    table = _read_table(path, "confusion", array, None, with_names)
    shape = table.scores.shape
    if len(shape) != 2 or shape[0] != shape[1] or 0 in shape:
        raise InputError(
            f"the array has shape {shape}; a confusion matrix has a line and a column for each "
            "class. Logits are given without --confusion.",
            of=path,
        )
    return table


def read_names(path, n_names):
    """Names of the clusters, one a line; superfluous blank lines at the end are dropped."""
    with reading(path):
        check_memory(path, BYTES_OF_TEXT * os.path.getsize(path), "is it a file of names?")
        with open(path, encoding="utf-8-sig") as file:
            names = [line.removesuffix("\n") for line in file]
    while len(names) > n_names and not names[-1].strip():
        names.pop()
    return names


def read_weights(path, n_rows):
    """Weights of the rows, one a line, or one array."""
    if path.suffix.lower() not in (".npy", ".csv", ".txt"):
        raise InputError("the ending must be one of .npy, .csv, .txt.", of=path)
    table = _read_table(path)
    weights = table.scores
    if weights.shape not in ((n_rows,), (n_rows, 1)):
        raise InputError(
            f"the array has shape {weights.shape}; one weight for each of the {n_rows} rows is "
            "needed, with a point before its decimals.",
            of=path,
        )
    with table.faults(path):
        return check_weights(np.ravel(weights), n_rows)


def _read_table(path, kind="logits", array=None, header=None, with_names=False):
    """`FileTable` of any shape; an ending that is of no array is that of a text."""
    with reading(path):
        if path.suffix.lower() == ".npz":
            table = FileTable(path, *read_archive(path, array, kind, with_names))
        elif path.suffix.lower() == ".npy":
            table = FileTable(path, load_mapped(path))
            if not isinstance(table.scores, np.ndarray):
                table.scores.close()
                raise InputError("is an archive: rename it to .npz.", of=path)
        else:
            scores, names = read_csv(path, header)
            table = FileTable(path, scores, names, names is not None)
    if (dtype := table.scores.dtype).kind not in "biuf":
        raise InputError(
            f"the array is of dtype {dtype}, not of real numbers; save it with astype(float).",
            of=path,
        )
    return table


def check_options(path, array, header):
    """Refuse options that are not for a file with such an ending."""
    for option, value, only in (("array", array, ".npz"), ("header", header, ".csv")):
        if value is not None and path.suffix.lower() != only:
            raise InputError(
                f"--{option} {shown_text(value)}: is not for {shown_text(path.suffix)} files."
            )


@contextmanager
def reading(path):
    """Refuse what cannot be read, and say why: a file may fail in any way its format has."""
    with doing(path):
        check_regular(path)
        try:
            yield
        except (InputError, OSError, MemoryError):
            raise
        except UnicodeDecodeError as error:
            if error.object[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                raise InputError(
                    "is not UTF-8 text, but UTF-16: save it as UTF-8 (in a spreadsheet: as CSV "
                    "UTF-8).",
                    of=path,
                ) from error
            raise InputError(f"is not UTF-8 text ({shown_text(error)}).", of=path) from error
        except Exception as error:
            raise InputError(f"cannot be read: {why_not_read(error)}.", of=path) from error


def check_regular(path):
    """Refuse pipes and devices, which may never end, and cannot be read twice."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # of a folder, reading says so
        raise InputError("is no regular file: save what it gives as one.", of=path)
