"""Categories of warnings, so that each can be told from the others, and silenced alone."""

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
