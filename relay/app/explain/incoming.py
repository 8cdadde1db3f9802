"""The words about the rules into amoCRM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from relay.app.explain.terms import Case, Said
from relay.config.tree import Path
from relay.domain.blacklist import Blacklist
from relay.domain.contact_phones import has_short_form
from relay.domain.incoming import Ignored, Incoming
from relay.domain.message import Client, Origin
from relay.domain.trace import Step

InStep = Step[Incoming, Ignored]

_IMPORT: Final[Path] = ("settings", "import_sent_from_phone")
_TITLES: Final[Path] = ("settings", "title_in_messages")
_BLACKLIST: Final[Path] = ("settings", "blacklist")


def _own_echo(_: Case, step: InStep) -> Said:
    return Said("the relay itself has sent it" if step.ends else "the relay itself did not send it")


def _listed(case: Case, step: InStep) -> Said:
    client = step.before.message.client
    if not step.ends:
        return Said("the blacklist does not have the number", (_BLACKLIST,))
    entries = case.config.settings.blacklist
    place = next(index for index, entry in enumerate(entries) if _lists(entry, client))
    return Said(f"the blacklist has {entries[place]}", ((*_BLACKLIST, place),))


def _lists(entry: str, client: Client) -> bool:
    return Blacklist.compiled((entry,)).lists(client)


def _import(_: Case, step: InStep) -> Said:
    if step.before.message.origin is not Origin.PHONE:
        return Said("the client wrote it, so no import from the phone is needed")
    which = "not imported" if step.ends else "imported"
    return Said(f"what is typed on the phone is {which}", (_IMPORT,))


def _signature(case: Case, step: InStep) -> Said:
    if not step.acts:
        return Said("there is no manager's signature to take off")
    keys = tuple(("users", str(key)) for key, user in case.config.users.items() if user.signature)
    return Said("a manager's signature is taken off", tuple((*key, "signature") for key in keys))


def _marks(case: Case, step: InStep) -> Said:
    after, channel = step.after, step.before.channel
    if isinstance(after, Ignored) or not after.marks:
        return Said("no mark opens it", (_TITLES,))
    keys: list[Path] = []
    titled = case.config.settings.title_in_messages
    if channel in titled:
        keys += [(*_TITLES, titled.index(channel)), ("channels", channel, "title")]
    if after.message.origin is Origin.PHONE:
        keys.append(("language",))
    return Said(f"it is opened by {' '.join(after.marks)}", tuple(keys))


IN_WORDS: Final[dict[str, Callable[[Case, InStep], Said]]] = {
    "drop_own_echo": _own_echo,
    "keep_out_listed": _listed,
    "import_only_on_request": _import,
    "take_signature_off": _signature,
    "open_with_marks": _marks,
}
"""By the name of the rule; each function of ``IN_RULES`` has its words here."""


def card_words(case: Case, message: Incoming) -> Said | None:
    """What happens to the client's card besides, None if nothing does."""
    phone = message.message.client.phone
    if message.message.origin is not Origin.CLIENT or not has_short_form(phone):
        return None
    key: Path = ("settings", "phone_8_to_7")
    if not case.settings.phone_8_to_7:
        return Said("a number that begins with 8 stays as it is in the contact's card", (key,))
    return Said("if it is the client's first message, 8 becomes +7 in the contact's card", (key,))
