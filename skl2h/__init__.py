"""A hierarchy of the clusters of any fitted clusterer or classifier, read from its logits."""

from importlib.metadata import version

from .tree import MergeTree

__version__ = version("skl2h")

__all__ = ["MergeTree", "__version__"]
