"""What is loaded of neonize, and what is not, seen in processes of their own."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from tests.whatsapp.linked_device.python import python


def test_the_library_comes_without_its_package() -> None:
    """The shared library is there; the package's client and what that needs are not."""
    done = python(
        """
        import sys
        from pathlib import Path
        from relay.whatsapp.linked_device.neonize_binding import load_library
        load_library()
        print("neonize-" in Path("/proc/self/maps").read_text())
        spared = {"neonize", "neonize.client", "neonize.download", "neonize.utils",
                  "magic", "PIL", "bs4", "httpx", "requests", "tqdm"}
        print(sorted(spared & set(sys.modules)))
        """
    )
    assert done.stdout == "True\n[]\n", done.stderr


def test_the_package_can_still_be_imported_whole() -> None:
    """Nothing of what stood in for it is left: whoever wants the client gets it."""
    done = python(
        """
        import logging, pylibmagic
        logging.getLogger().addHandler(logging.NullHandler())
        from relay.whatsapp.linked_device.neonize_binding import load_library
        from relay.whatsapp.linked_device.protobufs import load
        ours, jid = load_library(), load().JID
        import neonize
        from neonize._binder import gocode
        from neonize.proto.Neonize_pb2 import JID
        from neonize.utils.jid import build_jid
        print(neonize.NewClient.__name__, gocode is ours._go, JID is jid, build_jid("1").User)
        """
    )
    assert done.stdout == "NewClient True True 1\n", done.stderr


def test_nothing_is_seen_half_imported() -> None:
    """Many threads that need the message classes or the library first get all of it, by turns."""
    done = python(
        """
        import importlib, threading
        from relay.whatsapp.linked_device import neonize_binding, protobufs
        real, inside, beside = importlib.import_module, [], []
        def watched(name):
            here = threading.get_ident()
            beside.extend(thread for thread in inside if thread != here)
            inside.append(here)
            try:
                return real(name)
            finally:
                inside.remove(here)
        importlib.import_module = watched
        seen, libraries = [], set()
        def look(at):
            if at % 2:
                seen.append(hasattr(protobufs.load(), "UndecryptableMessage"))
            else:
                libraries.add(neonize_binding.load_library())
        threads = [threading.Thread(target=look, args=(at,)) for at in range(20)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(seen == [True] * 10, len(libraries), beside)
        """
    )
    assert done.stdout == "True 1 []\n", done.stderr


_TELLING = """
import importlib.util, socket, sys
def refuse(*_): raise AssertionError("the network was asked")
socket.socket.connect = socket.getaddrinfo = refuse
from relay.whatsapp.linked_device import neonize_binding, neonize_modules
from relay.whatsapp.linked_device.library import LibraryMissingError
{before}
try:
    neonize_binding.load_library()
except LibraryMissingError as error:
    print(error)
print("requests" in sys.modules)
"""


def told(before: str) -> str:
    """How the library says that it cannot be loaded, once ``before`` was done to the process."""
    done = python(_TELLING.format(before=before))
    words, fetched = done.stdout.splitlines()
    assert fetched == "False", "what fetches a library was loaded"
    return words


def test_a_missing_package_is_told() -> None:
    """Which one, in which version."""
    words = told("importlib.util.find_spec = lambda _: None")
    assert words == "neonize 0.5.2 cannot be loaded: the package neonize is not installed"


def test_a_missing_shared_library_is_told(tmp_path: Path) -> None:
    """As on a machine for which there is none. None is fetched from the network in its place."""
    found = importlib.util.find_spec("neonize")
    assert found is not None
    assert found.origin is not None
    shutil.copytree(
        Path(found.origin).parent,
        tmp_path / "neonize",
        ignore=shutil.ignore_patterns("*.so", "proto", "__pycache__"),
    )
    words = told(f"sys.path.insert(0, {str(tmp_path)!r})")
    assert words.startswith("neonize 0.5.2 cannot be loaded: ")
    assert "no shared library for this machine" in words


def test_another_library_than_the_pinned_one_is_told() -> None:
    """It is not used, and no other is fetched from the network."""
    words = told("neonize_modules.VERSION = neonize_binding.VERSION = '0.4'")
    assert words.startswith("neonize 0.4 cannot be loaded: ")
    assert "found 0.5.2, expected 0.4" in words
