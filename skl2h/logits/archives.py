"""Archives of arrays, .npz: which of the arrays is the table is found from their headers.

member    an array of the archive, or another file in it
"""

import re
import zipfile
from math import prod
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ..exceptions.faults import InputError
from ..exceptions.texts import first_few, shown, shown_text
from .memory import check_memory

__all__ = ["read_archive"]

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,  # differs in the names of fields alone
}

# Letters that a name may have: a few long ones, packed, would fill the memory.
MOST_OF_NAME = 10_000

# Memory for each row and column of a sparse matrix while it is brought into order.
BYTES_OF_ROW = 60

# An array of such a name holds probabilities.
_PROBABILITIES = re.compile(r"(predict_)?prob(s|a|as|ability|abilities)?", re.IGNORECASE)

_NO_SPARSE = (
    "it has arrays `format`, `shape` and `data`, but scipy.sparse.save_npz has not written it"
)


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
    """Array or sparse matrix of an .npz file, and names of its columns or None.

    `kind` is "logits", "probabilities" or "confusion".
    """
    with open(path, "rb") as file:
        start = file.read(6)
    if start == b"\x93NUMPY":
        raise InputError("is a single array: rename it to .npy.", of=path)
    if not start.startswith(b"PK"):
        np.load(path, allow_pickle=False)  # its error says why this is no archive
    with zipfile.ZipFile(path) as archive:
        members, others = _members(archive)
        if members.keys() >= {"format", "shape", "data"} and kind not in members:
            if array is not None:
                raise InputError(
                    f"--array {shown_text(array)}: {shown_text(path)} holds one sparse matrix."
                )
            shape = _shape_of_sparse(path, archive, members, kind)
            names = _read_names(path, archive, members, shape[1], kind) if with_names else None
            return _read_sparse(path, members, shape), names
        if array is None:
            array = _choose(path, members, others, kind)
        if array in others and array not in members:
            raise InputError(
                f"--array {shown_text(array)}: in {shown_text(path)} this is no array.", code=2
            )
        if array not in members:
            raise InputError(f"has no array {shown(array)}, but {_listed(list(members))}.", of=path)
        _check_kind(path, array, kind)
        table, names = members[array], None
        if with_names and len(table.shape) == 2:  # what is no table is refused for that
            names = _read_names(path, archive, members, table.shape[1], kind)
        return _read(path, archive, table), names


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
    if not members:
        raise InputError(f"holds no array, but {_listed(others)}.", of=path)
    # One that is named as the other kind is refused for that, whatever else there is.
    for among in (matrices, [name for name in matrices if _is_other(name, kind)]):
        if len(among) == 1:
            return among[0]
    raise InputError(f"holds {_listed([*members, *others])}; say with --array which one.", of=path)


def _listed(names):
    return first_few(names, 10, shown_text) or "nothing"


def _is_other(name, kind):
    """Whether a name is that of another kind of scores."""
    if name.lower() == "logits":
        return kind != "logits"
    return kind != "probabilities" and _PROBABILITIES.fullmatch(name) is not None


def _check_kind(path, name, kind):
    """Refuse an array whose name says that it holds another kind of scores."""
    if not _is_other(name, kind):
        return
    if kind == "confusion":
        raise InputError(
            f"its array {shown(name)} is named as scores of rows are: give them without "
            "--confusion.",
            of=path,
        )
    if kind == "logits":
        raise InputError(
            f"its array {shown(name)} is named as probabilities are: say --probabilities (or "
            "rename it, if it holds logits).",
            of=path,
        )
    raise InputError(f"its array {shown(name)} is named as logits: drop --probabilities.", of=path)


def _read(path, archive, member):
    if not member.dtype.hasobject:  # that is refused by NumPy
        if member.n_bytes > member.info.file_size:
            raise ValueError(f"its array {shown(member.name)} is cut short")
        check_memory(path, member.n_bytes)
    with archive.open(member.info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_names(path, archive, members, n_names, kind):
    """Names of the columns, or None where there are none."""
    if "names" not in members:
        return None
    member = members["names"]
    if member.dtype.kind != "U" or len(member.shape) != 1:
        raise InputError(
            f"its array `names` is of dtype {member.dtype} and shape {member.shape}, not one text "
            "for each cluster: save it with astype(str), or give --names.",
            of=path,
        )
    if member.shape[0] != n_names:
        table = "matrix has" if kind == "confusion" else "logits have"
        raise InputError(
            f"names {member.shape[0]} clusters, but the {table} {n_names} columns.", of=path
        )
    n_letters = member.dtype.itemsize // np.dtype("U1").itemsize
    if n_letters == 0:
        raise InputError("its array `names` holds no letter; give --names.", of=path)
    if n_letters > MOST_OF_NAME:
        raise InputError(
            f"its array `names` has room for {n_letters:,} letters a name, and the most is "
            f"{MOST_OF_NAME:,}; give --names.",
            of=path,
        )
    return _read(path, archive, member).tolist()


def _shape_of_sparse(path, archive, members, kind):
    """Rows and columns of a sparse matrix; of scores, it stores a number for each row at least."""
    member = members["shape"]
    if member.shape != (2,) or member.dtype.kind not in "iu":
        raise ValueError(_NO_SPARSE)
    shape = tuple(_read(path, archive, member).tolist())
    n_stored = prod(members["data"].shape)
    if min(shape) < 0:
        raise ValueError(_NO_SPARSE)
    if kind != "confusion" and n_stored < shape[0]:
        raise InputError(
            f"its matrix stores fewer numbers ({n_stored:,}) than it has rows ({shape[0]:,}): "
            "each row needs one at least.",
            of=path,
        )
    return shape


def _read_sparse(path, members, shape):
    """Matrix that `scipy.sparse.save_npz` has written."""
    # It is read, and then brought into the order of its rows.
    n_bytes = 2 * sum(member.n_bytes for member in members.values())
    check_memory(path, n_bytes + BYTES_OF_ROW * sum(shape))
    try:
        scores = sparse.load_npz(path)
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(_NO_SPARSE) from error
    if hasattr(scores, "check_format"):
        scores.check_format(full_check=True)  # SciPy itself trusts what is stored
    return scores.tocsr()
