"""Categories of warnings, so that each can be told from the others, and silenced alone."""

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
    """No row gives any probability to a way out of a group, so its partner tells nothing."""


class UnseenClassWarning(HierarchyWarning):
    """Rows are scored whose class the inner model has never seen, so it cannot be right."""


class DisplayWarning(HierarchyWarning):
    """A picture leaves out something that would be too small to read."""


# What was said in each search that is under way. Each of its fits restores the filters, and Python
# then forgets what it has shown: the same text would come once for every fold and candidate.
_said = WeakKeyDictionary()


def warn(text, category):
    """Warn at the line of the first caller outside of this package, scikit-learn and joblib.

    What was shown once in a search, such as ``GridSearchCV``, is not shown again in the same one;
    fits in other threads and processes do not know of each other.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back and _module_of(frame).split(".")[0] in ("skl2h", "sklearn", "joblib"):
        frame, level = frame.f_back, level + 1
    search = _search_around(sys._getframe(1))
    said = set() if search is None else _said.setdefault(search, set())
    if (category, text) in said and not _is_error(text, category):
        return
    warnings.warn(text, category, stacklevel=level)
    said.add((category, text))


def _search_around(frame):
    """The pool that the outermost search of scikit-learn made for its fits, or None.

    It is made anew in each call of a search, and dies with it.
    """
    search = None
    while frame:
        if _module_of(frame).startswith("sklearn.model_selection."):
            search = frame.f_locals.get("parallel", search)
        frame = frame.f_back
    return search


def _is_error(text, category):
    """Whether the filters make an error of a warning: it is to be raised each time."""
    for action, message, kind, module, line in warnings.filters:
        is_general = module is None and line == 0
        if is_general and issubclass(category, kind) and (message is None or message.match(text)):
            return action == "error"
    return False


def _module_of(frame):
    return frame.f_globals.get("__name__", "")
