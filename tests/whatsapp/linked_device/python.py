"""A Python of its own, for what a whole process is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

_ROOT = Path(__file__).parents[3]


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``code``; ``arguments`` are the interpreter's."""
    env = {k: v for k, v in os.environ.items() if k != "NEONIZE_BOT_TAG"} | environment
    return subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, *arguments, "-c", textwrap.dedent(code)],
        cwd=_ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
