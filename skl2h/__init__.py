"""A hierarchy of the clusters of any fitted clusterer or classifier, read from its logits."""

from importlib import import_module

__all__ = [
    "TEMI",
    "TURTLE",
    "DendrogramDisplay",
    "Evidence",
    "L2HClustering",
    "MergeTree",
    "ProfileMatrixDisplay",
    "Surprises",
    "__version__",
    "affinities",
    "affinity_tree",
    "bootstrap_support",
    "confusion_tree",
    "datasets",
    "exceptions",
    "export",
    "l2h_tree",
    "merge_evidence",
    "metrics",
    "profile_matrix",
    "show_versions",
    "suggest_levels",
    "surprises",
]

# Loaded when they are asked for: the command line has to answer an interrupt before that.
_HOMES = {
    "TEMI": "flat.temi",
    "TURTLE": "flat.turtle",
    "DendrogramDisplay": "plotting.dendrogram",
    "Evidence": "hierarchy.evidence",
    "L2HClustering": "hierarchy.estimator",
    "MergeTree": "tree.merge_tree",
    "ProfileMatrixDisplay": "plotting.profile_matrix",
    "Surprises": "hierarchy.surprises",
    "affinities": "hierarchy.affinity",
    "affinity_tree": "hierarchy.affinity",
    "bootstrap_support": "hierarchy.support",
    "confusion_tree": "hierarchy.affinity",
    "l2h_tree": "hierarchy.build",
    "merge_evidence": "hierarchy.evidence",
    "profile_matrix": "hierarchy.profile_matrix",
    "show_versions": "hierarchy.versions",
    "suggest_levels": "hierarchy.levels",
    "surprises": "hierarchy.surprises",
}


def __getattr__(name):
    if name == "__version__":
        return import_module("importlib.metadata").version("skl2h")
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    module = f"{__name__}.{name}"
    if not name.startswith("_"):
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'", name=name)


def __dir__():
    return sorted({*globals(), *__all__})
