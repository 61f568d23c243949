"""How the command line ends: faults and warnings in one line each, and signals that end it.

Nothing here takes long to load, so that an interrupt meanwhile is answered in one line as well.
"""

import os
import signal
import sys
import threading
import traceback
import warnings
from contextlib import contextmanager, suppress

from .texts import escaped, shown_text

__all__ = [
    "EndedError",
    "InputError",
    "doing",
    "say",
    "show",
    "signals_as_errors",
    "signals_held",
    "telling",
    "trace",
]


class InputError(Exception):
    """A fault of what was given, or of what was being done, in one line.

    The line begins with what the fault is of, such as a file, if that is given.

    Attributes
    ----------
    code : int
        Exit code.
    """

    def __init__(self, text, *, of=None, code=1):
        super().__init__(text if of is None else f"{shown_text(of)}: {text}")
        self.code = code


class EndedError(BaseException):
    """A signal has come that ends the run.

    Attributes
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def is_interrupt(self):
        """Whether it was ended at the keyboard."""
        return self.number == signal.SIGINT


def say(line):
    """Print a line for people, beside the output."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # nobody listens, as when a terminal has been closed
            print(f"skl2h: {escaped(line)}", file=sys.stderr)


def trace(error):
    """Print where an error came from."""
    if sys.stderr is not None:
        for line in "".join(traceback.format_exception(error)).splitlines():
            with suppress(OSError, ValueError):
                print(escaped(line), file=sys.stderr)


def show(text):
    """Print what was asked for."""
    if sys.stdout is None:
        raise InputError("there is no output to print to: give a file with --out.")
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        _drop_output()  # the reader of our output has left (`| head`): that is no fault
    except OSError as error:
        _drop_output()
        raise InputError(_why(error), of="the output") from error


def _drop_output():
    """Let what is still held back go nowhere, instead of failing once more at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def doing(what):
    """Name what was being done in the error of whatever fails meanwhile."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(_why(error), of=what) from error


def _why(error):
    if isinstance(error, OSError):
        return f"{error.strerror or error}."
    if isinstance(error, MemoryError):
        return "there is not enough memory."
    if isinstance(error, UnicodeEncodeError):
        return f"a name cannot be written ({error})."
    if isinstance(error, (ValueError, RuntimeError)) and not isinstance(error, RecursionError):
        return str(error)  # a sentence of ours
    return f"{type(error).__name__}: {error} (--debug shows where)."


@contextmanager
def telling(where=None):
    """Print each warning that comes meanwhile in one line, once, and where it comes from."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # some are UserWarnings as well
        yield
    place = "" if where is None else f"{shown_text(where)}: "
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        say(f"warning: {place}{message}")


def _signals():
    """Signals that end a run, where this thread may handle them."""
    if threading.current_thread() is not threading.main_thread():
        return []
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


@contextmanager
def signals_as_errors():
    """Let signals that end a run raise `EndedError`, so that nothing half-made is left."""
    before = {}

    def end(number, frame):
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # a terminal that closes sends it twice
        raise EndedError(number)

    for number in _signals():
        handler = signal.getsignal(number)
        # One that is ignored stays so (`nohup`), and one that is handled is somebody's.
        if handler in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = handler
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_held():
    """Let signals that end a run wait for the end of what must not be left half-done."""
    before, came = {}, []
    for number in _signals():
        if callable(signal.getsignal(number)):
            before[number] = signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)
