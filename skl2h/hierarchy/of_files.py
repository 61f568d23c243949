"""The tree of files of logits, or of a file of a tree, as the command line asks for it."""

import math

import numpy as np

from ..exceptions.faults import InputError, doing, telling
from ..exceptions.texts import shown, shown_text
from ..export.tree_files import leaf_of_column, read_tree
from ..logits.input_files import FileTable, check_regular, read_names, read_scores, read_weights
from ..logits.matrix import as_logits
from ..merge.distributed.npy_files import open_shards
from ..merge.source import RowsInMemory
from .build import build_tree

__all__ = ["leaves_of_logits", "tree_of_file", "tree_of_logits"]

# Below it, logits in single precision may overflow.
SMALLEST_TEMPERATURE = 1e-30


def tree_of_logits(paths, arguments):
    """Tree of the logits of some files."""
    where = " ".join(map(str, arguments.logits))
    temperature = 1.0 if arguments.temperature is None else arguments.temperature
    if 0 < temperature < SMALLEST_TEMPERATURE:
        raise InputError(
            f"--temperature {temperature:g}: is too small: logits that are divided by it grow "
            f"beyond all numbers. The least is {SMALLEST_TEMPERATURE:g}."
        )
    if not 0 < temperature < math.inf:
        raise InputError(f"--temperature {temperature:g}: must be a number above 0.")
    kind = _kind(arguments)
    if len(paths) > 1:
        source = _open_files(paths, kind, temperature, arguments)
        table = FileTable(paths[0], source.shards[0].load())
    else:
        table = read_scores(paths[0], kind, arguments)
        source = RowsInMemory(as_logits(table.scores, kind, temperature))
    n_rows, n_leaves = source.shape
    names = _names(table.names, n_leaves, where, arguments)
    _check_levels(arguments.level, n_leaves, f"{shown_text(where)} has {n_leaves} columns")
    if arguments.weights is not None:
        source.weigh(read_weights(arguments.weights, n_rows))
    with telling(), table.faults(where):
        table.warn_of_row_numbers()
        aggregation = arguments.aggregation or "sum_of_means"
        tree, _ = build_tree(source, names=names, aggregation=aggregation)
    return tree


def tree_of_file(path, arguments):
    """Tree of a file, with the names that are asked for."""
    for option in ("probabilities", "array", "header", "weights", "temperature", "aggregation"):
        if getattr(arguments, option) not in (None, False):
            raise InputError(f"--{option}: is for logits, and {shown_text(path)} is a tree.")
    tree = read_tree(path)
    names = _names(None, tree.n_leaves, path, arguments, "the tree has {} leaves")
    if names is not None:
        if path.suffix.lower() != ".json":
            tree = read_tree(path, names)
        tree = tree.with_names(names)
    _check_levels(arguments.level, tree.n_leaves, f"{shown_text(path)} has {tree.n_leaves} leaves")
    return tree


def leaves_of_logits(paths, arguments):
    """Tree of a file, and the leaf of each row of some files of logits."""
    if len(paths) > 1:
        _check_several(paths, arguments)
    kind = _kind(arguments)
    tables = [read_scores(path, kind, arguments) for path in paths]
    n_columns = tables[0].scores.shape[1]
    for table in tables:
        if (n := table.scores.shape[1]) != n_columns:
            raise InputError(
                f"{shown_text(table.path)} has {n} columns, and {shown_text(paths[0])} {n_columns}."
            )
    names = _names(tables[0].names, n_columns, paths[0], arguments)
    tree = read_tree(arguments.tree, names)
    leaf = leaf_of_column(arguments.tree, tree, names, n_columns)
    _check_levels(
        arguments.level, tree.n_leaves, f"{shown_text(arguments.tree)} has {tree.n_leaves} leaves"
    )
    leaves = []
    with telling():
        tables[0].warn_of_row_numbers()
        for table in tables:
            with table.faults(table.path):
                leaves.append(leaf[as_logits(table.scores, kind).leaves()])
    return tree, np.concatenate(leaves)


def _open_files(paths, kind, divisor, arguments):
    """`Shards` of several files, of which each has to be .npy."""
    _check_several(paths, arguments)
    try:
        return open_shards(paths, kind=kind, divisor=divisor)
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError(str(error)) from error


def _check_several(paths, arguments):
    """Refuse several files that are not .npy, and options that these do not have."""
    for path in paths:
        if path.suffix.lower() != ".npy":
            raise InputError(f"{shown_text(path)}: of several files, each must be .npy.")
    for option in ("array", "header"):
        if (value := getattr(arguments, option)) is not None:
            raise InputError(f"--{option} {shown_text(value)}: is not for .npy files.")
    for path in paths:
        with doing(path):
            check_regular(path)


def _kind(arguments):
    return "probabilities" if arguments.probabilities else "logits"


def _names(names, n_leaves, source, arguments, what="the logits have {} columns"):
    """Names of the leaves: those of --names, else those that were found in the file."""
    if arguments.names is not None:
        source = arguments.names
        names = read_names(source, n_leaves)
    if names is not None and len(names) != n_leaves:
        raise InputError(
            f"{shown_text(source)}: names {len(names)} clusters, but {what.format(n_leaves)}."
        )
    return names


def _check_levels(levels, n_leaves, what):
    for level in levels:
        if not 1 <= level <= n_leaves:
            raise InputError(f"--level {shown(level)}: {what}, so a level is 1 to {n_leaves}.")
