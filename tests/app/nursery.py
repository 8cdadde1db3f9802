"""Forks relays from a process that has loaded everything already, so that a start takes no second.

What is forked is a process like any other: it may be killed, and it dies with its own exit status.
The wish for one is a datagram with its arguments and environment, and with the descriptors that it
is to have: a leash, on which its pid and its exit status are told, standard output, standard error
and listening sockets, which come to lie at 3 and above as systemd hands them down.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from types import TracebackType
from typing import NoReturn, Self

_LONGEST_WISH = 64 * 1024
_MOST_DESCRIPTORS = 16
_FIRST_FD = 3  # sd_listen_fds(3)


class Nursery:
    """The test's side of the process that forks."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  ourselves
                [sys.executable, "-m", "tests.app.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours

    def fork(
        self,
        arguments: list[str],
        environment: dict[str, str],
        *,
        leash: int,
        output: int,
        errors: int,
        listening: list[int],
    ) -> None:
        """Ask for a relay; its pid is the first line on the leash, its exit status the second."""
        wish = json.dumps({"arguments": arguments, "environment": environment}).encode()
        socket.send_fds(self._socket, [wish], [leash, output, errors, *listening])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """It kills what it has forked, and ends, when its socket closes."""
        self._socket.close()
        self._process.wait(timeout=10)


def main(descriptor: int) -> None:
    """Fork on request until the test has gone."""
    from tests.app import child  # noqa: F401, PLC0415  loaded once, for all that are forked

    children: dict[int, int] = {}
    woken, waker = socket.socketpair()
    for end in (woken, waker):
        end.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with socket.socket(fileno=descriptor) as wishes, selectors.DefaultSelector() as selector:
        selector.register(wishes, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if woken in ready:
                woken.recv(_LONGEST_WISH)
                _bury(children)
            if wishes in ready and not _grant(wishes, children):
                break
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _grant(wishes: socket.socket, children: dict[int, int]) -> bool:
    """One wish; False once there can be no more."""
    wish, descriptors, _, _ = socket.recv_fds(wishes, _LONGEST_WISH, _MOST_DESCRIPTORS)
    if not wish:
        return False
    pid = os.fork()
    if pid == 0:
        _become_relay(json.loads(wish), descriptors)
    children[pid] = descriptors[0]
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    os.write(descriptors[0], b"%d\n" % pid)
    return True


def _bury(children: dict[int, int]) -> None:
    """Tell the exit status of every child that has died; a signal's is negative."""
    for pid in tuple(children):
        with contextlib.suppress(ChildProcessError):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found == pid:
                leash = children.pop(pid)
                with contextlib.suppress(BrokenPipeError):
                    os.write(leash, b"%d\n" % os.waitstatus_to_exitcode(status))
                os.close(leash)


def _become_relay(wish: dict[str, object], descriptors: list[int]) -> NoReturn:
    """Look like a process that systemd has just exec'ed; then be one."""
    from tests.app import child  # noqa: PLC0415

    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _arrange(descriptors[1:])
        environment, arguments = wish["environment"], wish["arguments"]
        assert isinstance(environment, dict)
        assert isinstance(arguments, list)
        os.environ.clear()
        os.environ.update(environment)
        if len(descriptors) > 3:
            os.environ["LISTEN_PID"] = str(os.getpid())
        child.run(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  told as an interpreter tells it
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _arrange(descriptors: list[int]) -> None:
    """Standard output, standard error, listening sockets: at 1, 2, 3… and nothing else open."""
    top = 64
    high = [os.dup2(fd, top + at, inheritable=True) for at, fd in enumerate(descriptors)]
    output, errors, *listening = high
    for target, fd in [(1, output), (2, errors), *enumerate(listening, start=_FIRST_FD)]:
        os.dup2(fd, target, inheritable=True)
    os.closerange(_FIRST_FD + len(listening), top + len(high))


if __name__ == "__main__":
    main(int(sys.argv[1]))
