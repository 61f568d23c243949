"""Tables of numbers as text, .csv: what parts them, names in the first line, and where faults are.

line, column    as people count them, from 1, in the file

Lines are read by NumPy; only what it refuses is gone through one by one, to say where.
"""

import csv
import os
import re
import reprlib
import warnings
from itertools import islice, pairwise

import numpy as np

from ..exceptions.faults import InputError
from ..exceptions.texts import shown
from .memory import check_memory

__all__ = ["line_of_row", "read_csv"]

# Bytes that tell how many numbers there are in a file.
SAMPLE = 2**16

# A number as written where a comma stands before the decimals.
_DECIMAL_COMMA = re.compile(r"^(\s*[+-]?\d+),(\d+(?:[eE][+-]?\d+)?\s*)$", re.ASCII)

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def read_csv(path, header):
    """Array of numbers, and the names of its columns where the first line has them.

    `header` is "yes" or "no"; None infers it from the line.
    """
    with _opened(path) as file:
        first = file.readline(SAMPLE).strip("\r\n")
    if re.fullmatch("sep=.?", first, re.IGNORECASE):
        raise InputError(
            f"line 1 is {shown(first)}, which is for spreadsheets alone: leave it out.", of=path
        )
    delimiter, cells = _peek(path)
    if not cells:
        raise InputError("is empty.", of=path)
    with open(path, "rb") as file:
        sample = file.read(SAMPLE)
    n_cells = sample.count(delimiter.encode()) + sample.count(b"\n")
    check_memory(path, 8 * n_cells * os.path.getsize(path) // len(sample))
    with _opened(path) as file:
        _, first = next(_lines(file, delimiter))
        names, is_marked = _names_in(first)
        if header is None:
            header = "yes" if is_marked or not any(map(_is_number, names)) else "no"
            # Where no line is numbers, or as long, the first one is at fault.
            if header == "no" and len(cells) == len(names) and all(map(_is_number, cells)):
                _refuse_doubtful(path, names, cells)
        if header == "yes" and names[0] in ("", "Unnamed: 0"):
            raise InputError(
                "the first column has no name, as row numbers have: write the table without them "
                "(pandas: index=False).",
                of=path,
            )
        if header == "no":
            file.seek(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # no rows: the shape shows it
                scores = np.loadtxt(
                    file, delimiter=delimiter, comments=None, quotechar='"', ndmin=2
                )
        except ValueError:
            _refuse_fault(path, delimiter, header)
            raise
    return scores, names if header == "yes" else None


def line_of_row(path, row, has_header):
    """Line of the file that holds a row of the table."""
    with _opened(path) as file:
        lines = _lines(file, _peek(path)[0])
        return next(islice(lines, row + has_header, None))[0]


def _opened(path):
    return open(path, newline="", encoding="utf-8-sig")


def _lines(file, delimiter):
    """Number and cells of each line that is not blank."""
    reader, end = csv.reader(file, delimiter=delimiter), 0
    try:
        for cells in reader:
            line, end = end + 1, reader.line_num  # of a cell of several lines, the first
            if cells:
                yield line, cells
    except csv.Error as error:
        most = csv.field_size_limit()
        raise ValueError(f"line {end + 1} has a cell of more than {most} characters") from error


def _peek(path):
    """What parts numbers, a comma, else a semicolon or a tab, and cells of the second line.

    If there is one line alone, it is taken for the second.
    """
    for delimiter in ",;\t,":  # a comma again, where none of them parts numbers
        with _opened(path) as file:
            *_, (_, cells) = [(1, []), *islice(_lines(file, delimiter), 2)]
        if cells and all(map(_is_number, cells)):
            break
    return delimiter, cells


def _is_number(text):
    # Python reads more than NumPy does: digits of other scripts, and underscores.
    if "_" in text or not text.isascii():
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names_in(cells):
    """Names in the cells of a first line, and whether it is marked to be no numbers."""
    names = [cell.strip() for cell in cells]
    is_marked = names[0].startswith("# ")  # as numpy.savetxt does
    if is_marked and not any(name.startswith("#") for name in names[1:]):
        names[0] = names[0].removeprefix("# ").lstrip()
    return names, is_marked


def _refuse_doubtful(path, names, second):
    """Refuse a first line that may be names as well as numbers, as the second line may be too."""
    numbers = [float(name) for name in names if _is_number(name)]
    whole = all(number.is_integer() for number in numbers)
    increasing = all(a < b for a, b in pairwise(numbers))
    plain, n = all(map(_INTEGER.fullmatch, names)), len(set(numbers))
    counting = sorted(numbers) in (list(range(n)), list(range(1, n + 1)))
    if len(numbers) < len(names):
        what = "is partly numbers"
    elif len(names) > 1 and whole and increasing:
        what = f"counts {', '.join(names[:3])}{'...' if n > 3 else ''}"
    elif len(names) > 1 and plain and counting:
        what = f"is the numbers from {min(numbers):g} to {max(numbers):g} in some order"
    elif plain and 1 < len(names) == n and not all(map(_INTEGER.fullmatch, map(str.strip, second))):
        what = "is whole numbers, each once, and the second is not"
    else:
        return
    raise InputError(
        f"the first line {what}: say with --header yes or --header no whether these are names.",
        of=path,
    )


def _refuse_other_manner(path):
    """Refuse a table as programs write it whose decimals are commas, or that part by blanks."""
    for delimiter in ";\t ":
        with _opened(path) as file:
            lines = list(islice(_lines(file, delimiter), 2))
        line, cells = lines[-1]
        cells = [cell for cell in cells if cell or delimiter != " "]
        numbers = [_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in cells]
        if len(cells) < 2 or not all(map(_is_number, numbers)):
            continue
        if numbers != cells:
            raise InputError(
                f"line {line} has commas before its decimals: write points (pandas: without "
                'decimal=",").',
                of=path,
            )
        if delimiter == " ":
            raise InputError(
                f"in line {line}, blanks part the numbers: write commas (numpy: savetxt(path, "
                'logits, delimiter=",")).',
                of=path,
            )


def _refuse_fault(path, delimiter, header):
    """Refuse the first line that is not as many numbers as the first."""
    _refuse_other_manner(path)
    with _opened(path) as file:
        lines = _lines(file, delimiter)
        if header == "yes":
            next(lines)
        first = None
        for line, cells in lines:
            for column, cell in enumerate(cells, 1):
                if not _is_number(cell):
                    what = "is empty"
                    if cell.strip():
                        what = f"holds {reprlib.repr(cell)}, not a number"
                    raise InputError(
                        f"line {line}, column {column} {what}: numbers stand between commas, and "
                        "have a point before their decimals.",
                        of=path,
                    )
            first = first or (line, len(cells))
            if len(cells) != first[1]:
                raise InputError(
                    f"line {first[0]} holds numbers for {first[1]} clusters, and line {line} for "
                    f"{len(cells)}.",
                    of=path,
                )
