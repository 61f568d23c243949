"""Categories of warnings, so that each can be told from the others, and silenced alone."""

import sys
import warnings

__all__ = [
    "DisplayWarning",
    "HierarchyWarning",
    "LogitsWarning",
    "StrandedGroupWarning",
    "UnseenClassWarning",
]


class HierarchyWarning(UserWarning):
    """Base of all warnings of this package.

    Examples
    --------
    >>> import warnings
    >>> from skl2h.exceptions import HierarchyWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", HierarchyWarning)
    """


class LogitsWarning(HierarchyWarning):
    """What was given as logits looks like something else, such as probabilities."""


class StrandedGroupWarning(HierarchyWarning):
    """No row gives any probability to a way out of a group, so its partner tells nothing."""


class UnseenClassWarning(HierarchyWarning):
    """Rows are scored whose class the inner model has never seen, so it cannot be right."""


class DisplayWarning(HierarchyWarning):
    """A picture leaves out something that would be too small to read."""


# Texts that searches have been told. Each fit of a search restores the filters, and Python then
# forgets what it has shown already: the same text would come once for every fold and candidate.
_told_in_searches = set()


def warn(text, category):
    """Warn at the line of the first caller outside of this package, scikit-learn and joblib.

    What was already said in a search, such as ``GridSearchCV``, is not said in one again.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back and _module_of(frame).split(".")[0] in ("skl2h", "sklearn", "joblib"):
        frame, level = frame.f_back, level + 1
    if _is_in_search():
        if (category, text) in _told_in_searches:
            return
        _told_in_searches.add((category, text))
    warnings.warn(text, category, stacklevel=level)


def _is_in_search():
    frame = sys._getframe(2)
    while frame:
        if _module_of(frame).startswith("sklearn.model_selection."):
            return True
        frame = frame.f_back
    return False


def _module_of(frame):
    return frame.f_globals.get("__name__", "")
