"""Sources: the entrances by which chats come into the account, one for each of our numbers.

Source: REST API, "Sources": administrators only; an external id is unique and immutable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relay.amocrm.rest.client import JsonObject, RestClient
from relay.domain.ids import ChannelId, SourceId
from relay.domain.values import value

_PATH = "sources"
_SERVICE = "whatsapp"


@value
class Wanted:
    """A channel's source as the file wants it. ``phone``: its number with a plus.

    ``pipeline_id`` None leaves the pipeline to amoCRM. ``official``: WhatsApp's Business Platform,
    for which amoCRM keeps templates and a reply window.
    """

    channel: ChannelId
    id: SourceId
    name: str
    phone: str
    pipeline_id: int | None = None
    official: bool = False

    def fields(self) -> dict[str, object]:
        """What amoCRM is told of it, but for the id."""
        service = {
            "type": _SERVICE,
            "params": {"waba": self.official, "is_supports_list_message": False},
            "pages": [{"id": "1", "name": self.name, "link": self.phone}],
        }
        pipeline = {} if self.pipeline_id is None else {"pipeline_id": self.pipeline_id}
        return {"name": self.name, **pipeline, "services": [service]}


@value
class Found:
    """A source as amoCRM has it.

    ``pages``: official or not, name and number, of WhatsApp alone; None where amoCRM does not tell.
    UNCONFIRMED: in which notation it gives back a link, so digits alone are compared.
    """

    number: int
    id: str
    name: str
    pipeline_id: int | None
    pages: tuple[tuple[bool, str, str], ...] | None

    def is_as(self, wanted: Wanted) -> bool:
        """Whether nothing needs to be changed."""
        return (
            self.name == wanted.name
            and wanted.pipeline_id in (None, self.pipeline_id)
            and self.pages in (None, ((wanted.official, wanted.name, _digits(wanted.phone)),))
        )


async def read_sources(rest: RestClient) -> list[Found]:
    """The integration's sources.

    Raises:
        AmoCrmError: as the client does.
    """
    found = await rest.every(_PATH, "sources")
    return [source for entry in found if (source := _found(entry)) is not None]


async def make_source(rest: RestClient, wanted: Wanted) -> None:
    """Make a source; alone, so that a mistake in one channel does not stand in another's way.

    Raises:
        AmoCrmError: as the client does.
    """
    await rest.call("POST", _PATH, body=[{"external_id": wanted.id, **wanted.fields()}])


async def change_source(rest: RestClient, number: int, wanted: Wanted) -> None:
    """Change a source to what is wanted.

    Raises:
        AmoCrmError: as the client does.
    """
    await rest.call("PATCH", _PATH, body=[{"id": number, **wanted.fields()}])


def _found(entry: JsonObject) -> Found | None:
    match entry:
        case {"id": int(number), "external_id": str(id_)}:
            name, pipeline = entry.get("name"), entry.get("pipeline_id")
            services = entry.get("services")
            return Found(
                number=number,
                id=id_,
                name=name if isinstance(name, str) else "",
                pipeline_id=pipeline if isinstance(pipeline, int) else None,
                pages=tuple(_pages(services)) if isinstance(services, list) else None,
            )
        case _:
            return None


def _pages(services: Sequence[object]) -> Iterator[tuple[bool, str, str]]:
    for service in services:
        match service:
            case {"type": "whatsapp", "pages": list(pages), **more}:
                params = more.get("params")
                official = isinstance(params, dict) and params.get("waba") is True
                for page in pages:
                    if isinstance(page, dict):
                        name, link = str(page.get("name") or ""), str(page.get("link") or "")
                        yield official, name, _digits(link)
            case _:
                continue


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
