"""All that the page shows, as one JSON value: the page draws it and keeps nothing itself."""

from __future__ import annotations

from typing import Any

from relay.demo.cast import NOT_ON_WHATSAPP
from relay.demo.pretended_amocrm import Account, Chat, Message
from relay.demo.pretended_whatsapp import World
from relay.demo.show import Show
from relay.demo.shown import (
    brief,
    brief_of_bubble,
    brief_of_message,
    thing_of_bubble,
    thing_of_message,
)
from relay.demo.story import Tale

Json = dict[str, Any]

_MOST_OF_A_CHAT = 100
_ERROR_REPLY = "-error-"  # as relay.delivery.failures makes the id


def snapshot(show: Show) -> Json:
    """The state of everything."""
    return {
        "whatsapp": _whatsapp(show.world),
        "amocrm": _amocrm(show),
        "relay": _relay(show),
        "journal": [_tale(tale, show.world) for tale in reversed(show.story.tales.values())],
        "file": _file(show),
    }


def _whatsapp(world: World) -> Json:
    return {
        "people": [
            {
                "id": p.id,
                "name": p.name,
                "number": f"+{p.number}",
                "online": p.online,
                "picture": f"/pictures/{p.id}" if p.picture else None,
            }
            for p in world.people.values()
        ],
        "lines": [
            {
                "channel": line.channel,
                "number": f"+{line.number}",
                "online": line.online,
                "paired": line.paired,
                "offered": line.offer is not None,
                "held": len(line.held),
            }
            for line in world.lines.values()
        ],
        "bubbles": [
            {
                "id": b.id,
                "channel": b.line,
                "person": b.person,
                "author": b.author,
                "text": b.text,
                "thing": thing_of_bubble(b),
                "brief": brief_of_bubble(b),
                "at_ms": b.at_ms,
                "tick": b.tick.name.lower(),
                "quote": brief_of_bubble(world.bubble(b.quotes)) if b.quotes else None,
                "edited": b.edited,
                "deleted": b.deleted,
                "reactions": dict(b.reactions),
            }
            for b in world.bubbles
        ],
        "typing": [
            {"channel": channel, "person": person, "until_ms": until_ms}
            for (channel, person), until_ms in world.typing_until_ms.items()
        ],
        "not_on_whatsapp": NOT_ON_WHATSAPP,
    }


def _amocrm(show: Show) -> Json:
    account = show.crm.account
    return {
        "page": f"{show.crm.url}/ui/",
        "users": [{"id": user.id, "name": user.name} for user in account.users],
        "chats": [_chat(show, chat) for chat in account.chats.values()],
        "troubles": sorted(trouble.value for trouble in show.switches.on),
        "connected": account.connection is not None,
        "violations": len(show.crm.violations),
        "repeats": len(account.repeats),
    }


def _chat(show: Show, chat: Chat) -> Json:
    account = show.crm.account
    person = account.people[chat.person_id]
    messages = account.in_chat(chat.id)[-_MOST_OF_A_CHAT:]
    return {
        "id": chat.id,
        "title": person.name or person.phone,
        "phone": person.phone,
        "avatar": person.avatar or None,
        "conversation": chat.client_id,
        "lead": chat.lead_id,
        "card": _card(account, chat),
        "messages": [_message(message, account) for message in messages],
    }


def _card(account: Account, chat: Chat) -> Json | None:
    """The client's card, once amoCRM has made one."""
    contact = account.contacts.get(chat.contact_id) if chat.contact_id is not None else None
    if contact is None:
        return None
    return {"id": contact.id, "phones": [phone.value for phone in contact.phones]}


def _message(message: Message, account: Account) -> Json:
    replied = message.content.get("reply_to", {}).get("message", {}).get("id")
    quoted = account.message_by_id.get(message.quoted_id or replied or "")
    report = message.reports[-1] if message.reports else None
    hook = message.hook
    return {
        "id": message.id,
        "direction": message.direction,
        "author": {"kind": message.author.kind, "name": message.author.name},
        "text": message.text,
        "thing": thing_of_message(message),
        "brief": brief_of_message(message),
        "at_ms": message.timestamp_ms,
        "status": message.status,
        "error_code": report.error_code if report else None,
        "error": report.error if report else None,
        "quote": brief_of_message(quoted),
        "edited": bool(message.earlier_texts),
        "reactions": dict(message.reactions),
        "error_reply": _ERROR_REPLY in (message.msgid or ""),
        "hook_lost": hook.lost if hook else None,
        "hook": None if hook is None else "lost" if hook.lost else _hook_state(hook.finished),
    }


def _hook_state(finished: bool) -> str:
    return "taken" if finished else "under_way"


def _relay(show: Show) -> Json:
    keeper = show.keeper
    return {
        "life": keeper.life.value,
        "pid": keeper.pid,
        "starts": keeper.starts,
        "health": show.health,
    }


def _tale(tale: Tale, world: World) -> Json:
    looked = tale.looked
    about = [brief_of_bubble(bubble) for bubble in world.bubbles if bubble.id in looked.about]
    return {
        "trace": tale.trace,
        "began_ms": tale.began_ms,
        "direction": tale.direction,
        "channel": tale.channel,
        "lane": looked.lane,
        "about": about or [brief(looked.text, looked.what)],
        "status": looked.status,
        "steps": tale.steps,
        "dropped": tale.dropped,
    }


def _file(show: Show) -> Json:
    verdict = show.reloads.verdict
    return {
        "path": str(show.place.config),
        "text": show.text,
        "first_text": show.first_text,
        "outcome": verdict.outcome.value,
        "at_ms": verdict.at_ms,
        "changes": list(verdict.changes),
        "mistakes": [
            {"line": m.line, "column": m.column, "message": m.message} for m in verdict.mistakes
        ],
        "titles": show.titles,
    }
