"""Answers the requests (``iq``) of linked clients, one table entry for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.whatsapp_server import prekeys, usync
from tests.whatsapp_server.addresses import SERVICE, Jid
from tests.whatsapp_server.directory import Directory
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.media import MediaHost
from tests.whatsapp_server.node import Node, node
from tests.whatsapp_server.phone import Phone

_PRIVACY = ("readreceipts", "last", "online", "profile", "status", "groupadd", "calladd")

_REFUSALS = {
    401: "not-authorized",
    403: "forbidden",
    404: "item-not-found",
    429: "rate-overlimit",
    500: "internal-server-error",
}  # whatsmeow knows a refusal by both, errors.go

Answer = Callable[[LinkedDevice, Node], Sequence[Node]]


class Refused(Exception):  # noqa: N818  (an answer, not an error of ours)
    """The service answers a request with an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text


class Answers:
    """What the service says to each request; ``unanswered`` keeps what it does not know."""

    def __init__(self, directory: Directory, media: MediaHost) -> None:
        self.unanswered: list[str] = []
        self._directory = directory
        self._media = media
        self._table: dict[tuple[str, str], Answer] = {
            ("encrypt", "get"): self._prekeys,
            ("encrypt", "set"): self._upload,
            ("passive", "set"): self._nothing,
            ("usync", "get"): self._usync,
            ("w:p", "get"): self._nothing,
            ("privacy", "get"): self._privacy,
            ("privacy", "set"): self._nothing,
            ("md", "set"): self._unlink,
            ("w:m", "set"): self._media_host,
            ("w:g2", "get"): self._group,
            ("w:sync:app:state", "set"): self._settings,
            ("w:profile:picture", "get"): self._picture,
        }

    async def answer(self, device: LinkedDevice, request: Node) -> None:
        """Answers one request; an unknown one is refused and remembered."""
        if request.get("xmlns") in device.drops_at_requests:
            device.drops_at_requests.remove(request.get("xmlns"))
            device.drop()
            return
        try:
            await device.say(result(request, self._children(device, request)))
        except Refused as refused:
            error = node("error", code=str(refused.code), text=refused.text)
            await device.say(node("iq", error, from_=SERVICE, type="error", id=request.get("id")))
        if request.get("xmlns") == "passive" and request.child("active"):
            await device.activate()

    def _children(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        answer = self._table.get((request.get("xmlns"), request.get("type")))
        refusal = device.refuse_requests.pop(request.get("xmlns"), None)
        if refusal is not None:
            raise Refused(refusal, _REFUSALS.get(refusal, "refused-by-the-test"))
        if answer is None:
            self.unanswered.append(str(request))
            raise Refused(501, "feature-not-implemented")
        return answer(device, request)

    def _prekeys(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        wanted = request.child("key")
        if wanted is None:
            return (prekeys.count(device),)
        return (prekeys.bundles(wanted, self._directory.bundle_of),)

    def _upload(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        prekeys.upload(device, request)
        return ()

    def _usync(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        return (usync.answer(request.need("usync"), self._directory.find),)

    def _privacy(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        entries = [node("category", name=name, value="all") for name in _PRIVACY]
        return (node("privacy", *entries),)

    def _unlink(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        request.need("remove-companion-device")
        device.removed = True
        return ()

    def _media_host(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        return (self._media.connection(),)

    def _group(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        to = request.jid("to")
        if to.user:
            return (self._known_group(to),)
        joined = [
            g.description() for g in self._directory.groups.values() if _in(g.members, device)
        ]
        return (node("groups", *joined),)

    def _known_group(self, jid: Jid) -> Node:
        group = self._directory.groups.get(jid)
        if group is None:
            raise Refused(404, "item-not-found")
        return group.description()

    def _settings(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        owner = self._directory.find(device.jid)
        if not isinstance(owner, Phone):
            raise Refused(403, "forbidden")
        sync = request.need("sync")
        for collection in sync.children:
            device.settings_asked.put(collection.get("name"))
        return (owner.settings.answer(sync),)

    def _picture(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        wanted = request.need("picture")
        device.pictures_asked.append(wanted.get("type"))
        target = wanted.attributes.get("jid") or request.attributes.get("target")
        person = self._directory.find(target) if isinstance(target, Jid) else None
        if person is None or person.picture_url is None:
            raise Refused(404, "item-not-found")
        shown = {"id": "1", "url": person.picture_url, "direct_path": "/picture"}
        return (node("picture", type=wanted.get("type") or "preview", **shown),)

    def _nothing(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        return ()


def _in(members: Sequence[object], device: LinkedDevice) -> bool:
    return any(isinstance(m, Phone) and device in m.linked_devices() for m in members)


def result(request: Node, children: Sequence[Node]) -> Node:
    """The good answer to a request."""
    return node("iq", *children, from_=SERVICE, type="result", id=request.get("id"))
