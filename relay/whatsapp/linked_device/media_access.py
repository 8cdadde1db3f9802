"""The permission to upload: which host takes files, and the word it wants to hear.

WhatsApp gives it over the session's own connection, when the library asks. neonize 0.5.2 exports no
function for that, but its log, at level DEBUG, shows the answer (``<media_conn auth=… ttl=…>``), to
each client's own listener. The library asks when it is told to download something and has no
answer younger than ``ttl``; so it is told to download what is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from relay.whatsapp.linked_device.sealed import is_media_host

MARK = "<media_conn "
"""What a line of the library's log contains that tells it."""

NOWHERE = "/relay-asks-for-the-host?"
"""Where nothing is. Lines of the log that name it mean nothing."""

_CONN = re.compile(r"<media_conn ([^>]*)>")
_HOST = re.compile(r'<host [^>]*?hostname="([^"]*)"')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Access:
    """Good until ``until_s``, by the monotonic clock. ``auth`` is a secret."""

    host: str
    auth: str = field(repr=False)
    until_s: float


def read_access(line: str, now_s: float) -> Access | None:
    """What a line of the library's log tells of it at ``now_s``; None if nothing."""
    conn = _CONN.search(line)
    if conn is None:
        return None
    attributes = dict(_ATTRIBUTE.findall(conn[1]))
    hosts = [host for host in _HOST.findall(line) if is_media_host(host)]
    ttl, auth = attributes.get("ttl", ""), attributes.get("auth", "")
    if not hosts or not auth or not ttl.isdigit():
        return None
    return Access(hosts[0], auth, now_s + int(ttl))
