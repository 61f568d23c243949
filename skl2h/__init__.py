"""A hierarchy of the clusters of any fitted clusterer or classifier, read from its logits."""

from importlib.metadata import version

from . import datasets, exceptions, export, metrics
from .build import l2h_tree
from .estimator import L2HClustering
from .evidence import merge_evidence
from .levels import suggest_levels
from .plotting import DendrogramDisplay
from .profile_plotting import ProfileMatrixDisplay
from .support import bootstrap_support
from .taxonomy import surprises
from .temi import TEMI
from .tree import MergeTree
from .turtle import TURTLE

__version__ = version("skl2h")

__all__ = [
    "TEMI",
    "TURTLE",
    "DendrogramDisplay",
    "L2HClustering",
    "MergeTree",
    "ProfileMatrixDisplay",
    "__version__",
    "bootstrap_support",
    "datasets",
    "exceptions",
    "export",
    "l2h_tree",
    "merge_evidence",
    "metrics",
    "suggest_levels",
    "surprises",
]
