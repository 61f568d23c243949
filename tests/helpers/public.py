"""Everything that is public, and its methods."""

import inspect

import skl2h
from skl2h import (
    TEMI,
    TURTLE,
    DendrogramDisplay,
    L2HClustering,
    MergeTree,
    ProfileMatrixDisplay,
    datasets,
    export,
    metrics,
)
from skl2h.tree.leaf_order import order_leaves
from skl2h.tree.palette import group_colors

CLASSES = (
    L2HClustering,
    MergeTree,
    DendrogramDisplay,
    ProfileMatrixDisplay,
    TEMI,
    TURTLE,
    skl2h.Evidence,
    skl2h.Surprises,
)


def is_function_or_method(member):
    """Whether it is a function or bound method: Python 3.13 calls more things a routine."""
    return inspect.isfunction(member) or inspect.ismethod(member)


PUBLIC = [
    skl2h.bootstrap_support,
    skl2h.l2h_tree,
    skl2h.affinity_tree,
    skl2h.affinities,
    skl2h.confusion_tree,
    skl2h.suggest_levels,
    skl2h.merge_evidence,
    skl2h.surprises,
    skl2h.profile_matrix,
    skl2h.show_versions,
    L2HClustering,
    MergeTree,
    DendrogramDisplay,
    ProfileMatrixDisplay,
    TEMI,
    TURTLE,
    order_leaves,
    group_colors,
    datasets.make_hierarchical_logits,
    *(getattr(export, name) for name in export.__all__),
    *(getattr(metrics, name) for name in metrics.__all__),
    *(
        method
        for cls in CLASSES
        for name, method in inspect.getmembers(cls, is_function_or_method)
        if not name.startswith("_") and method.__module__.startswith("skl2h")
    ),
]
