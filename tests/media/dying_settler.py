"""The program that settles bundles, killed after so many files have their names.

python -m tests.media.dying_settler COUNT BUNDLE FOLDER
"""

from __future__ import annotations

import os
import signal
import sys

from relay.media import settler


def main(count: str, bundle: str, files: str) -> None:
    left, show = int(count), settler.show

    def show_or_die(fd: int, order: settler.Order, folder: int) -> bool:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return show(fd, order, folder)

    settler.show = show_or_die
    settler.main(bundle, files)


if __name__ == "__main__":
    main(*sys.argv[1:])
