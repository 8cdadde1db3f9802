"""``relay widget build``: the archive that an administrator uploads into amoCRM."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from relay.config.model import Config
from relay.widget.archive import build_archive, version_at


def build_widget(config: Config, out: Path) -> str:
    """Write the archive for this relay; the version it has.

    Raises:
        OSError: it cannot be written there.
    """
    version = version_at(datetime.now(UTC))
    out.write_bytes(build_archive(str(config.server.public_url), version))
    return version
