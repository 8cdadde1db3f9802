"""What a file may say but hardly means: warnings, not errors."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from relay.config.addresses import Address
from relay.config.model import Config
from relay.config.tree import MappingTree, Path, Problem, place_of

_REDIRECT = "/amocrm/oauth"


def doubts(config: Config, tree: MappingTree) -> Iterator[Problem]:
    """What is doubtful in a file without mistakes."""
    admin = config.server.admin_listen
    if not _is_private(admin):
        message = f"{admin} may be reached from outside; health and metrics are not public"
        yield Problem(("server", "admin_listen"), message)
    oauth, wanted = config.amocrm.oauth, f"{config.server.public_url}{_REDIRECT}"
    if oauth is not None and oauth.redirect_uri != wanted:
        message = f"the relay answers at {wanted}; register that in the integration, and here"
        yield Problem(("amocrm", "oauth", "redirect_uri"), message)
    for path, items in _lists(config):
        yield from _repeated(path, items, tree)


def _lists(config: Config) -> Iterator[tuple[Path, Sequence[str]]]:
    yield ("settings", "title_in_messages"), config.settings.title_in_messages
    yield ("settings", "blacklist"), config.settings.blacklist
    for key, user in config.users.items():
        yield ("users", str(key), "channels"), user.channels
        yield ("users", str(key), "sections"), user.sections


def _repeated(path: Path, items: Sequence[str], tree: MappingTree) -> Iterator[Problem]:
    """Numbers are compared as the relay does, whatever their punctuation."""
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        first = seen.setdefault(item, index)
        if first != index:
            line = place_of(tree, (*path, first), at_key=False).line
            yield Problem((*path, index), f"listed already, on line {line}")


def _is_private(address: Address) -> bool:
    if address.is_loopback:
        return True
    try:
        ip = ipaddress.ip_address(address.host)
    except ValueError:
        return True  # a name: who resolves it to what is not ours to say
    return ip.is_private and not ip.is_unspecified
