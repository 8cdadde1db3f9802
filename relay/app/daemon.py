"""``relay run``: the process around the relay: signals, logging, exit status."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import structlog

from relay.amocrm.errors import OtherAccountError
from relay.app import logging
from relay.app.engines import real_engine
from relay.app.interpreter import tune
from relay.app.listen import ListenError
from relay.app.not_yet import not_yet
from relay.app.pairings import pair_command
from relay.app.relay import Relay
from relay.app.surroundings import Surroundings
from relay.config.channel import LinkedDevice
from relay.config.load import Loaded
from relay.config.model import Config
from relay.config.secret import SecretSource
from relay.delivery.store import StoreRefusedError
from relay.sqlite.errors import StorageError
from relay.whatsapp.linked_device.process import (
    exit_process,
    mute_library_output,
    reexec_if_needed,
)

_log = structlog.stdlib.get_logger("relay")


def run_daemon(loaded: Loaded, path: Path) -> NoReturn:
    """Run until SIGTERM or SIGINT; the exit status is 0 in good order, 1 if anything failed.

    The process ends here and at once: a thread of a library that hangs cannot keep it.
    """
    exit_process(_run(loaded, path))


def _run(loaded: Loaded, path: Path) -> int:
    config = loaded.config
    if any(isinstance(channel, LinkedDevice) for channel in config.channels.values()):
        # The library copies the environment at exec and prints numbers to standard output.
        reexec_if_needed()
        mute_library_output()
    logging.configure(level=config.log.level, form=config.log.format)
    for warning in loaded.warnings:
        _log.warning("config_warning", warning=str(warning))
    for sentence in not_yet(config):
        _log.warning("config_warning", warning=sentence)
    secrets = SecretSource.of(os.environ)
    around = Surroundings(path, secrets, real_engine, pair=pair_command(path))
    tune()
    runner = asyncio.Runner()  # not closed: that would wait for a session that will not stop
    try:
        runner.run(_main(config, around))
    except (StorageError, StoreRefusedError, ListenError) as error:
        return _tell(error)
    except ExceptionGroup as group:
        told = group.subgroup(OtherAccountError)
        if told is not None:
            return _tell(_first(told))
        _log.critical("core_task_failed", exc_info=group)
        return 1
    return 0


async def _main(config: Config, around: Surroundings) -> None:
    relay = Relay(config, around)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, relay.stop)
    loop.add_signal_handler(signal.SIGHUP, relay.reload)
    await relay.run()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _tell(error: BaseException) -> int:
    """A sentence for the administrator, and the exit status."""
    print(error, file=sys.stderr)  # noqa: T201
    return 1
