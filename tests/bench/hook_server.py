"""A process that takes hooks: a bare aiohttp handler, or the relay's own door."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

from aiohttp import web

from relay.app.interpreter import tune
from relay.delivery.ledger import Conversation, Ledger
from relay.domain.ids import ClientAddress, conversation_id
from relay.domain.message import Client
from relay.web.server import Server, bind
from tests.bench.rig import OWN, rig

PATH = "/amocrm/hook/{scope_id}"
KINDS = ("bare", "door", "relay")
CLIENTS = 500


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response()


async def _serve(handler: object) -> None:
    sock = bind("127.0.0.1", 0)
    async with Server(sock, [web.post(PATH, handler)]):  # type: ignore[arg-type]  # a handler
        print(sock.getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def _main(kind: str, amocrm: str) -> None:
    if kind == "bare":
        await _serve(_answer)
        return
    async with rig(amocrm, dispatching=kind == "relay") as rigged:
        await rigged.parts.store.transact(acquaint)
        await _serve(rigged.parts.hook_door.handle)


def acquaint(ledger: Ledger) -> None:
    """The clients have written before: answers to them are not paced."""
    for number in range(CLIENTS):
        address = ClientAddress(f"7900{number:07}")
        client = Client(address, f"+{address}", "Иван")
        known = Conversation(conversation_id(OWN, address), OWN, client, wrote=True)
        ledger.save_conversation(known)


@contextlib.contextmanager
def hook_server(kind: str, amocrm: str) -> Iterator[int]:
    """The port of a running server: ``bare``, ``relay``, or ``door``, which only takes in."""
    command = [sys.executable, "-m", "tests.bench.hook_server", kind, amocrm]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:  # noqa: S603 - our own
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


if __name__ == "__main__":
    tune()
    asyncio.run(_main(*sys.argv[1:]))
