"""The types of the model's fields: a reader of :mod:`values` each, and how editors see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final, TypeVar

from relay.config import addresses, sizes, values
from relay.config.parts import EmptyIsNothing
from relay.config.secret import Secret, SecretMissingError, SecretSource, SecretUnfitError
from relay.config.shapes import Leaf
from relay.config.tree import Problem, SecretName
from relay.domain.ids import ChannelId

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class Reading:
    """What reading one file needs besides the file: the context of those readers that ask."""

    def __init__(self, directory: Path, secrets: SecretSource) -> None:
        self.directory = directory
        self.secrets = secrets
        self.warnings: list[Problem] = []
        self.revealed: set[str] = set()  # so that no message repeats one by accident


def text(read: Callable[[object], object], pattern: str | None = None, **more: object) -> Leaf:
    """A value that the file writes as text, with the pattern of its JSON Schema."""
    return Leaf(read, {"type": "string", **({"pattern": pattern} if pattern else {}), **more})


def _secret(value: object, reading: Reading | None) -> Secret:
    if isinstance(value, Secret):
        return value
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


def _proxy(value: object, reading: Reading | None) -> Secret:
    secret = _secret(value, reading)
    if secret.is_there:
        addresses.proxy(secret.reveal())
    return secret


def _directory(value: object, reading: Reading | None) -> Path:
    if isinstance(value, Path):
        return value
    line = values.line(value)
    if line.startswith("~"):
        raise values.expect(value, "a path without ~")
    return Path((reading.directory if reading is not None else Path()) / line)


def choice(*known: str) -> Leaf:
    """One of a few words."""
    return Leaf(lambda value: values.word(value, known), {"type": "string", "enum": list(known)})


CHANNEL_ID_PATTERN: Final = "^[a-z0-9_-]{1,64}$"
_HTTPS: Final = "^https?://[^?#]+$"

Line = Annotated[str, text(values.line, minLength=1, maxLength=values.LONGEST_LINE)]
Lines = Annotated[str, text(values.lines, minLength=1, maxLength=values.LONGEST_TEXT)]
Switch = Annotated[bool, Leaf(values.switch, {"type": "boolean"})]
Whole = Annotated[int, Leaf(values.whole, {"type": "integer", "minimum": 1})]
Bounded = Annotated[
    int,
    Leaf(values.bounded, {"type": "integer", "minimum": 1, "maximum": values.LARGEST_BOUNDED}),
]
DurationMs = Annotated[int, text(values.duration, "^[0-9]+[smhd]$")]
DurationOrOffMs = Annotated[
    int | None,
    Leaf(
        values.duration_or_off,
        {"anyOf": [{"type": "string", "pattern": "^([0-9]+[smhd]|off)$"}, {"const": False}]},
    ),
]
ShortOrOffMs = Annotated[
    int | None,
    Leaf(
        values.short_or_off,
        {"anyOf": [{"type": "string", "pattern": "^([1-9]s|10s|off)$"}, {"const": False}]},
    ),
]
Size = Annotated[int, text(sizes.size, "^[1-9][0-9]{0,5} ?[MG]B$")]
FileSize = Annotated[
    int,
    text(sizes.file_size, "^([1-9][0-9]{0,2} ?MB|1[0-9]{3} ?MB|2000 ?MB|[12] ?GB)$"),
]
Phone = Annotated[str, text(values.phone, r"^\+[1-9][0-9 ().-]{6,}$")]
ListedNumber = Annotated[str, text(values.listed_number, r"^\+[1-9][0-9 ().-]*\*?$")]
Uuid = Annotated[str, text(values.uuid, format="uuid")]
Digits = Annotated[str, text(values.digits, "^[0-9]{1,32}$")]
Origin = Annotated[str, text(addresses.origin, "^https?://[^/?#]+/?$")]
Url = Annotated[str, text(addresses.url, _HTTPS)]
WholeUrl = Annotated[str, text(addresses.whole_url, _HTTPS)]
Listen = Annotated[addresses.Address, text(addresses.listen, "^.+:[0-9]{1,5}$")]
_WORD: Final = {"type": "string", "minLength": 1}
Directory = Annotated[Path, Leaf(_directory, _WORD, wide=True)]
SecretText = Annotated[Secret, Leaf(_secret, _WORD, wide=True, secret=True)]
ProxyUrl = Annotated[Secret, Leaf(_proxy, _WORD, wide=True, secret=True)]
ChannelKey = Annotated[ChannelId, text(values.channel_id)]
ChannelName = Annotated[ChannelId, text(values.channel_name, CHANNEL_ID_PATTERN)]
UserKey = Annotated[int | str, text(values.user_key)]

Optional = Annotated[T, EmptyIsNothing]
ListOf = tuple[T, ...]
FrozenMapping = Mapping[K, V]
