"""The types of the model's fields: a reader of :mod:`values` each, and how editors see it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WithJsonSchema,
    WrapSerializer,
)

from relay.config import addresses, sizes, values
from relay.config.secret import Secret, SecretMissingError, SecretSource, SecretUnfitError
from relay.config.tree import Kind, Problem, Scalar, SecretName
from relay.domain.ids import ChannelId

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class Part(BaseModel):
    """A mapping of the file with fixed keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Reading:
    """What reading one file needs besides the file: given to the validators as their context."""

    def __init__(self, directory: Path, secrets: SecretSource) -> None:
        self.directory = directory
        self.secrets = secrets
        self.warnings: list[Problem] = []
        self.revealed: set[str] = set()  # so that no message repeats one by accident


def text_schema(pattern: str | None = None, **more: object) -> WithJsonSchema:
    """The JSON Schema of a text, with its pattern."""
    return WithJsonSchema({"type": "string", **({"pattern": pattern} if pattern else {}), **more})


def _secret(value: object, info: ValidationInfo) -> object:
    if isinstance(value, Secret):
        return value
    reading: Reading | None = info.context
    if not isinstance(value, SecretName) or reading is None:
        return _remember(Secret(values.secret_text(value)), reading)
    try:
        return _remember(reading.secrets.read(value.name), reading)
    except SecretMissingError as error:
        if not reading.secrets.required:
            reading.warnings.append(Problem(value.path, str(error), place=value.place))
            return Secret(None)
        message = str(error)
    except SecretUnfitError as error:
        message = str(error)
    raise values.WrongValueError(message)


def _remember(secret: Secret, reading: Reading | None) -> Secret:
    if reading is not None:
        reading.revealed.add(secret.reveal())
    return secret


def _proxy(value: object, info: ValidationInfo) -> object:
    secret = _secret(value, info)
    if isinstance(secret, Secret) and secret.is_there:
        addresses.proxy(secret.reveal())
    return secret


def _directory(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    text = values.line(value)
    if text.startswith("~"):
        raise values.expect(value, "a path without ~")
    base = info.context.directory if isinstance(info.context, Reading) else Path()
    return Path(base / text)


def _nothing(value: object) -> bool:
    return isinstance(value, Scalar) and value.kind is Kind.NOTHING


def _section(value: object) -> object:
    """An optional section of which everything is commented out is as good as left out."""
    return {} if _nothing(value) else value


def _list(value: object) -> object:
    if _nothing(value):
        return ()
    if isinstance(value, Scalar):
        raise values.expect(value, "a list in brackets [ ]")
    return value


def _frozen(value: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(value))


def _thawed(value: Mapping[K, V], write: SerializerFunctionWrapHandler) -> object:
    """Pydantic writes only a mapping of the kind it has read."""
    return write(dict(value))


def choice(*known: str) -> BeforeValidator:
    """One of a few words."""
    return BeforeValidator(lambda value: values.word(value, known))


CHANNEL_ID_PATTERN: Final = "^[a-z0-9_-]{1,64}$"
_HTTPS: Final = "^https?://[^?#]+$"

Line = Annotated[
    str,
    BeforeValidator(values.line),
    text_schema(minLength=1, maxLength=values.LONGEST_LINE),
]
Lines = Annotated[
    str,
    BeforeValidator(values.lines),
    text_schema(minLength=1, maxLength=values.LONGEST_TEXT),
]
Switch = Annotated[bool, BeforeValidator(values.switch)]
Whole = Annotated[
    int, BeforeValidator(values.whole), WithJsonSchema({"type": "integer", "minimum": 1})
]
Bounded = Annotated[
    int,
    BeforeValidator(values.bounded),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": values.LARGEST_BOUNDED}),
]
DurationMs = Annotated[int, BeforeValidator(values.duration), text_schema("^[0-9]+[smhd]$")]
DurationOrOffMs = Annotated[
    int | None,
    BeforeValidator(values.duration_or_off),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": "^([0-9]+[smhd]|off)$"}, {"const": False}]}
    ),
]
ShortOrOffMs = Annotated[
    int | None,
    BeforeValidator(values.short_or_off),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": "^([1-9]s|10s|off)$"}, {"const": False}]}
    ),
]
Size = Annotated[int, BeforeValidator(sizes.size), text_schema("^[1-9][0-9]{0,5} ?[MG]B$")]
FileSize = Annotated[
    int,
    BeforeValidator(sizes.file_size),
    text_schema("^([1-9][0-9]{0,2} ?MB|1[0-9]{3} ?MB|2000 ?MB|[12] ?GB)$"),
]
Phone = Annotated[str, BeforeValidator(values.phone), text_schema(r"^\+[1-9][0-9 ().-]{6,}$")]
ListedNumber = Annotated[
    str, BeforeValidator(values.listed_number), text_schema(r"^\+[1-9][0-9 ().-]*\*?$")
]
Uuid = Annotated[str, BeforeValidator(values.uuid), text_schema(format="uuid")]
Digits = Annotated[str, BeforeValidator(values.digits), text_schema("^[0-9]{1,32}$")]
Origin = Annotated[str, BeforeValidator(addresses.origin), text_schema("^https?://[^/?#]+/?$")]
Url = Annotated[str, BeforeValidator(addresses.url), text_schema(_HTTPS)]
WholeUrl = Annotated[str, BeforeValidator(addresses.whole_url), text_schema(_HTTPS)]
Listen = Annotated[
    addresses.Address, BeforeValidator(addresses.listen), text_schema("^.+:[0-9]{1,5}$")
]
Directory = Annotated[Path, BeforeValidator(_directory), text_schema(minLength=1)]
SecretText = Annotated[Secret, BeforeValidator(_secret)]
ProxyUrl = Annotated[Secret, BeforeValidator(_proxy)]
ChannelKey = Annotated[ChannelId, BeforeValidator(values.channel_id)]
ChannelName = Annotated[
    ChannelId, BeforeValidator(values.channel_name), text_schema(CHANNEL_ID_PATTERN)
]
UserKey = Annotated[int | str, BeforeValidator(values.user_key)]

Optional = Annotated[T, BeforeValidator(_section)]
ListOf = Annotated[tuple[T, ...], BeforeValidator(_list)]
FrozenMapping = Annotated[Mapping[K, V], AfterValidator(_frozen), WrapSerializer(_thawed)]
