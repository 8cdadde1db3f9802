"""Bodies of letters as JSON, and back. The form is that of the domain's dataclasses."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field, TypeAdapter

from relay.domain.bodies import Body

_ADAPTER: TypeAdapter[Body] = TypeAdapter(Annotated[Body, Field(discriminator="kind")])

KINDS = tuple(member.__name__ for member in get_args(Body))


def dump_body(body: Body) -> bytes:
    """The body as JSON."""
    return _ADAPTER.dump_json(body)


def load_body(data: bytes) -> Body:
    """The body again.

    Raises:
        ValueError: these bytes are not the JSON of a body.
    """
    return _ADAPTER.validate_json(data)
