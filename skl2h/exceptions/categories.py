"""Categories of warnings, so that each kind can be silenced alone."""

import sys
import warnings
from weakref import WeakKeyDictionary

__all__ = [
    "DisplayWarning",
    "HierarchyWarning",
    "LogitsWarning",
    "StrandedGroupWarning",
    "UnseenClassWarning",
    "warn",
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
    """No row gives any probability to a way out of a group, so its partner has no meaning.

    In an affinity tree, nothing would go to or from a leaf.
    """


class UnseenClassWarning(HierarchyWarning):
    """Some scored rows are of a class that the inner model has never seen, so it must be wrong."""


class DisplayWarning(HierarchyWarning):
    """A picture leaves out what would be too small to read."""


# Warnings that each running search has shown. Every fit of a search restores the filters, and
# Python then forgets what it has shown: a text would come again for every fold and candidate.
_shown = WeakKeyDictionary()


def warn(text, category):
    """Warn at the line of the first caller outside of this package, scikit-learn and joblib.

    A search, such as ``GridSearchCV``, shows the same warning once. Fits in other threads and
    processes do not know of each other.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back and _module_of(frame).split(".")[0] in ("skl2h", "sklearn", "joblib"):
        frame, level = frame.f_back, level + 1
    search = _search_around(sys._getframe(1))
    shown = set() if search is None else _shown.setdefault(search, set())
    if (category, text) in shown and not _is_error(text, category):
        return
    warnings.warn(text, category, stacklevel=level)
    shown.add((category, text))


def _search_around(frame):
    """The pool that the outermost search of scikit-learn made for its fits, or None.

    Each call of a search makes a new pool, which ends with the call.
    """
    search = None
    while frame:
        if _module_of(frame).startswith("sklearn.model_selection."):
            search = frame.f_locals.get("parallel", search)
        frame = frame.f_back
    return search


def _is_error(text, category):
    """Whether the filters turn a warning into an error, which has to be raised each time."""
    for action, message, kind, module, line in warnings.filters:
        is_general = module is None and line == 0
        if is_general and issubclass(category, kind) and (message is None or message.match(text)):
            return action == "error"
    return False


def _module_of(frame):
    return frame.f_globals.get("__name__", "")
