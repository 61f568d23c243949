"""Files that the command line reads: scores of a table, names of clusters."""

import csv
import glob
import warnings
from pathlib import Path

import numpy as np

from .outputs import InputError
from .shards import open_shards, why_not_read

__all__ = ["expand", "open_files", "read_names", "read_scores"]


def expand(given):
    """Files that are named, or match a pattern, of which each in the order of the names."""
    paths = []
    for path in given:
        found = [path]
        if glob.has_magic(str(path)) and not path.exists():
            found = sorted(map(Path, glob.glob(str(path))))
        if not found:
            raise InputError(f"{path}: matches no file.")
        paths += found
    return paths


def open_files(paths, kind, arguments):
    """`Shards` of several files, of which each has to be .npy."""
    for path in paths:
        if path.suffix.lower() != ".npy":
            raise InputError(f"{path}: of several files, each must be .npy.")
    for option in ("array", "header"):
        if (value := getattr(arguments, option)) is not None:
            raise InputError(f"--{option} {value}: is not for .npy files.")
    try:
        return open_shards(paths, kind=kind)
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror or error}.") from None
    except ValueError as error:
        raise InputError(str(error)) from None


def read_scores(path, arguments):
    """Array of scores, and the names of its columns where the file has them."""
    readers = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: the ending must be one of {', '.join(readers)}.")
    for option, only in (("array", _read_npz), ("header", _read_csv)):
        value = getattr(arguments, option)
        if value is not None and reader is not only:
            raise InputError(f"--{option} {value}: is not for {path.suffix} files.")
    try:
        scores, names = reader(path, arguments)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}.") from None
    except Exception as error:  # a stranger's file may fail in any way its format has
        raise InputError(f"{path}: cannot be read: {why_not_read(error)}.") from None
    if scores.dtype.kind not in "biuf":
        raise InputError(
            f"{path}: the array is of dtype {scores.dtype}, not of real numbers; save it with "
            "astype(float)."
        )
    if scores.ndim != 2 or 0 in scores.shape:
        raise InputError(
            f"{path}: the array has shape {scores.shape}; one row for each sample and one column "
            "for each cluster are needed."
        )
    return scores, names


def _read_npy(path, arguments):
    scores = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(scores, np.ndarray):
        raise InputError(f"{path}: is an archive: rename it to .npz.")
    return scores, None


def _read_npz(path, arguments):
    # Opened here: NumPy leaves the file open when the archive is broken.
    with open(path, "rb") as file:
        archive = np.load(file, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise InputError(f"{path}: is a single array: rename it to .npy.")
        with archive:
            name = arguments.array
            if name is None:
                name = _choose(path, archive, arguments)
            if name not in archive.files:
                raise InputError(f"{path}: has no array {name!r}, but {', '.join(archive.files)}.")
            scores, names = archive[name], None
            if "names" in archive.files and arguments.names is None:
                names = archive["names"]
                if names.dtype.kind != "U" or names.ndim != 1:
                    raise InputError(
                        f"{path}: its array `names` is of dtype {names.dtype} and shape "
                        f"{names.shape}, not one text for each cluster; give --names."
                    )
    return scores, names


def _choose(path, archive, arguments):
    kind = "probabilities" if arguments.probabilities else "logits"
    if kind in archive.files:
        return kind
    if len(matrices := [name for name in archive.files if _n_dimensions(archive, name) == 2]) == 1:
        return matrices[0]
    raise InputError(
        f"{path}: holds {', '.join(archive.files) or 'nothing'}; say with --array which one."
    )


def _n_dimensions(archive, name):
    try:
        return archive[name].ndim
    except ValueError:  # an array of objects, which is not unpickled to look at it
        return None


def _read_csv(path, arguments):
    with open(path, newline="", encoding="utf-8-sig") as file:
        first = [cell.strip() for cell in next(csv.reader(file), [])]
        header = arguments.header
        if header is None and len(first) > 1 and first == [str(i) for i in range(len(first))]:
            raise InputError(
                f"{path}: the first line counts 0, 1, 2...: say with --header yes or --header no "
                "whether these are names."
            )
        numbers = sum(map(_is_number, first))
        if header is None and 0 < numbers < len(first):
            raise InputError(
                f"{path}: the first line is partly numbers: say with --header yes or --header no "
                "whether these are names."
            )
        if header is None:
            header = "yes" if first and not numbers else "no"
        if header == "yes" and first[:1] == [""]:
            raise InputError(
                f"{path}: the first column has no name, as row numbers have: write the table "
                "without them (pandas: index=False)."
            )
        if header == "no":
            file.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # no rows: told by the shape
            scores = np.loadtxt(file, delimiter=",", comments=None, ndmin=2)
    return scores, first if header == "yes" else None


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_names(path):
    """Names of the clusters, one a line."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return [line.removesuffix("\n") for line in file]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text ({error}).") from None
