"""The one check: formatting, linting, types, the direction of imports, tests with coverage.

``python -m tests``; ends with status 0 only if every step is clean.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

_HERE = Path(sys.executable).parent
_ROOT = Path(__file__).parent.parent
_STEPS: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
    # Four beside each other whatever the machine has: the long ones wait for real processes. One
    # that has nothing left to do takes over half of what another still has.
    (
        *("pytest", "-n4", "--dist=worksteal", "-q", "--durations=10"),
        *("--cov", "--cov-report=term:skip-covered"),
    ),
)
# Hundreds of processes are started: without bytecode each compiles all the relay's source anew,
# which is half of what most tests cost.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def main() -> int:
    """Run every step; the number of those that failed."""
    failed: list[str] = []
    for step in _STEPS:
        print(f"==> {' '.join(step)}", flush=True)
        begun = time.monotonic()
        command = [str(_HERE / step[0]), *step[1:]]
        status = subprocess.run(command, cwd=_ROOT, env=_ENVIRONMENT, check=False).returncode  # noqa: S603
        print(f"    {time.monotonic() - begun:.0f} s", flush=True)
        if status != 0:
            failed.append(step[0])
    print(f"failed: {', '.join(failed)}" if failed else "all clean", flush=True)
    return len(failed)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
