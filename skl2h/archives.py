"""Archives of arrays, .npz: which array is the table is told by their headers alone.

member    an array of the archive, or another file in it
"""

import re
import zipfile
from math import prod
from typing import NamedTuple

import numpy as np
from scipy import sparse

from .faults import InputError
from .names import shown, shown_text
from .room import check_room

__all__ = ["read_archive"]

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}  # of a later version are only arrays of records

# An array of such a name holds probabilities.
_PROBABILITIES = re.compile(r"(predict_)?prob(s|a|as|ability|abilities)?", re.IGNORECASE)


class Member(NamedTuple):
    """What the header of a member says."""

    name: str
    info: zipfile.ZipInfo
    shape: tuple
    dtype: np.dtype

    @property
    def n_bytes(self):
        """Memory that the array takes."""
        return prod(self.shape) * self.dtype.itemsize


def read_archive(path, array, kind, with_names):
    """Scores of an .npz file, an array or a sparse matrix, and names of its columns or None."""
    with open(path, "rb") as file:
        start = file.read(6)
    if start == b"\x93NUMPY":
        raise InputError(f"{path}: is a single array: rename it to .npy.")
    if not start.startswith(b"PK"):
        np.load(path, allow_pickle=False)  # says why this is none
    with zipfile.ZipFile(path) as archive:
        members, others = _members(archive)
        names = None
        if with_names and "names" in members:
            names = _read_names(path, archive, members["names"])
        if members.keys() >= {"format", "shape", "data"} and kind not in members:
            if array is not None:
                raise InputError(f"--array {array}: {path} holds one sparse matrix.")
            return _read_sparse(path, members), names
        if array is None:
            array = _choose(path, members, others, kind)
        if array in others:
            raise InputError(f"--array {array}: in {path} this is no array.", code=2)
        if array not in members:
            raise InputError(f"{path}: has no array {shown(array)}, but {_listed(list(members))}.")
        _check_kind(path, array, kind)
        return _read(path, archive, members[array]), names


def _members(archive):
    """Members that are arrays, by name, and the names of the others."""
    members, others = {}, []
    for info in archive.infolist():
        with archive.open(info) as file:
            try:
                shape, _, dtype = _READERS[np.lib.format.read_magic(file)](file)
            except (ValueError, KeyError):
                others.append(info.filename)
                continue
        name = info.filename.removesuffix(".npy")
        members[name] = Member(name, info, shape, dtype)
    return members, others


def _choose(path, members, others, kind):
    if kind in members:
        return kind
    matrices = [
        name
        for name, member in members.items()
        if len(member.shape) == 2 and member.dtype.kind in "biuf"
    ]
    if len(matrices) == 1:
        return matrices[0]
    raise InputError(f"{path}: holds {_listed([*members, *others])}; say with --array which one.")


def _listed(names, most=10):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(map(shown_text, names[:most])) or "nothing") + more


def _check_kind(path, name, kind):
    """Refuse an array that is named as what it is not said to be."""
    if kind == "logits" and _PROBABILITIES.fullmatch(name):
        raise InputError(
            f"{path}: its array {shown(name)} is named as probabilities are: say --probabilities "
            "(or rename it, if it holds logits)."
        )
    if kind == "probabilities" and name.lower() == "logits":
        raise InputError(
            f"{path}: its array {shown(name)} is named as logits: drop --probabilities."
        )


def _read(path, archive, member):
    if not member.dtype.hasobject:  # that is refused by NumPy
        if member.n_bytes > member.info.file_size:
            raise ValueError(f"its array {shown(member.name)} is cut short")
        check_room(path, member.n_bytes)
    with archive.open(member.info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_names(path, archive, member):
    names = _read(path, archive, member)
    if member.dtype.kind != "U" or len(member.shape) != 1:
        raise InputError(
            f"{path}: its array `names` is of dtype {member.dtype} and shape {member.shape}, not "
            "one text for each cluster; give --names."
        )
    return names.tolist()


def _read_sparse(path, members):
    """Matrix that `scipy.sparse.save_npz` has written."""
    # It is read, and then brought into the order of its rows.
    check_room(path, 2 * sum(member.n_bytes for member in members.values()))
    try:
        scores = sparse.load_npz(path)
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(
            "it has arrays `format`, `shape` and `data`, but is none that scipy.sparse.save_npz "
            "has written"
        ) from error
    check_room(path, 8 * scores.shape[0])
    if hasattr(scores, "check_format"):
        scores.check_format(full_check=True)  # SciPy itself trusts what is stored
    return scores.tocsr()
