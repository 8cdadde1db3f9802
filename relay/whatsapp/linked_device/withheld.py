"""What the library withholds: messages that it has read before, and that WhatsApp repeats.

WhatsApp repeats what was not confirmed to it. What the library has decrypted once it cannot
decrypt again, so it confirms the repetition and tells of no event. Whether the first time was ever
told of it does not know; after a kill it may not have been. A warning in its log names the
message (``decryptMessages`` in whatsmeow).
"""

from __future__ import annotations

import re

from relay.whatsapp.linked_device.addressing import HIDDEN_SERVER, NUMBER_SERVER
from relay.whatsapp.linked_device.protobufs import OwnDevice, as_text, load, new_info, new_jid

MARK = "Ignoring message "
"""What a line of the library's log contains that tells of one."""

_LINE = re.compile(r"^Ignoring message (\S+) from (\S+?)(?: in (\S+))?: ")
_SHOW = 1  # DecryptFailMode: its sender does not ask to show nothing
_GROUP_SERVER = "g.us"
_PEOPLE = frozenset({NUMBER_SERVER, HIDDEN_SERVER})


def read_withheld(line: str, device: OwnDevice, now_ms: int) -> bytes | None:
    """What a line tells, as the event of a message that could not be decrypted; None if nothing.

    When the message was sent it does not tell: ``now_ms`` stands for that.
    """
    found = _LINE.match(line)
    if found is None:
        return None
    id_, sender, (user, server) = found[1], _parts(found[2]), _parts(found[3] or found[2])
    ourselves = user in (as_text(device.JID.User), as_text(device.LID.User))
    info = new_info(
        id_,
        now_ms,
        # What our own devices say to each other is known by the number, as in any event.
        SenderAlt=device.JID if ourselves else new_jid("", ""),
        Chat=new_jid(user, server),
        Sender=new_jid(*sender),
        IsFromMe=sender[0] != user and server in _PEOPLE,
        IsGroup=server == _GROUP_SERVER,
    )
    event = load().UndecryptableMessage(Info=info, IsUnavailable=False, DecryptFailMode=_SHOW)
    data: bytes = event.SerializeToString()
    return data


def _parts(written: str) -> tuple[str, str]:
    """User and server of an address as the library writes it: ``user.agent:device@server``."""
    user, _, server = written.partition("@")
    return re.split("[.:]", user, maxsplit=1)[0], server
