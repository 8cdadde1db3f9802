"""A script: prints the ids of the messages that bear a mark, oldest first. See ``marks``.

    python lookup.py DATABASE MARK

It is started as a file, so that nothing but the standard library is loaded.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def look_up(database: str, mark: bytes) -> list[str]:
    """The ids in the library's table of secrets; none where there is no session."""
    if not Path(database).exists():
        return []
    uri = f"file:{quote(database)}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=5)) as connection:
        rows = connection.execute(
            "SELECT message_id FROM whatsmeow_message_secrets WHERE key = ? ORDER BY rowid", (mark,)
        )
        return [str(id_) for (id_,) in rows]


if __name__ == "__main__":
    sys.stdout.write("\n".join(look_up(sys.argv[1], bytes.fromhex(sys.argv[2]))))
