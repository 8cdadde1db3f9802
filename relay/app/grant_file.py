"""The file that holds the tokens of an administrator's consent: ``oauth.json`` in the storage.

A file and not the database, so that `relay authorize` can write it without the relay, a copy of the
database holds no token, and one renaming is the whole transaction.
"""

from __future__ import annotations

import os
from pathlib import Path

from relay.sqlite.errors import StorageError
from relay.whatsapp.linked_device.private_files import open_private, sync

NAME = "oauth.json"


class GrantFile:
    """Read at the start, replaced as a whole."""

    def __init__(self, storage: Path) -> None:
        self._path = storage / NAME
        self._new = storage / f"{NAME}.new"

    def read(self) -> bytes | None:
        """What is kept; None if there is nothing yet.

        Raises:
            StorageError: it cannot be read.
        """
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(
                f"{self._path}: {error.strerror}; it must belong to the relay's user, mode 0600"
            ) from error

    def keep(self, content: bytes) -> None:
        """Replace it: after a power cut there is either the old or the new, never a part.

        It does not leave the loop, and takes as long as the disk does: milliseconds, twice a day.

        Raises:
            OSError: the disk refuses; what was kept stays.
        """
        file = open_private(self._new)
        try:
            os.ftruncate(file, 0)
            _write(file, content)
            os.fsync(file)
        finally:
            os.close(file)
        self._new.replace(self._path)
        sync(self._path.parent)


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
