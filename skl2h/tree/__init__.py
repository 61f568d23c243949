"""A binary tree over leaves, and what is asked of one."""

from .merge_tree import MergeTree

__all__ = ["MergeTree"]
