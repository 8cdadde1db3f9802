"""A reload and the very objects that run: inside one process, where they can be compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from relay.app.parts import Parts
from relay.app.relay import CoreTaskError, Relay
from relay.app.surroundings import Surroundings
from relay.config.channel import Channel
from relay.config.load import load
from relay.config.secret import SecretSource
from relay.delivery.housekeeping import Heartbeat
from relay.delivery.ports import (
    Clock,
    Engine,
    KeptFiles,
)
from relay.demo.pretended_amocrm import PretendedAmoCRM
from relay.domain.ids import ChannelId
from tests.app import files
from tests.idle_engine import IdleEngine

_SECRETS = SecretSource(None, {})


class Factory:
    """Makes engines; on demand it cannot."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(
        self, id_: ChannelId, channel: Channel, storage: Path, clock: Clock, files: KeptFiles
    ) -> Engine:
        self.made.append(id_)
        return IdleEngine()


@asynccontextmanager
async def running(path: Path, factory: Factory) -> AsyncIterator[Parts]:
    """A relay in this very process, ready."""
    relay = Relay(load(path, _SECRETS).config, Surroundings(path, _SECRETS, factory))
    task = asyncio.create_task(relay.run())
    ready = asyncio.create_task(relay.ready.wait())
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        assert not task.done()
        assert relay._parts is not None
        yield relay._parts
    finally:
        relay.stop()
        await task


@pytest.fixture
async def amocrm() -> AsyncIterator[PretendedAmoCRM]:
    async with PretendedAmoCRM() as server:
        yield server


@pytest.fixture
def path(tmp_path: Path, amocrm: PretendedAmoCRM) -> Path:
    path = tmp_path / "config.yaml"
    files.save(path, files.config(amocrm))
    return path


async def test_a_bad_file_leaves_the_very_same_objects(path: Path, amocrm: PretendedAmoCRM) -> None:
    """Configuration, settings, credentials and engines are the same objects afterwards."""
    factory = Factory()
    async with running(path, factory) as parts:
        before = _objects(parts)
        files.save(path, files.config(amocrm, log={"level": "loud"}))
        await parts.reloader.reload()
        assert parts.reloader.last.errors
        assert all(now is then for now, then in zip(_objects(parts), before, strict=True))
    assert factory.made == ["sales"]


async def test_an_unchanged_file_leaves_the_very_same_objects(path: Path) -> None:
    """A save without a change, too, touches nothing."""
    factory = Factory()
    async with running(path, factory) as parts:
        before = _objects(parts)
        await parts.reloader.reload()
        assert parts.reloader.last.errors == ()
        assert all(now is then for now, then in zip(_objects(parts), before, strict=True))
    assert factory.made == ["sales"]


async def test_a_good_file_replaces_only_what_changed(path: Path, amocrm: PretendedAmoCRM) -> None:
    """A new setting is a new configuration, and the engines are the same objects."""
    async with running(path, Factory()) as parts:
        engine, config = parts.channels.engine(ChannelId("sales")), parts.live.config
        files.save(path, files.config(amocrm, language="en"))
        await parts.reloader.reload()
        assert parts.live.config is not config
        assert parts.live.settings.language == "en"
        assert parts.channels.engine(ChannelId("sales")) is engine


@pytest.mark.parametrize("broken", [True, False], ids=["raises", "returns"])
async def test_every_core_task_matters(
    path: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    """A core task that ends, with an error or without, ends the relay with an error."""

    async def beat(heart: Heartbeat) -> None:
        if broken:
            raise OSError("broken")

    monkeypatch.setattr(Heartbeat, "run", beat)
    relay = Relay(load(path, _SECRETS).config, Surroundings(path, _SECRETS, Factory()))
    with pytest.raises(ExceptionGroup) as caught:
        await relay.run()
    assert caught.group_contains(OSError if broken else CoreTaskError)


def _objects(parts: Parts) -> tuple[object, ...]:
    live = parts.live
    engine = parts.channels.engine(ChannelId("sales"))
    return live.config, live.settings, live.credentials.current, engine
