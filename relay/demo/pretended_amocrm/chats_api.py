"""The chats API: which method a path names, whether the request is right, and what it answers.

Source: amoCRM developer documentation, "Chats API", methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from relay.demo.pretended_amocrm.bodies import Bodies
from relay.demo.pretended_amocrm.call import Call, Reply, json_reply
from relay.demo.pretended_amocrm.intake import Intake
from relay.demo.pretended_amocrm.marks import Marks
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.registry import Registry
from relay.demo.pretended_amocrm.signing import RequestSignature
from relay.demo.pretended_amocrm.state import Connection, JsonBody, Message

BASE = "/v2/origin/custom/"
_LONGEST_PAGE = 50

_PATHS: Mapping[tuple[str, ...], tuple[str, str]] = {
    ("connect",): ("connect", "POST"),
    ("disconnect",): ("disconnect", "DELETE"),
    (): ("messages", "POST"),
    ("chats",): ("chats", "POST"),
    ("typing",): ("typing", "POST"),
    ("react",): ("react", "POST"),
    ("*", "delivery_status"): ("delivery_status", "POST"),
    ("chats", "*", "history"): ("history", "GET"),
}
"""What follows ``/v2/origin/custom/{channel or scope}``: the endpoint's name and its method."""


def endpoint_of(path: str) -> str | None:
    """The endpoint a path names, or None if it names none."""
    found = _find(path)
    return found[0] if found else None


class ChatsApi:
    """Judges requests to the chats API and carries them out on one account."""

    def __init__(
        self, registry: Registry, signature: RequestSignature, title: str, *, strict: bool
    ) -> None:
        self.registry = registry
        self.account = registry.account
        self._signature = signature
        self._title = title
        self._strict = strict
        self._bodies = Bodies(registry.quirks)
        self._intake = Intake(registry)
        self._marks = Marks(registry)
        self._methods: Mapping[str, Callable[[Call], Reply]] = {
            "connect": self._connect, "disconnect": self._disconnect,
            "messages": self._messages, "chats": self._chats, "typing": self._typing,
            "react": self._react, "delivery_status": self._delivery_status,
            "history": self._history,
        }  # fmt: skip

    def answer(self, call: Call) -> Reply:
        """Carry a request out. Raises Refusal if amoCRM would not."""
        found = _find(call.path)
        if found is None:
            raise Refusal(404, "PathUnknown", f"no method has the path {call.path}")
        endpoint, method = found
        if call.method != method:
            raise Refusal(405, "Method", f"{endpoint} wants {method}, not {call.method}")
        if self._strict:
            self._check_address(call, endpoint)
        return self._methods[endpoint](call)

    def refused(self, refusal: Refusal) -> Reply:
        """The answer to a refused request; the schema is what libraries read, unconfirmed."""
        error = {
            "error_code": refusal.status,
            "error_type": refusal.code,
            "error_description": refusal.detail,
        }
        return json_reply(refusal.status, error)

    def _check_address(self, call: Call, endpoint: str) -> None:
        address = _parts(call.path)[0]
        before_scope = endpoint in ("connect", "disconnect")
        unknown = 404 if before_scope else self.registry.quirks.unknown_scope_status
        channel_id = address if before_scope else address.partition("_")[0]
        if channel_id != self.account.channel_id:
            raise Refusal(unknown, "ChannelUnknown", f"no channel is {channel_id!r}")
        now_ms = self.registry.now_ms()
        self._signature.check(call.method, call.target, call.headers, call.body, now_ms)
        if before_scope:
            return
        if address != self.account.scope_id:
            raise Refusal(unknown, "ScopeUnknown", f"no scope is {address!r}")
        if self.account.connection is None:
            raise Refusal(unknown, "NotConnected", "the channel is not connected to the account")

    def _body(self, call: Call, shape: str) -> dict[str, Any]:
        return self._checked(shape, call.json())

    def _checked(self, shape: str, body: object) -> dict[str, Any]:
        if self._strict:
            problems = self._bodies.problems(shape, body)
            if problems:
                detail = "; ".join(str(problem) for problem in problems)
                raise Refusal(400, problems[0].code, detail)
        if not isinstance(body, dict):
            raise Refusal(400, "WrongType", "the body must be an object")
        return body

    def _own_account(self, body: JsonBody) -> None:
        if body["account_id"] != self.account.amojo_id:
            status = self.registry.quirks.foreign_account_status
            raise Refusal(status, "AccountForeign", "the channel may not serve this account")

    def _connect(self, call: Call) -> Reply:
        body = self._body(call, "connect")
        self._own_account(body)
        connection = Connection(
            title=body.get("title", self._title),
            hook_api_version=body.get("hook_api_version", "v1"),
            is_time_window_disabled=body.get("is_time_window_disabled", False),
            connected_ms=self.registry.now_ms(),
        )
        self.account.connection = connection
        self.account.connects += 1
        answer = {
            "account_id": self.account.amojo_id,
            "scope_id": self.account.scope_id,
            "title": connection.title,
            "hook_api_version": connection.hook_api_version,
            "is_time_window_disabled": connection.is_time_window_disabled,
        }
        return json_reply(200, answer)

    def _disconnect(self, call: Call) -> Reply:
        self._own_account(self._body(call, "disconnect"))
        self.account.connection = None
        return Reply(200)

    def _messages(self, call: Call) -> Reply:
        body = call.json()
        event = body.get("event_type") if isinstance(body, dict) else None
        if event not in ("new_message", "edit_message"):
            raise Refusal(400, "EventUnknown", f"event_type is {event!r}")
        payload = self._checked(event, body)["payload"]
        if event == "edit_message":
            message = self._intake.edit_message(payload)
        else:
            message = self._intake.new_message(payload)
        answer = {
            "conversation_id": message.chat_id,
            "sender_id": message.author.id,
            "receiver_id": self._receiver_id(message),
            "msgid": message.id,
            "ref_id": message.msgid,
        }
        return json_reply(200, {"new_message": answer}, message=message)

    def _receiver_id(self, message: Message) -> str | None:
        if message.direction == "in":
            return None
        return self.account.chats[message.chat_id].person_id

    def _chats(self, call: Call) -> Reply:
        body = self._body(call, "chats")
        person = self.registry.person_for(body["user"])
        chat = self.account.chat_by_client_id.get(body["conversation_id"])
        if chat is None:
            source = body.get("source", {}).get("external_id")
            chat = self.registry.open_chat(body["conversation_id"], person, source)
        user = {
            "id": person.id, "client_id": person.client_id, "name": person.name,
            "avatar": person.avatar, "phone": person.phone,
        }  # fmt: skip
        return json_reply(200, {"id": chat.id, "user": user})

    def _typing(self, call: Call) -> Reply:
        self._marks.typing(self._body(call, "typing"))
        return Reply(204)

    def _react(self, call: Call) -> Reply:
        self._marks.react(self._body(call, "react"))
        return Reply(200)

    def _delivery_status(self, call: Call) -> Reply:
        body = self._body(call, "delivery_status")
        self._marks.delivery_status(_parts(call.path)[1], body)
        return Reply(200)

    def _history(self, call: Call) -> Reply:
        query = call.query
        offset = _number(query.get("offset", "0"), "offset")
        limit = _number(query.get("limit", str(_LONGEST_PAGE)), "limit")
        if limit > _LONGEST_PAGE:
            raise Refusal(400, "OutOfRange", f"limit is {limit}, at most {_LONGEST_PAGE}")
        chat = self.account.chats.get(_parts(call.path)[2])
        messages = self.account.in_chat(chat.id)[::-1][offset : offset + limit] if chat else []
        if not messages:
            return Reply(204)
        return json_reply(200, {"messages": [self._remembered(m) for m in messages]})

    def _remembered(self, message: Message) -> dict[str, object]:
        person = self.account.people[self.account.chats[message.chat_id].person_id]
        client: dict[str, object] = {"id": person.id, "name": person.name, "phone": person.phone}
        if person.client_id is not None:
            client["client_id"] = person.client_id
        employee = {"id": message.author.id, "name": message.author.name}
        incoming = message.direction == "in"
        content = {"text": "", "media": "", "thumbnail": "", "file_name": "", "file_size": 0}
        shown: dict[str, object] = {**content, **message.content, "id": message.id}
        if message.msgid is not None:
            shown["client_id"] = message.msgid
        entry: dict[str, object] = {
            "timestamp": message.timestamp_ms // 1000,
            "msec_timestamp": message.timestamp_ms,
            "sender": client if incoming else employee,
            "message": shown,
        }
        return entry if incoming else {**entry, "receiver": client}


def _parts(path: str) -> list[str]:
    return path.removeprefix(BASE).split("/")


def _find(path: str) -> tuple[str, str] | None:
    parts = _parts(path)
    if not path.startswith(BASE) or not all(parts):
        return None
    rest = tuple(parts[1:])
    starred = tuple("*" if at == len(rest) - 2 else part for at, part in enumerate(rest))
    return _PATHS.get(rest) or _PATHS.get(starred)


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise Refusal(400, "WrongType", f"{name} is {text!r}, not a number")
    return int(text)
