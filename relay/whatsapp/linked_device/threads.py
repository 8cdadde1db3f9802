"""Calls into the library, each on a daemon thread of its own.

asyncio's default executor is no place for them: every client keeps one thread for its whole life,
a send can hold one for over a minute, and a pool's threads are waited for at exit.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def on_own_thread(name: str, work: Callable[[], T]) -> T:
    """The result of ``work``. Cancelling gives up the waiting; the thread ends when it ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # T itself may be None

    def run() -> None:
        try:
            result, error = work(), None
        except BaseException as caught:  # noqa: BLE001 - it comes out of the await
            result, error = None, caught
        tell(loop, settle, result, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future


def tell(loop: asyncio.AbstractEventLoop, what: Callable[..., object], *args: object) -> bool:
    """Run ``what`` on the loop, from any thread; False if the loop is closed already."""
    try:
        loop.call_soon_threadsafe(what, *args)
    except RuntimeError:
        return False
    return True
