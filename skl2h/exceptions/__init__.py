"""Categories of warnings, so that each kind can be silenced alone."""

from .categories import (
    DisplayWarning,
    HierarchyWarning,
    LogitsWarning,
    StrandedGroupWarning,
    UnseenClassWarning,
)

__all__ = [
    "DisplayWarning",
    "HierarchyWarning",
    "LogitsWarning",
    "StrandedGroupWarning",
    "UnseenClassWarning",
]
