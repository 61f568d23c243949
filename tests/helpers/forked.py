"""Python runs that start at once: each is a fork of a process that has loaded all libraries."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

__all__ = ["Forks"]

# It receives code, with a folder and streams for output and errors, runs it, and answers with the
# exit code. A run ends as the interpreter does, as in a process of its own.
SERVER = """
import gc, json, os, signal, socket, sys
import skl2h.hierarchy.of_files, skl2h.plotting.files

channel = socket.socket(fileno=int(sys.argv[1]))
# As a terminal starts a program, whatever the tests were started by: `nohup` has a signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in {"SIGTERM", "SIGHUP"} & set(dir(signal)):
    signal.signal(getattr(signal, name), signal.SIG_DFL)
gc.freeze()  # so that the end of a fork does not go through all that was loaded
while True:
    request, files, *_ = socket.recv_fds(channel, 2**20, 2)
    if not request:
        break
    child = os.fork()
    if child == 0:
        channel.close()
        folder, source, sys.argv = json.loads(request)
        os.chdir(folder)
        for number, file in enumerate(files, start=1):
            os.dup2(file, number)
            os.close(file)
        exec(source, {"__name__": "__main__"})
        sys.exit()
    for file in files:
        os.close(file)
    channel.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())
"""

MODULE = "import runpy; runpy.run_module('skl2h', run_name='__main__', alter_sys=True)"


class Forks:
    """A process that is forked for each run."""

    def __init__(self):
        self._channel, other = socket.socketpair()
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        command = [sys.executable, "-c", SERVER, str(other.fileno())]
        with other:
            self._server = subprocess.Popen(
                command,
                pass_fds=[other.fileno()],
                env=environment,
                stdout=subprocess.PIPE,  # so that output is buffered until the end, as in a pipe
            )

    def close(self):
        """End the process."""
        self._channel.close()
        self._server.stdout.close()
        self._server.wait()

    def skl2h(self, *arguments, stdout=None):
        """Run `python -m skl2h` in the current folder; give (exit code, output, errors)."""
        return self.python(MODULE, *arguments, stdout=stdout)

    def python(self, source, *arguments, stdout=None):
        """Run `python -c` in the current folder, with an open file as its output or a pipe."""
        request = json.dumps([str(Path.cwd()), source, ["-c", *arguments]]).encode()
        pipes = [os.pipe(), os.pipe()]
        ends = [write for _, write in pipes]
        if stdout is not None:
            ends[0] = stdout if isinstance(stdout, int) else stdout.fileno()
        socket.send_fds(self._channel, [request], ends)
        for _, write in pipes:
            os.close(write)
        found = []
        for read, _ in pipes:
            with open(read, encoding="utf-8") as file:
                found.append(file.read())
        return int(self._channel.recv(20)), *found
