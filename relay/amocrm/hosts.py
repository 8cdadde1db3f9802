"""Which addresses are amoCRM's own, and that no name leads into a network of ours.

A link in a hook is amoCRM's word, but part of it may be a stranger's: it must not make the relay
ask a service of the machine it runs on, or of the network around it. So only amoCRM's own names
count, over TLS, and whatever they resolve to must be an address of the public Internet. The
addresses that were looked at are the very ones that are connected to, so a name that changes its
meaning in between gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

DOMAINS: Final = ("amocrm.ru", "amocrm.com", "kommo.com")
"""amoCRM's own domains: accounts, chats and the files of both are below them."""

_SCHEMES: Final = ("https", "http")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Hosts:
    """amoCRM's own addresses. ``origins``: those the file names, which count as they stand."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(URL(each).origin() for each in origins)

    def named(self, url: URL) -> bool:
        """Whether the file itself names its scheme, host and port."""
        whole = url.scheme in _SCHEMES and bool(url.host)
        return whole and url.origin() in self._origins

    def own(self, url: URL) -> bool:
        """Whether it is amoCRM's, so that files may come from there."""
        if (
            url.scheme not in _SCHEMES
            or not url.host
            or url.user is not None
            or url.password is not None
        ):
            return False
        if self.named(url):
            return True
        host = url.host.lower().removesuffix(".")
        below = any(host == domain or host.endswith(f".{domain}") for domain in DOMAINS)
        return below and url.scheme == "https" and url.port == 443

    def named_host(self, host: str) -> bool:
        """Whether the file names that host: then it may be anywhere, for tests and proxies."""
        return any(origin.host == host for origin in self._origins)


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses alone, but for the hosts that the file names."""

    def __init__(self, inner: AbstractResolver, hosts: Hosts) -> None:
        self._inner = inner
        self._hosts = hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public ones of its addresses.

        Raises:
            OSError: it has none.
        """
        found = await self._inner.resolve(host, port, family)
        if self._hosts.named_host(host):
            return found
        public = [result for result in found if is_public(result["host"])]
        if not public:
            raise OSError(f"{host} leads to no public address")
        return public

    async def close(self) -> None:
        """Let the inner one go."""
        await self._inner.close()


def is_public(written: str) -> bool:
    """Whether an address belongs to the public Internet, however it is wrapped."""
    try:
        address: Address = ipaddress.ip_address(written.partition("%")[0])
    except ValueError:
        return False
    return all(
        each.is_global and not each.is_multicast and not each.is_reserved
        for each in (address, *_inside(address))
    )


def _inside(address: Address) -> Iterable[ipaddress.IPv4Address]:
    """The old addresses that a new one may carry."""
    if not isinstance(address, ipaddress.IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
