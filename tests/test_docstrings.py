"""Docstrings say what signatures say."""

import inspect
import re

import pytest

import skl2h
from skl2h import (
    TEMI,
    TURTLE,
    DendrogramDisplay,
    L2HClustering,
    MergeTree,
    ProfileMatrixDisplay,
    datasets,
    evidence,
    export,
    leaf_order,
    metrics,
    palette,
    taxonomy,
)

PUBLIC = [
    skl2h.bootstrap_support,
    skl2h.l2h_tree,
    skl2h.suggest_levels,
    skl2h.merge_evidence,
    skl2h.surprises,
    L2HClustering,
    MergeTree,
    DendrogramDisplay,
    ProfileMatrixDisplay,
    TEMI,
    TURTLE,
    leaf_order.order_leaves,
    palette.group_colors,
    evidence.Evidence.take,
    evidence.Evidence.to_pandas,
    taxonomy.Surprises.to_pandas,
    datasets.make_hierarchical_logits,
    *(getattr(export, name) for name in export.__all__),
    *(getattr(metrics, name) for name in metrics.__all__),
    *(
        method
        for cls in (L2HClustering, MergeTree, DendrogramDisplay, ProfileMatrixDisplay, TEMI, TURTLE)
        for name, method in inspect.getmembers(cls, inspect.isroutine)
        if not name.startswith("_") and method.__module__.startswith("skl2h")
    ),
]


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__qualname__)
def test_parameters_and_defaults_are_those_of_the_signature(public):
    parameters = [
        (str(parameter), parameter.default)
        for name, parameter in inspect.signature(public).parameters.items()
        if name != "self"
    ]
    section = re.search(
        r"Parameters\n\s*-{10}\n(.*?)\n\s*\n", inspect.getdoc(public) + "\n\n", re.S
    )
    lines = re.findall(r"^(\S.*?) : (.*)$|^(\S.*)$", section[1], re.M) if section else []
    written = {
        name.strip(): kind
        for names, kind, alone in lines
        for name in (names or alone.split(" : ")[0]).split(",")
    }
    names = [text.split("=")[0] for text, _ in parameters]
    assert list(written) == names
    for name, (_, default) in zip(names, parameters):
        told = re.search(r"default=(.*)$", written[name])
        if default is inspect.Parameter.empty:
            assert told is None, name
        else:
            shown = repr(default).replace("'", '"')
            assert told, name
            assert told[1].replace("'", '"') == shown, name
