"""How far a fit is: scikit-learn's callbacks show it, where there are any, and it is printed.

task     a part of a fit, made of smaller tasks; callbacks are called when it begins and ends
step     a task without tasks inside
report   a call with the merges made, the merges in all, and how often each row was read

Nothing else asks whether scikit-learn has callbacks; where it has none, tasks are silent.
"""

from contextlib import contextmanager

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:
        """Stands in for scikit-learn's, and has no methods."""

    def with_callbacks(fit):
        """Stand in for scikit-learn's, and change nothing."""
        return fit


__all__ = ["CallbackSupportMixin", "Task", "print_tenth", "printing", "with_callbacks"]


class Task:
    """A part of a fit. One that is interrupted begins, and never ends.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext or None
        None is silent.
    about : dict
        What callbacks may ask for: the estimator, X, y and metadata.
    """

    def __init__(self, context, about):
        self.context = context
        self.about = about

    @classmethod
    def of_fit(cls, estimator, n_tasks, X, y, sample_weight=None):
        """Begin the fit of an estimator; its ``fit`` needs the decorator `with_callbacks`."""
        start = getattr(estimator, "_init_callback_context", None)
        context = None if start is None else start(max_subtasks=n_tasks)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        about = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        return cls(context, about).begin()

    def part(self, name, n_tasks=0):
        """Task within this one, not begun yet."""
        if self.context is None:
            return self
        return Task(self.context.subcontext(task_name=name, max_subtasks=n_tasks), self.about)

    def begin(self):
        if self.context is not None:
            self.context.call_on_fit_task_begin(**self.about)
        return self

    def end(self, **more):
        if self.context is not None:
            # Callbacks may ask to stop here; but a tree is made whole or not at all.
            self.context.call_on_fit_task_end(**self.about, **more)

    @contextmanager
    def of_inner(self, estimator):
        """Begin and end around the fit of an inner model, which tells of its own tasks."""
        # By class: a frozen model answers for what it holds, but fits nothing. And a model
        # without callbacks is no reason to warn.
        if self.context is None or not hasattr(type(estimator), "set_callbacks"):
            self.begin()
            yield
            self.end()
        else:
            with self.context.propagate_callback_context(estimator):
                self.begin()
                yield
                self.end()

    def on_merge(self):
        """Reports to this task: each ends a step, of which the reading of rows is the first."""
        step = self.part("read-rows").begin()

        def report(n_made, n_merges, n_reads):
            nonlocal step
            step.end()
            if n_made < n_merges:
                step = self.part("make-merges").begin()

        return report


def printing(on_merge=None):
    """Reports that are printed at every tenth of the merges, and passed on."""
    last = -1

    def report(n_made, n_merges, n_reads):
        nonlocal last
        tenth = 10 * n_made // max(n_merges, 1)
        if tenth > last:
            last = tenth
            print(
                f"[l2h] {n_made} of {n_merges} merges made, each row read {n_reads:.1f} times",
                flush=True,
            )
        if on_merge is not None:
            on_merge(n_made, n_merges, n_reads)

    return report


def print_tenth(name, n_made, n_steps, loss):
    """Print a line at each tenth of the steps of a search."""
    if 10 * n_made // n_steps > 10 * (n_made - 1) // n_steps:
        print(f"[{name}] {n_made} of {n_steps} steps made, loss {loss:.4f}", flush=True)
