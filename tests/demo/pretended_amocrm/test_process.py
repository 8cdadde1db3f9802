"""The pretended amoCRM as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys

import aiohttp


async def test_it_serves_until_it_is_told_to_end() -> None:
    """Its first line is the address it answers at; SIGTERM ends it with success."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "relay.demo.pretended_amocrm", "--light",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{url}/api/v4/account") as answer,
        ):
            assert answer.status == 401
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
