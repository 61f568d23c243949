"""Files of trees: written as their endings say, all of them or none, and read.

A writer takes a tree and the levels that were asked for, and gives a str or bytes.
"""

import errno
import os
import secrets
import shutil
import stat
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ..exceptions.faults import InputError, doing, signals_held, telling
from ..exceptions.texts import first_few, printable, shown_text
from ..logits.input_files import TREES, reading
from ..logits.memory import check_memory
from .nested_json import export_json, from_json
from .newick import export_newick, from_newick
from .tables import csv_writer, export_csv, safe_names
from .text import export_text

__all__ = [
    "TEXT_WRITERS",
    "check_holds_tree",
    "check_outputs",
    "check_safe",
    "ending_of",
    "groups_table",
    "holds_tree",
    "leaf_of_column",
    "level_to_show",
    "page",
    "read_tree",
    "text",
    "write_all",
    "writer",
]

N_GROUPS = 10  # that a picture colours unasked


def text(tree, levels):
    """Text of the tree, and of the groups at each level."""
    parts, names = [export_text(tree)], list(map(printable, tree.names))
    for level in levels:
        parts.append(f"\nlevel {level}")
        members = [[] for _ in range(level)]
        for name, group in zip(names, tree.cut(level).tolist()):
            members[group].append(name)
        parts += [f"  {group}: {', '.join(inside)}" for group, inside in enumerate(members)]
    return "\n".join(parts) + "\n"


def groups_table(tree, levels, leaves, safe=False):
    """Table with a line for each row: its leaf, the name of that, and its group at each level."""
    names = safe_names(tree.names) if safe else tree.names
    groups = {f"level_{level}": tree.cut(level).tolist() for level in levels}
    columns = {"leaf": range(tree.n_leaves), "name": names} | groups
    lines = []  # the first, and that of each leaf, which all of its rows have
    table = csv_writer(SimpleNamespace(write=lines.append), tree.names)
    table.writerow(columns)
    table.writerows(zip(*columns.values()))
    first, *lines = lines
    return first + "".join(np.array(lines, dtype=object)[leaves])


def page(tree, levels):
    """Page to explore in a browser, which starts at the first level."""
    from .html_page import export_html

    return export_html(tree, level=level_to_show(tree, levels))


def level_to_show(tree, levels):
    """The first that was asked for; else some groups, or none of them where all are leaves."""
    return levels[0] if levels else N_GROUPS if tree.n_leaves > N_GROUPS else None


# What each ending writes, a str or bytes. An ending that ends in another one stands before it.
TEXT_WRITERS = {
    ".txt": text,
    ".csv": lambda tree, levels: export_csv(tree, levels=levels),
    ".flat.json": lambda tree, levels: export_json(tree, nested=False, levels=levels) + "\n",
    ".json": lambda tree, levels: export_json(tree, levels=levels) + "\n",
    ".nwk": lambda tree, _: export_newick(tree) + "\n",
    ".newick": lambda tree, _: export_newick(tree) + "\n",
    ".html": page,
}


def writer(path, writers, safe):
    """Writer of the ending of a path; `safe` is of tables, whose names are to be no formulas."""
    ending = ending_of(path, writers)
    if safe and ending == ".csv":
        return lambda tree, levels: export_csv(tree, levels=levels, safe=True)
    return writers[ending]


def ending_of(path, endings):
    """Ending of a path, of those that say what to write."""
    for ending in endings:
        if path.name.lower().endswith(ending):
            return ending
    fault = f"the ending says what to write, one of {', '.join(endings)}."
    raise InputError(fault, of=f"--out {path}")


def check_safe(safe, paths):
    """Refuse to make safe where no table is written."""
    if safe and not any(path.suffix.lower() == ".csv" for path in paths):
        raise InputError("--safe: is for tables, so it needs --out with a .csv file.")


def check_outputs(paths, inputs):
    """Refuse what could not be written before the work begins."""
    seen = dict.fromkeys(
        (os.path.realpath(path) for path in inputs if path is not None), "what is read"
    )
    for path in paths:
        with doing(f"--out {path}"):
            target = Path(os.path.realpath(path))  # a link stays a link
            if str(target) in seen:
                raise ValueError(f"would overwrite {shown_text(seen[str(target)])}.")
            seen[str(target)] = f"--out {path}"
            _check_place(target)


def _check_place(target):
    """Refuse a place where no file can be written."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
        os.stat(target.parent)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    writable = os.access(target.parent, os.W_OK) and (mode is None or os.access(target, os.W_OK))
    if not writable:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if mode is not None and not stat.S_ISREG(mode):
        raise ValueError("is no regular file, so it cannot be replaced.")


def write_all(writers, tree, levels):
    """Write all files whole, or none of them."""
    written = {}
    try:
        for path, write in writers.items():
            where = f"--out {path}"
            with doing(where), telling(where):
                content = write(tree, levels)
                if isinstance(content, str):
                    content = content.encode()
                target = Path(os.path.realpath(path))
                # Short, as the name of the target may be as long as a name can be; and random, as
                # another run may be writing, or have been killed.
                temporary = target.with_name(f".skl2h-{secrets.token_hex(8)}.tmp")
                written[temporary] = path, target
                with open(temporary, "xb", opener=_like(target)) as file:
                    file.write(content)
        with signals_held():
            for temporary, (path, target) in written.items():
                with doing(f"--out {path}"):
                    os.replace(temporary, target)
    finally:
        for temporary in written:
            with suppress(OSError):
                temporary.unlink()


def _like(target):
    """Opener of a new file that has the mode of a target, if that is there, from the start."""

    def opener(path, flags):
        if not target.exists():
            return os.open(path, flags, 0o666)  # less what the user's mask takes away
        descriptor = os.open(path, flags, 0o600)
        shutil.copymode(target, path)
        return descriptor

    return opener


def holds_tree(path):
    """Whether the ending of a file is that of a tree."""
    return path.suffix.lower() in TREES


def check_holds_tree(path):
    """Refuse a file whose ending is not that of a tree."""
    if not holds_tree(path):
        raise InputError(f"the ending must be one of {', '.join(TREES)}.", of=path)


def read_tree(path, columns=None):
    """Tree of a file. Leaves of Newick have no numbers: they get those of the columns.

    `columns` are the names of the columns, or None where they are not known.
    """
    with reading(path):
        check_memory(path, os.path.getsize(path), "is it a file of a tree?")
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    with doing(path):
        if path.suffix.lower() == ".json":
            return from_json(text)
        tree = from_newick(text)
        numbers = [str(leaf) for leaf in range(tree.n_leaves)]
        # The columns may have the same numbers for names, in another order.
        if Counter(tree.names) == Counter(numbers) != Counter(columns):
            return from_newick(text, leaves=numbers)
        if columns is None:
            return tree
        _check_same(path, tree.names, columns)
        return from_newick(text, leaves=columns)


def _has_names(tree):
    """Whether the leaves are named by more than their numbers."""
    return tree.names != tuple(map(str, range(tree.n_leaves)))


def leaf_of_column(path, tree, columns, n_columns):
    """Leaf of each column: that with its name, or with its number if columns have no names."""
    both = columns is not None and (_has_names(tree) or Counter(columns) == Counter(tree.names))
    if both and tuple(columns) != tree.names:
        _check_same(path, tree.names, columns)
        leaves = {name: leaf for leaf, name in enumerate(tree.names)}
        return np.array([leaves[name] for name in columns])
    if n_columns != tree.n_leaves:
        raise InputError(
            f"has {tree.n_leaves} leaves, but the logits have {n_columns} columns.", of=path
        )
    if _has_names(tree) and not both and path.suffix.lower() != ".json":
        raise InputError(
            "does not keep the order of the columns: name these with --names, or write the tree "
            "as .json.",
            of=path,
        )
    return np.arange(n_columns)


def _check_same(path, leaves, columns):
    """Refuse names that are not those of the leaves of a tree, each once."""
    for held, other, text in (
        (leaves, columns, "no leaf"), (columns, leaves, "a leaf, but no column,")
    ):  # fmt: skip
        if lacking := list(Counter(other) - Counter(held)):
            named = first_few(lacking, 10, shown_text)
            raise InputError(f"{text} is named {named}: both need the same names.", of=path)
    if len(set(columns)) < len(columns):
        name = Counter(columns).most_common(1)[0][0]
        raise InputError(
            f"{shown_text(name)} names two leaves: they cannot be told apart.", of=path
        )
