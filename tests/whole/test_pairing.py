"""A number is linked and unlinked by the command line, beside a running relay or without one."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from relay.demo.pretended_amocrm import OLGA, PretendedAmoCRM
from tests.app import files
from tests.whatsapp_server import Contact, LinkedDevice, Phone, WhatsAppServer
from tests.whole.daemon import Daemon, relay_run
from tests.whole.linking import Ended, Linking, command

OWN = "74950000001"
OTHER = "74950000002"
ANNA = "79991234567"
BOTH_WAYS = pytest.mark.parametrize("way", ["qr", "letters"])


@dataclass
class Town:
    """WhatsApp, amoCRM, a phone that is not linked to anything, a client, and a file."""

    whatsapp: WhatsAppServer
    amocrm: PretendedAmoCRM
    phone: Phone
    anna: Contact
    directory: Path

    @property
    def config(self) -> Path:
        return self.directory / "config.yaml"

    @property
    def sessions(self) -> Path:
        return self.directory / "storage" / "sessions"

    def say(self, **sales: str) -> None:
        """Write the file; ``sales`` are keys of the channel."""
        channel = files.SALES | sales
        files.save(self.config, files.config(self.amocrm, channels={"sales": channel}))

    def left(self) -> set[str]:
        """The files of the channel's session."""
        return {path.name for path in self.sessions.iterdir()}

    def relay(self, **environment: str) -> AbstractAsyncContextManager[Daemon]:
        """``relay run``."""
        return relay_run(self.config, self.whatsapp.environment() | environment)

    def command(self, *arguments: str, **environment: str) -> AbstractAsyncContextManager[Linking]:
        """``relay ARGUMENTS``."""
        return command(self.config, self.whatsapp.environment() | environment, *arguments)

    async def does(self, *arguments: str, **environment: str) -> Ended:
        """How ``relay ARGUMENTS`` ends, if left alone."""
        async with self.command(*arguments, **environment) as running:
            return await running.ended()

    async def link(self, way: str = "qr", phone: Phone | None = None) -> Ended:
        """Link the phone, or another one, and let it tell its name."""
        phone = phone or self.phone
        letters = ("--code", f"+{phone.number}") if way == "letters" else ()
        async with self.command("pair", "sales", *letters) as pairing:
            shown = await pairing.line()
            device = await (phone.scan if way == "qr" else phone.enter_code)(shown)
            await device.online()
            await phone.share_names()
            return await pairing.ended()

    async def texts_pass(self, relay: Daemon) -> None:
        """A text goes into amoCRM and its answer back."""
        anna = self.anna
        await relay.logged("channel_connected")
        hooks = (await relay.logged("listening"))["hooks"]
        self.amocrm.sender.url = f"http://{hooks}/amocrm/hook/:scope_id"
        await anna.send(self.phone, "Здравствуйте")
        await self.until_in_amocrm("Здравствуйте")
        await self.amocrm.write(f"wa-{OWN}-{ANNA}", OLGA, "Добрый день")
        assert (await anna.received()).text == "Добрый день"

    async def until_in_amocrm(self, text: str) -> None:
        """Back once amoCRM has that text of a client."""

        def there(amocrm: PretendedAmoCRM) -> bool:
            return text in [m.text for m in amocrm.account.messages if m.direction == "in"]

        await self.amocrm.wait_for(there, 30)


@asynccontextmanager
async def _town(directory: Path) -> AsyncIterator[Town]:
    async with WhatsAppServer() as whatsapp, PretendedAmoCRM() as amocrm:
        phone, anna = whatsapp.phone(OWN, "Sales"), whatsapp.contact(ANNA, "Анна")
        town = Town(whatsapp, amocrm, phone, anna, directory)
        town.say()
        yield town
        assert amocrm.violations == []


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Everything but the relay; nothing is linked."""
    async with _town(tmp_path) as town:
        yield town


# --- Good ends -----------------------------------------------------------------------------------


@BOTH_WAYS
async def test_a_running_relay_takes_the_new_session_over(town: Town, way: str) -> None:
    """The number and its name are told, the relay connects without a restart, texts pass."""
    async with town.relay() as relay:
        await relay.logged("session_state", state="unpaired")
        ended = await town.link(way)
        assert (ended.status, ended.said.splitlines()[0]) == (
            0,
            f"sales: linked to +{OWN} (Sales)",
        )
        assert "running relay connects" in ended.said
        await relay.logged("session_state", state="connected")
        await town.texts_pass(relay)
        assert await relay.terminate() == 0
    assert relay.strange == []
    states = [line["state"] for line in relay.log if line["event"] == "session_state"]
    assert states[:3] == ["unpaired", "connecting", "connected"]


@BOTH_WAYS
async def test_without_a_running_relay_the_next_one_has_the_session(town: Town, way: str) -> None:
    """The session waits in its file for the relay that is started later."""
    ended = await town.link(way)
    assert (ended.status, ended.said.splitlines()[0]) == (0, f"sales: linked to +{OWN} (Sales)")
    assert "No relay runs" in ended.said
    async with town.relay() as relay:
        await relay.logged("session_state", state="connected")
        await town.texts_pass(relay)


async def test_the_session_is_private_and_whole(town: Town) -> None:
    """One database, a lock, and what came meanwhile: 0600 under 0700, nothing half made."""
    assert (await town.link()).status == 0
    assert stat.S_IMODE(town.sessions.stat().st_mode) == 0o700
    kinds = {path.suffix for path in town.sessions.iterdir()}
    assert kinds == {".db", ".lock", ".early"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in town.sessions.iterdir()} == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files to somebody else")
async def test_root_leaves_the_session_to_the_service(town: Town) -> None:
    """Linked from root's shell, the files belong to whoever owns the storage directory."""
    town.sessions.parent.mkdir(mode=0o700)
    os.chown(town.sessions.parent, 61_234, 61_234)
    assert (await town.link()).status == 0
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in town.sessions.iterdir()}
    assert owners == {(61_234, 61_234)}
    assert town.sessions.stat().st_uid == 61_234


async def test_a_message_that_comes_during_the_linking_is_not_lost(town: Town) -> None:
    """What the linking client has confirmed to WhatsApp reaches amoCRM by the relay, once."""
    async with town.relay() as relay:
        await relay.logged("session_state", state="unpaired")
        async with town.command("pair", "sales") as pairing:
            device = await town.phone.scan(await pairing.line())
            await device.online()
            await town.anna.send(town.phone, "рано")  # its end waits for the phone to tell its name
            await device.drained()
            await town.phone.share_names()
            assert (await pairing.ended()).status == 0
        await relay.logged("session_state", state="connected")
        await town.until_in_amocrm("рано")
        await town.texts_pass(relay)
    texts = [m.text for m in town.amocrm.account.messages if m.direction == "in"]
    assert texts == ["рано", "Здравствуйте"]
    assert not list(town.sessions.glob("*.early"))


async def test_a_number_removed_on_the_phone_is_linked_again(town: Town) -> None:
    """The running relay, logged out by the phone, takes the next session over like the first."""
    async with town.relay() as relay:
        assert (await town.link()).status == 0
        await relay.logged("session_state", state="connected")
        await town.phone.unlink(town.whatsapp.session(town.phone))
        await relay.logged("session_state", state="logged_out")
        assert (await town.link()).status == 0
        await town.whatsapp.session(town.phone).online()
        await town.texts_pass(relay)


# --- Bad ends: exit 1, words on standard error, nothing linked ----------------------------------


def assert_nothing_linked(town: Town, ended: Ended, *words: str) -> None:
    """It failed, said why, and left neither a session nor a device."""
    assert ended.status == 1
    for part in words:
        assert part in ended.trouble, ended.trouble
    assert "Traceback" not in ended.trouble
    assert "linked to" not in ended.said
    assert town.phone.linked_devices() == []
    assert town.left() <= {"sales.lock"}


async def test_nobody_takes_a_code(town: Town) -> None:
    """A line that WhatsApp closes while the code is shown is told as such; it can be run again."""
    async with town.command("pair", "sales") as pairing:
        await pairing.line()
        await (await town.whatsapp.registration()).hang_up()
        ended = await pairing.ended()
    assert_nothing_linked(town, ended, "connection to WhatsApp was lost", "Run it again")
    assert (await town.link()).status == 0


@BOTH_WAYS
async def test_a_wrong_number_is_logged_out_again(town: Town, way: str) -> None:
    """Another phone than the file's: its device is removed at WhatsApp, the relay never sees it."""
    town.say(phone=f"+{OWN}")
    wrong = town.whatsapp.phone(OTHER, "Other")
    async with town.relay() as relay:
        await relay.logged("session_state", state="unpaired")
        async with town.command("pair", "sales") as pairing:
            device = await wrong.scan(await pairing.line())
            ended = await pairing.ended()
        assert_nothing_linked(town, ended, f"That was +{OTHER}", f'"+{OWN}"', "logged out")
        assert device.removed
        assert (await town.link(way)).status == 0
        await relay.logged("session_state", state="connected")
        states = [line["state"] for line in relay.log if line["event"] == "session_state"]
        assert "failed" not in states


async def test_a_passkey_is_demanded(town: Town) -> None:
    """It ends at once, with what else there is."""
    async with town.command("pair", "sales") as pairing:
        await pairing.line()
        await (await town.whatsapp.registration()).demand_passkey()
        ended = await pairing.ended()
    assert_nothing_linked(town, ended, "demands a passkey", "coexistence")


@pytest.mark.parametrize(("reason", "words"), [(405, "Upgrade the relay"), (403, "refused")])
async def test_whatsapp_refuses(town: Town, reason: int, words: str) -> None:
    """An outdated library, or any other refusal, ends it before there is a code."""
    town.whatsapp.refuse_registrations(reason)
    assert_nothing_linked(town, await town.does("pair", "sales"), words)


async def test_letters_for_a_number_without_whatsapp(town: Town) -> None:
    """WhatsApp knows no such account."""
    ended = await town.does("pair", "sales", "--code", "+79990000000")
    assert_nothing_linked(town, ended, "knows no account +79990000000")


async def test_there_is_no_network(town: Town) -> None:
    """Told at once, with what could not be reached."""
    ended = await town.does("pair", "sales", HTTPS_PROXY="http://127.0.0.1:1")
    assert_nothing_linked(town, ended, "127.0.0.1:1 cannot be reached", "network")


async def test_a_number_is_linked_already(town: Town) -> None:
    """Its number and the way to let go of it; the session stays as it was."""
    assert (await town.link()).status == 0
    before = (town.sessions / "sales.db").read_bytes()
    ended = await town.does("pair", "sales")
    assert ended.status == 1
    assert f"+{OWN} is linked already" in ended.trouble
    assert "relay unpair sales" in ended.trouble
    assert (town.sessions / "sales.db").read_bytes() == before


async def test_two_pairings_at_once(town: Town) -> None:
    """The second one goes away; the first one is not disturbed."""
    async with town.command("pair", "sales") as first:
        shown = await first.line()
        second = await town.does("pair", "sales")
        assert second.status == 1
        assert "another process uses the session" in second.trouble
        device = await town.phone.scan(shown)
        await device.online()
        await town.phone.share_names()
        assert (await first.ended()).status == 0


async def test_interrupted_while_the_code_is_shown(town: Town) -> None:
    """Ctrl-C ends it at once and leaves nothing."""
    async with town.command("pair", "sales") as pairing:
        await pairing.line()
        ended = await pairing.interrupt()
    assert_nothing_linked(town, ended, "Interrupted")


async def test_interrupted_when_the_code_was_taken(town: Town) -> None:
    """Ctrl-C at the last moment takes the device back, at WhatsApp too."""
    async with town.command("pair", "sales") as pairing:
        device = await town.phone.scan(await pairing.line())
        await device.online()  # its end waits for the phone to tell its name
        ended = await pairing.interrupt()
    assert device.removed
    assert_nothing_linked(town, ended, "Interrupted")


async def test_killed_when_the_code_was_taken(town: Town) -> None:
    """kill -9 leaves the channel's file as it was, and the next pairing succeeds."""
    async with town.command("pair", "sales") as pairing:
        device = await town.phone.scan(await pairing.line())
        await device.online()
        await pairing.kill()
    assert "sales.db" not in town.left()
    await device.offline()
    assert (await town.link()).status == 0
    assert {Path(name).suffix for name in town.left()} == {".db", ".lock", ".early"}


async def test_a_damaged_session_is_replaced(town: Town) -> None:
    """Garbage in the place of the session does not keep a number from being linked."""
    town.sessions.mkdir(parents=True)
    (town.sessions / "sales.db").write_bytes(b"garbage" * 1000)
    async with town.relay() as relay:
        await relay.logged("session_state", state="failed")
        assert (await town.link()).status == 0
        await relay.logged("session_state", state="connected")


# --- Letting go ----------------------------------------------------------------------------------


async def linked(town: Town) -> LinkedDevice:
    """Link the phone; the device as WhatsApp knows it."""
    assert (await town.link()).status == 0
    return town.whatsapp.session(town.phone)


async def test_a_running_relay_logs_out(town: Town) -> None:
    """The phone lists the device no longer, the keys are gone, the relay waits for a new one."""
    async with town.relay() as relay:
        device = await linked(town)
        await relay.logged("session_state", state="connected")
        ended = await town.does("unpair", "sales", "--yes")
        assert (ended.status, ended.trouble) == (0, "")
        assert f"+{OWN} is logged out of WhatsApp" in ended.said
        assert device.removed
        assert town.phone.linked_devices() == []
        assert town.left() == {"sales.lock"}
        line = await relay.logged("session_state", state="unpaired", before="connected")
        assert line["channel"] == "sales"
        again = await linked(town)
        await again.online()
        await town.texts_pass(relay)
        assert await relay.terminate() == 0


async def test_without_a_running_relay_the_command_logs_out(town: Town) -> None:
    """It connects by itself, logs out and removes the session."""
    device = await linked(town)
    ended = await town.does("unpair", "sales", "--yes")
    assert ended.status == 0
    assert device.removed
    assert {Path(name).suffix for name in town.left()} <= {".lock", ".early"}
    assert (await town.does("unpair", "sales", "--yes")).trouble == "sales: no number is linked\n"


async def test_a_session_that_the_relay_refuses_is_logged_out(town: Town) -> None:
    """Of another number than the file's: the relay has not connected, so the command does."""
    device = await linked(town)
    town.say(phone=f"+{OTHER}")
    async with town.relay() as relay:
        await relay.logged("session_state", state="failed")
        assert (await town.does("unpair", "sales", "--yes")).status == 0
        assert device.removed
        await relay.logged("session_state", state="unpaired")


async def test_a_device_removed_on_the_phone_is_forgotten(town: Town) -> None:
    """WhatsApp does not know it any more: the session is removed all the same."""
    device = await linked(town)
    device.removed = True
    ended = await town.does("unpair", "sales", "--yes")
    assert ended.status == 0
    assert "sales.db" not in town.left()


async def test_letting_go_wants_a_yes(town: Town) -> None:
    """Without it nothing happens."""
    device = await linked(town)
    ended = await town.does("unpair", "sales")
    assert ended.status == 1
    assert "nothing was done" in ended.trouble
    assert not device.removed
    assert "sales.db" in town.left()


async def test_what_cannot_be_logged_out_is_kept(town: Town) -> None:
    """Without a network the session stays, and the other way is told."""
    device = await linked(town)
    ended = await town.does("unpair", "sales", "--yes", HTTPS_PROXY="http://127.0.0.1:1")
    assert ended.status == 1
    assert "127.0.0.1:1 cannot be reached" in ended.trouble
    assert "session is kept" in ended.trouble
    assert not device.removed
    assert "sales.db" in town.left()
