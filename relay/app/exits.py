"""The exit statuses of every command."""

from __future__ import annotations

from typing import Final

EXIT_FAILED: Final = 1
EXIT_CONFIGURATION: Final = 78
"""EX_CONFIG of sysexits(3): the file is wrong; systemd does not start the service again."""
