"""The tree of files of logits, or of a file of a tree, as the command line asks for it."""

import math
from functools import partial

import numpy as np

from ..exceptions.faults import InputError, doing, telling
from ..exceptions.texts import shown, shown_text
from ..export.tree_files import holds_tree, leaf_of_column, read_tree
from ..logits.input_files import (
    FileTable,
    check_options,
    check_regular,
    read_confusion,
    read_names,
    read_scores,
    read_weights,
)
from ..logits.matrix import as_logits
from ..merge.distributed.npy_files import open_shards
from ..merge.source import RowsInMemory
from .affinity import confusion_tree
from .build import build_tree, check_memory_of_likeness

__all__ = ["leaves_of_logits", "tree_of_inputs"]

# Below it, logits in single precision may overflow.
SMALLEST_TEMPERATURE = 1e-30

# The way to a tree of many leaves, as the command line calls it.
WITHOUT_LIKENESS = "--method l2h"

# Why options do not go with the affinity tree.
OF_L2H = {
    "temperature": "finds its own",
    "aggregation": "scores no groups",
}


def tree_of_inputs(paths, confusion, given, *, where, names=None, levels=()):
    """Tree of files of logits, or of a file of a tree, or else of a file of a confusion matrix.

    `given` are the options that only logits have, by name; a matrix has `array` as well. `names`
    is a file, and `levels` are those that the tree has to have. `where` is what logits are called.
    """
    common = {"names": names, "levels": levels}
    if confusion is not None:
        array = given.pop("array", None)
        if given.get("method") == "affinity":
            del given["method"]  # that is the tree of a confusion matrix
        _refuse_options(given, f"{shown_text(confusion)} is a confusion matrix")
        return _tree_of_confusion(confusion, array=array, **common)
    if len(paths) == 1 and holds_tree(paths[0]):
        _refuse_options(given, f"{shown_text(paths[0])} is a tree")
        return _tree_of_file(paths[0], **common)
    kind = given.pop("probabilities", "logits")
    return _tree_of_logits(paths, kind, where=where, **common, **given)


def _refuse_options(given, what):
    """Refuse options of logits where there are none."""
    for name in given:
        raise InputError(f"--{name}: is for logits, and {what}.")


def _tree_of_logits(
    paths,
    kind,
    *,
    where,
    array=None,
    header=None,
    names=None,
    weights=None,
    method="l2h",
    temperature=None,
    aggregation=None,
    levels=(),
):
    """Tree of the logits or probabilities of some files.

    Errors of their rows name `where`. Names and weights are in files, `levels` are those that the
    tree has to have, and the other parameters are as of `read_scores` and `L2HClustering`; the two
    that only "l2h" has are None where they are not given.
    """
    if method == "affinity":
        _refuse_options_of_l2h(temperature=temperature, aggregation=aggregation)
    temperature = 1.0 if temperature is None else temperature
    if 0 < temperature < SMALLEST_TEMPERATURE:
        raise InputError(
            f"--temperature {temperature:g}: is too small: logits that are divided by it grow "
            f"beyond all numbers. The least is {SMALLEST_TEMPERATURE:g}."
        )
    if not 0 < temperature < math.inf:
        raise InputError(f"--temperature {temperature:g}: must be a number above 0.")
    if len(paths) > 1:
        _check_several(paths, array, header)
        source = _open_files(paths, kind, temperature)
        table = FileTable(paths[0], source.shards[0].load())
    else:
        table = read_scores(paths[0], kind, array=array, header=header, with_names=names is None)
        source = RowsInMemory(as_logits(table.scores, kind, temperature))
    n_rows, n_leaves = source.shape
    leaf_names = _names(table.names, n_leaves, where, names)
    _check_levels(levels, n_leaves, f"{shown_text(where)} has {n_leaves} columns")
    if method == "affinity":
        with doing(where):
            check_memory_of_likeness(n_leaves, other_way=WITHOUT_LIKENESS)
    if weights is not None:
        source.weigh(read_weights(weights, n_rows))
    with telling(), table.faults(where):
        table.warn_of_row_numbers()
        options = {"method": method, "aggregation": aggregation or "sum_of_means"}
        tree, _ = build_tree(source, names=leaf_names, **options)
    return tree


def _tree_of_confusion(path, *, array=None, names=None, levels=()):
    """Tree of the confusion matrix of a file, with the names of another file, if that is given."""
    table = read_confusion(path, array=array, with_names=names is None)
    n_classes = table.scores.shape[1]
    class_names = _names(table.names, n_classes, path, names, "the matrix has {} columns")
    _check_levels(levels, n_classes, f"{shown_text(path)} has {n_classes} columns")
    with doing(path), telling():
        check_memory_of_likeness(n_classes, other_way=WITHOUT_LIKENESS)
        return confusion_tree(table.scores, names=class_names)


def _tree_of_file(path, *, names=None, levels=()):
    """Tree of a file, with the names of another file, if that is given."""
    tree = read_tree(path)
    leaf_names = _names(None, tree.n_leaves, path, names, "the tree has {} leaves")
    if leaf_names is not None:
        if path.suffix.lower() != ".json":
            tree = read_tree(path, leaf_names)
        tree = tree.with_names(leaf_names)
    _check_levels(levels, tree.n_leaves, f"{shown_text(path)} has {tree.n_leaves} leaves")
    return tree


def leaves_of_logits(tree_path, paths, kind, *, array=None, header=None, names=None, levels=()):
    """Tree of a file, and the leaf of each row of some files of logits, as of `_tree_of_logits`."""
    if len(paths) > 1:
        _check_several(paths, array, header)
    read = partial(read_scores, kind=kind, array=array, header=header, with_names=names is None)
    tables = list(map(read, paths))
    n_columns = tables[0].scores.shape[1]
    for table in tables:
        if (n := table.scores.shape[1]) != n_columns:
            raise InputError(
                f"{shown_text(table.path)} has {n} columns, and {shown_text(paths[0])} {n_columns}."
            )
    columns = _names(tables[0].names, n_columns, paths[0], names)
    tree = read_tree(tree_path, columns)
    leaf = leaf_of_column(tree_path, tree, columns, n_columns)
    _check_levels(levels, tree.n_leaves, f"{shown_text(tree_path)} has {tree.n_leaves} leaves")
    leaves = []
    with telling():
        tables[0].warn_of_row_numbers()
        for table in tables:
            with table.faults(table.path):
                leaves.append(leaf[as_logits(table.scores, kind).leaves()])
    return tree, np.concatenate(leaves)


def _open_files(paths, kind, divisor):
    """`Shards` of several .npy files."""
    try:
        return open_shards(paths, kind=kind, divisor=divisor)
    except OSError as error:
        raise InputError(f"{error.strerror or error}.", of=error.filename) from error
    except ValueError as error:
        raise InputError(str(error)) from error


def _check_several(paths, array, header):
    """Refuse several files that are not .npy, and options that these do not have."""
    for path in paths:
        if path.suffix.lower() != ".npy":
            raise InputError("of several files, each must be .npy.", of=path)
    for path in paths:
        check_options(path, array, header)
        with doing(path):
            check_regular(path)


def _refuse_options_of_l2h(**given):
    """Refuse options that the affinity tree does not have."""
    for option, value in given.items():
        if value is not None:
            raise InputError(
                f"--{option}: is for --method l2h, and --method affinity {OF_L2H[option]}: leave "
                "out one of the two."
            )


def _names(names, n_leaves, source, path, what="the logits have {} columns"):
    """Names of the leaves: those of the file at a path, else those that a source has."""
    if path is not None:
        source, names = path, read_names(path, n_leaves)
    if names is not None and len(names) != n_leaves:
        raise InputError(f"names {len(names)} clusters, but {what.format(n_leaves)}.", of=source)
    return names


def _check_levels(levels, n_leaves, what):
    for level in levels:
        if not 1 <= level <= n_leaves:
            raise InputError(f"--level {shown(level)}: {what}, so a level is 1 to {n_leaves}.")
