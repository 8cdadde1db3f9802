"""Network addresses in the file: URLs of others, of ourselves, of a proxy, and where to listen."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from relay.config.tree import Scalar
from relay.config.values import WrongValueError, expect, secret_text

_LISTEN = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})"
)
_UNFIT = re.compile(r"[\s\x00-\x1f\x7f\\\"<>^`{|}]")
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_PROXY_SCHEMES = ("socks5", "http", "https")


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port; port 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host, as written in an address, is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def listen(value: object) -> Address:
    """``HOST:PORT`` to listen on; an IPv6 address stands in brackets."""
    if isinstance(value, Address):
        return value
    text = value.text if isinstance(value, Scalar) else value
    expected = "HOST:PORT such as 127.0.0.1:8080"
    match = _LISTEN.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise expect(value, expected)
    if int(match["port"]) > 65535:
        raise expect(value, f"{expected}, the port at most 65535")
    host = match["six"] or match["host"]
    if (match["six"] or host.replace(".", "").isdigit()) and not _is_ip(host):
        raise expect(value, f"{expected}, the host an address or a name")
    return Address(host, int(match["port"]))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def origin(value: object) -> str:
    """``https://HOST``, nothing after it; plain http only for a loopback address."""
    text = url(value)
    if urlsplit(text).path:
        raise expect(value, "only https://HOST, without a path")
    return text.lower()


def url(value: object) -> str:
    """An https URL without query and without a slash at its end; http only for loopback."""
    return whole_url(value).rstrip("/")


def whole_url(value: object) -> str:
    """An https URL without query, exactly as written; http only for a loopback address."""
    expected = "an address such as https://example.com"
    text = value.text if isinstance(value, Scalar) else value
    parts = _parts(text) if isinstance(text, str) else None
    if isinstance(text, str) and "@" in text:
        raise WrongValueError(f"found a user name or password, expected {expected}")
    if parts is None or parts.scheme not in ("https", "http"):
        raise expect(value, expected)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise expect(value, "https:// (plain http only for a loopback address)")
    if parts.query or parts.fragment or str(text).endswith(("?", "#")):
        raise expect(value, "an address without ? and #")
    return str(text)


def proxy(value: object) -> str:
    """The URL of a proxy. It may hold a password, so what was found is never shown."""
    text = secret_text(value)
    parts = _parts(text)
    if parts is None or parts.scheme not in _PROXY_SCHEMES or parts.path not in ("", "/"):
        raise WrongValueError(
            "found something else, expected socks5://, http:// or https:// and HOST:PORT"
        )
    return text


def _parts(text: str) -> SplitResult | None:
    """The parts of a URL that has a proper host and port, else None."""
    if _UNFIT.search(text):
        return None
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return None
    if port == 0 or not (_HOST.fullmatch(host) or _is_ip(host)):
        return None
    return parts


def amojo_of(account: str) -> str | None:
    """The host of the chats API that belongs to an account's domain; None if it is not known.

    Source: amoCRM's and Kommo's pages on the Chats API (``amojo.amocrm.ru``,
    ``amojo.kommo.com``).
    """
    host = urlsplit(account).hostname or ""
    known = {".amocrm.ru": "https://amojo.amocrm.ru", ".kommo.com": "https://amojo.kommo.com"}
    return next((found for domain, found in known.items() if host.endswith(domain)), None)
