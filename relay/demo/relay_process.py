"""The real relay in a process of its own, so that the demonstration may kill it.

The listening sockets are opened by the demonstration and handed down the way systemd does, so that
a hook sent while the relay is dead waits in the socket instead of being lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from relay.app import logging
from relay.app.engines import EngineFactory
from relay.app.exits import EXIT_CONFIGURATION
from relay.app.relay import Relay
from relay.app.surroundings import Surroundings
from relay.config.channel import Channel
from relay.config.errors import ConfigErrors
from relay.config.load import load
from relay.config.model import Config
from relay.config.secret import SecretSource
from relay.delivery.ports import Clock, Engine, KeptFiles
from relay.demo.pretended_whatsapp.engine import SimulatedEngine
from relay.demo.pretended_whatsapp.linking import linking_command
from relay.demo.telling import tap_log, tell, tell_step
from relay.domain.ids import ChannelId

_FIRST_FD = 3  # sd_listen_fds(3)


def main() -> int:
    """Run until told to stop; exit as ``relay run`` does."""
    arguments = _arguments()
    _hand_down(arguments.sockets)
    secrets = SecretSource.of(os.environ)
    try:
        config = load(arguments.config, secrets).config
    except ConfigErrors as errors:
        tell("rejected", {"errors": [str(error) for error in errors.errors]})
        return EXIT_CONFIGURATION
    with arguments.log.open("a", encoding="utf-8") as log:
        logging.configure(level=config.log.level, form="json", stream=log)
        tap_log()
        engines = _simulated(arguments.whatsapp)
        pair = linking_command(arguments.whatsapp)
        around = Surroundings(arguments.config, secrets, engines, (tell_step,), pair=pair)
        asyncio.run(_run(config, around))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="relay.demo.relay_process")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--whatsapp", type=Path, required=True)
    parser.add_argument("--sockets", type=int, nargs=2, required=True)
    return parser.parse_args()


def _hand_down(sockets: list[int]) -> None:
    """Put the sockets where systemd would have put them."""
    high = [os.dup(fd) for fd in sockets]
    for fd in sockets:
        os.close(fd)
    for offset, fd in enumerate(high):
        os.dup2(fd, _FIRST_FD + offset)
        if fd >= _FIRST_FD + len(high):
            os.close(fd)
    os.environ |= {
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": str(len(sockets)),
        "LISTEN_FDNAMES": "listen:admin",
    }


def _simulated(whatsapp: Path) -> EngineFactory:
    """Every channel gets the simulated engine, whatever the file asks for."""

    def make(
        id_: ChannelId, channel: Channel, storage: Path, clock: Clock, files: KeptFiles
    ) -> Engine:
        del channel, storage
        return SimulatedEngine(id_, whatsapp, clock, files.path)

    return make


async def _run(config: Config, around: Surroundings) -> None:
    relay = Relay(config, around)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, relay.stop)
    loop.add_reader(sys.stdin, relay.stop)  # it ends when the demonstration does, however it ends
    await relay.run()


if __name__ == "__main__":
    sys.exit(main())
