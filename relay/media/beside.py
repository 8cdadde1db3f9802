"""Has many files of a bundle written by a process beside this one: :mod:`relay.media.settler`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from relay.media import settler
from relay.media.small import Bundled

MANY: Final = 64
"""For fewer files a process is not worth its start."""

_PATIENCE_S: Final = 300.0
_COMMAND: Final = ("nice", "-n", "10", sys.executable, "-I", "-S", settler.__file__)


def written_beside(bundle: Path, files: Path, ones: Sequence[Bundled]) -> Sequence[Bundled]:
    """Those that got files of their own by it, which are on the disk. Others had one already.

    Raises:
        OSError: it could not be done, or not all of it.
    """
    orders = b"".join(
        b"%d/%d/%d/%d/%b\0"
        % (one.place.at, one.size, one.since_ns, one.state, os.fsencode(one.name.on_disk))
        for one in ones
    )
    try:
        done = subprocess.run(  # noqa: S603 - a program of ours
            [*_COMMAND, bundle, files],
            input=orders,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        *_, words = bytes(error.stderr).decode("utf-8", "replace").strip().split("\n")
        told = f"the process that writes them ended with {error.returncode}: {words or 'no word'}"
        raise OSError(told) from error
    except subprocess.TimeoutExpired as error:
        raise OSError(f"the process that writes them took over {_PATIENCE_S:g} s") from error
    left = {int(number) for number in done.stdout.split()}
    return [one for number, one in enumerate(ones) if number not in left]
