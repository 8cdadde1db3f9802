"""What the library demands of the process, seen in processes of their own."""

from __future__ import annotations

import json

from tests.whatsapp.linked_device.python import python


def test_the_environment_is_there_at_exec() -> None:
    """The process starts itself again, once, as itself: same id, same flags, same arguments."""
    done = python(
        """
        import os, sys, json
        before = os.environ.get("TEST_SEEN", "")
        os.environ["TEST_SEEN"] = before + f"{os.getpid()} "
        from relay.whatsapp.linked_device import reexec_if_needed
        reexec_if_needed()
        with open("/proc/self/environ", "rb") as file:
            at_exec = dict(p.split(b"=", 1) for p in file.read().split(b"\\0") if b"=" in p)
        print(json.dumps([before, os.getpid(), sys.flags.optimize,
                          at_exec[b"NEONIZE_BOT_TAG"].decode()]))
        """,
        "-O",
    )
    seen, pid, optimised, tag = json.loads(done.stdout)
    assert seen.split() == [str(pid)]
    assert (optimised, tag) == (1, "off")


def test_the_right_environment_starts_nothing_again() -> None:
    """A process that was started right goes on."""
    done = python(
        """
        from relay.whatsapp.linked_device import reexec_if_needed, required_environment
        import os
        os.execve = None
        reexec_if_needed()
        print(required_environment()["NEONIZE_BOT_TAG"])
        """,
        NEONIZE_BOT_TAG="off",
    )
    assert done.stdout == "off\n"


def test_what_the_library_prints_goes_nowhere() -> None:
    """Descriptor 1 is the library's; ours still leads where it led."""
    done = python(
        """
        import os
        from relay.whatsapp.linked_device import mute_library_output
        print("before")
        mute_library_output()
        os.write(1, b"SendMessage: error for 79161234567\\n")
        print("после")
        """,
        PYTHONIOENCODING="utf-8",
    )
    assert done.stdout == "before\nпосле\n"


def test_leaving_waits_for_no_thread() -> None:
    """The exit code and everything written arrive, although a thread hangs."""
    done = python(
        """
        import sys, threading
        from relay.whatsapp.linked_device import exit_process
        threading.Thread(target=threading.Event().wait).start()
        sys.stdout.write("written")
        exit_process(7)
        """
    )
    assert (done.stdout, done.returncode) == ("written", 7)


def test_the_engine_alone_loads_no_library() -> None:
    """Importing the engine, making one and reading its journal loads no shared library."""
    done = python(
        """
        import sys
        from pathlib import Path
        from tests.whatsapp.linked_device import samples
        from tests.clock import HandClock
        from relay.whatsapp.linked_device import LinkedDevice
        engine = LinkedDevice("sales", Path("/nowhere/sales.db"), None, None, HandClock())
        event = samples.message(samples.source(samples.PHONE))
        print(engine.read(samples.payload(samples.Code.MESSAGE, event))[0].content.text)
        heavy = {"neonize", "neonize._binder", "neonize.client", "magic", "PIL", "requests"}
        print(sorted(heavy & set(sys.modules)))
        print("neonize-" in Path("/proc/self/maps").read_text())
        """
    )
    assert done.stdout.split("\n")[:3] == ["hi", "[]", "False"], done.stderr


def test_loading_the_library_leaves_the_process_as_it_was() -> None:
    """No root handler, no search path for children, the same loop executor; and it is cached."""
    done = python(
        """
        import logging, os, json
        before = {k: os.environ.get(k) for k in ("LD_LIBRARY_PATH", "LIBRARY_PATH")}
        level = logging.getLogger().level
        from relay.whatsapp.linked_device.neonize_binding import load_library
        first = load_library()
        root = logging.getLogger()
        print(json.dumps([
            root.handlers == [], root.level == level,
            before == {k: os.environ.get(k) for k in before},
            load_library() is first,
        ]))
        """
    )
    assert json.loads(done.stdout) == [True, True, True, True], done.stderr
    assert done.stderr == ""


def test_the_librarys_words_are_masked() -> None:
    """A line of the library's log loses every number that could be a telephone's."""
    done = python(
        """
        from relay.whatsapp.linked_device.library_log import without_numbers
        print(without_numbers("from 79161234567@s.whatsapp.net in 100000000000003@lid: 12345"))
        """
    )
    assert done.stdout == "from +7…67@s.whatsapp.net in +…03@lid: 12345\n"
