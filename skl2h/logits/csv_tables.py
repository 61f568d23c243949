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

__all__ = ["line_of_row", "read_csv", "read_square_csv"]

# Bytes that tell how many numbers there are in a file.
SAMPLE = 2**16

# Memory of a cell that is read as a text, and then as a number.
BYTES_OF_CELL = 80

# A number as written where a comma stands before the decimals.
_DECIMAL_COMMA = re.compile(r"^(\s*[+-]?\d+),(\d+(?:[eE][+-]?\d+)?\s*)$", re.ASCII)

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def read_csv(path, header):
    """Array of numbers, and the names of its columns where the first line has them.

    `header` is "yes" or "no"; None infers it from the line.
    """
    _refuse_separator_line(path)
    delimiter, cells = _peek(path)
    if not cells:
        raise InputError("is empty.", of=path)
    check_memory(path, 8 * _n_cells(path, delimiter))
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


def read_square_csv(path):
    """Square array of numbers, at least 0 outside its diagonal, and its names or None.

    Names stand in the first line, in the first column, or in both, as the number of lines tells.
    If both are in another order, lines are put in the order of the columns. An empty cell is NaN.
    """
    _refuse_separator_line(path)
    lines, width = _lines_of_square(path)
    first, n_lines = lines[0][1], len(lines)
    has_corner = n_lines != width or len(first) != width - 1
    for line, cells in lines[not has_corner :]:
        if len(cells) != width:
            _refuse_other_manner(path, 1)
            raise InputError(
                f"line {line} holds {len(cells)} cells, and line {lines[1][0]} holds {width}.",
                of=path,
            )
    if n_lines == width:
        in_line = in_column = not (has_corner and _is_number(first[0]))
    else:
        in_line, in_column = n_lines == width + 1, n_lines == width - 1
    size = width - in_column
    if n_lines - in_line != size or size == 0:
        _refuse_shape(path, n_lines, width)
    columns = _names_in(first)[0][-size:] if in_line else None
    lines = lines[in_line:]
    rows = [cells[0].strip() for _, cells in lines] if in_column else columns
    if in_line != in_column and not _may_be_names(columns or rows):
        _refuse_shape(path, n_lines, width)
    if in_line and rows != columns:
        lines = _in_order_of(columns, path, lines, rows)
    return _square_of(path, lines, in_column), columns or rows


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


def _refuse_separator_line(path):
    """Refuse a first line that tells spreadsheets what parts the cells."""
    with _opened(path) as file:
        first = file.readline(SAMPLE).strip("\r\n")
    if re.fullmatch("sep=.?", first, re.IGNORECASE):
        raise InputError(
            f"line 1 is {shown(first)}, which is for spreadsheets alone: leave it out.", of=path
        )


def _n_cells(path, delimiter):
    """How many cells a file has, as its beginning tells."""
    with open(path, "rb") as file:
        sample = file.read(SAMPLE)
    n_cells = sample.count(delimiter.encode()) + sample.count(b"\n")
    return n_cells * os.path.getsize(path) // len(sample)


def _peek(path):
    """What parts numbers, a comma, else a semicolon or a tab, and cells of the second line.

    If there is one line alone, it is taken for the second.
    """
    for delimiter in ",;\t,":  # a comma again, where none of them parts numbers
        cells = _second_line(path, delimiter)
        if cells and all(map(_is_number, cells)):
            break
    return delimiter, cells


def _second_line(path, delimiter):
    """Cells of the second line, or of the only one."""
    with _opened(path) as file:
        *_, (_, cells) = [(1, []), *islice(_lines(file, delimiter), 2)]
    return cells


def _lines_of_square(path):
    """Number and cells of each line of a square table, and how many cells the second one has.

    Of more lines than such a table can have, one too many is read.
    """
    for delimiter in ";\t,":
        _, *cells = _second_line(path, delimiter) or [None]
        if cells and all(_is_number(cell) or not cell.strip() for cell in cells):
            break
    with _opened(path) as file:
        reader = _lines(file, delimiter)
        lines = list(islice(reader, 2))
        if not lines:
            raise InputError("is empty.", of=path)
        width = len(lines[-1][1])
        n_cells = min(_n_cells(path, delimiter), width * (width + 2))
        check_memory(path, BYTES_OF_CELL * n_cells, "save the matrix as .npy.")
        return lines + list(islice(reader, width)), width


def _square_of(path, lines, first):
    """Array of the cells of lines, from the first column on that has numbers."""
    for line, cells in lines:
        for column, cell in enumerate(cells[first:], 1 + first):
            if cell.strip() and not _is_number(cell):
                _refuse_other_manner(path, first)
                _refuse_cell(path, line, column, cell)
    numbers = [[float(cell.strip() or "nan") for cell in cells[first:]] for _, cells in lines]
    square = np.array(numbers)
    bad = ~(np.isfinite(square) & (square >= 0) | np.eye(len(square), dtype=bool))
    if bad.any():
        at, column = np.argwhere(bad)[0] + [0, first]
        line, cells = lines[at]
        raise InputError(
            f"line {line}, column {column + 1} {_what_is(cells[column])}: outside its diagonal, a "
            "confusion matrix has counts or shares, which are 0 or more.",
            of=path,
        )
    return square


def _may_be_names(texts):
    """Whether texts may name classes: if all are numbers, they must count them from 0 or 1."""
    counted = [[str(at + start) for at in range(len(texts))] for start in (0, 1)]
    return texts in counted or not all(map(_is_number, texts))


def _in_order_of(columns, path, lines, rows):
    """Lines in the order of the columns of the same names."""
    named = set(columns)
    for (line, _), name in zip(lines, rows):
        if name not in named:
            raise InputError(
                f"line {line} is named {shown(name)}, and no column is: both need the same names.",
                of=path,
            )
    line_of = dict(zip(rows, lines))
    if len(line_of) < len(rows):
        name = max(rows, key=rows.count)
        raise InputError(f"{shown(name)} names two lines, which cannot be told apart.", of=path)
    return [line_of[name] for name in columns]


def _refuse_shape(path, n_lines, width):
    _refuse_other_manner(path, 1)
    more = "more than " if n_lines > width + 1 else ""
    raise InputError(
        f"has {more}{n_lines - bool(more)} x {width} cells; a confusion matrix has a line and a "
        "column for each class, beside their names. Logits are given without --confusion.",
        of=path,
    )


def _what_is(cell):
    return f"holds {reprlib.repr(cell)}" if cell.strip() else "is empty"


def _refuse_cell(path, line, column, cell):
    """Refuse a cell that is no number."""
    what = _what_is(cell) + (", not a number" if cell.strip() else "")
    raise InputError(
        f"line {line}, column {column} {what}: numbers stand between commas, and have a point "
        "before their decimals.",
        of=path,
    )


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


def _refuse_other_manner(path, n_names=0):
    """Refuse a table as programs write it whose decimals are commas, or that part by blanks.

    The first `n_names` cells of a line may be names.
    """
    for delimiter in ";\t ":
        with _opened(path) as file:
            lines = list(islice(_lines(file, delimiter), 2))
        line, cells = lines[-1]
        cells = [cell for cell in cells if cell or delimiter != " "]
        given = cells[n_names:]
        numbers = [_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in given]
        if len(cells) < 2 or not all(map(_is_number, numbers)):
            continue
        if numbers != given:
            raise InputError(
                f"line {line} has commas before its decimals: write points (pandas: without "
                'decimal=",").',
                of=path,
            )
        if delimiter == " ":
            raise InputError(
                f"in line {line}, blanks part the numbers: write commas (numpy: savetxt(path, "
                'array, delimiter=",")).',
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
                    _refuse_cell(path, line, column, cell)
            first = first or (line, len(cells))
            if len(cells) != first[1]:
                raise InputError(
                    f"line {first[0]} holds numbers for {first[1]} clusters, and line {line} for "
                    f"{len(cells)}.",
                    of=path,
                )
