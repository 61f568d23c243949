"""The program `skl2h`. All else is loaded by `main`, so that an interrupt ends in one line."""

import sys


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    code : int
        0 when done, 1 if a file, its content or a value is at fault, 2 if ``--array`` names what
        is no array, 130 if interrupted, 128 and the number of the signal if another one ended it.
        Faults of the command line leave by SystemExit with code 2.
    """
    try:
        from . import command_line

        return command_line.run(argv)
    except KeyboardInterrupt:  # `run` has another handler, unless it is not the main thread
        print("skl2h: interrupted", file=sys.stderr)
        return 130  # as shells have it: 128 and the number of the signal


if __name__ == "__main__":
    sys.exit(main())
