"""The client talks to this server only because the test says so: the negative controls."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.whatsapp_server import WhatsAppServer
from tests.whatsapp_server.harness import RealClient
from tests.whatsapp_server_tests import lonely_scene


async def test_without_the_key_swap_the_client_refuses_the_server(tmp_path: Path) -> None:
    """The library really checks the certificate under its built-in root key."""
    async with WhatsAppServer() as server:
        environment = server.environment()
        del environment["RELAY_TEST_WHATSAPP_ROOT"]
        async with RealClient(environment, tmp_path / "store.db") as client:
            ended = await client.event("ended")
            assert "failed to verify intermediate cert signature" in ended["error"]


async def test_without_our_authority_the_client_refuses_the_line(tmp_path: Path) -> None:
    """The library really checks TLS against the authorities it is given."""
    async with WhatsAppServer() as server:
        environment = server.environment()
        del environment["SSL_CERT_FILE"]
        async with RealClient(environment, tmp_path / "store.db") as client:
            ended = await client.event("ended")
            assert "certificate signed by unknown authority" in ended["error"]


async def test_any_other_host_is_refused_and_remembered() -> None:
    """A request for another host gets 403, and the server's check then fails."""
    async with WhatsAppServer() as server:
        port = int(server.environment()["HTTPS_PROXY"].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"CONNECT example.org:443 HTTP/1.1\r\n\r\n")
        assert b"403" in await reader.readline()
        writer.close()
        await writer.wait_closed()
        with pytest.raises(AssertionError, match=r"refused by the proxy.*example\.org"):
            server.check()
        server.refused.clear()


@pytest.mark.parametrize(("options", "attempts"), [((), 0), (("--stray",), 1)])
async def test_nothing_leaves_this_machine(
    tmp_path: Path, options: tuple[str, ...], attempts: int
) -> None:
    """With loopback alone a whole scene plays, and the kernel counts no packet that wanted out."""
    play = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        lonely_scene.__name__,
        str(tmp_path),
        *options,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    said, _ = await play.communicate()
    if play.returncode == lonely_scene.NOT_ALLOWED:
        pytest.skip("this machine allows no network namespaces: see unshare(2)")
    assert (play.returncode, said.decode()) == (0, f"attempts to leave: {attempts}\n")


async def test_pythons_own_connections_are_kept_back_and_remembered(tmp_path: Path) -> None:
    """A client process whose Python wants out is refused, and the server's check fails."""
    async with WhatsAppServer() as server:
        wanted = "import socket; socket.create_connection(('192.0.2.1', 443), 1)"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            wanted,
            env=server.environment(),
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert b"PermissionError: this test allows no connection to 192.0.2.1" in errors
        with pytest.raises(AssertionError, match="beyond this machine"):
            server.check()
        server.forgive_strays()
