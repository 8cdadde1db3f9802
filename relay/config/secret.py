"""Secrets: a type that never prints, and the places where secrets are kept outside the file."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LARGEST = 64 * 1024
_MASK = "***"


class Secret:
    """A value that is shown to nobody: whatever prints it prints ``***``.

    One that is not there (allowed only where nothing will use it) raises when revealed.
    """

    __slots__ = ("_hidden",)

    def __init__(self, value: str | None) -> None:
        self._hidden = value

    def reveal(self) -> str:
        """The value itself.

        Raises:
            LookupError: the secret was not there when the file was read.
        """
        if self._hidden is None:
            raise LookupError("the secret was not there when the file was read")
        return self._hidden

    @property
    def is_there(self) -> bool:
        """Whether it can be revealed."""
        return self._hidden is not None

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        if self._hidden is None or other._hidden is None:
            return self._hidden is other._hidden
        return hmac.compare_digest(self._hidden.encode(), other._hidden.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._hidden))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class SecretMissingError(LookupError):
    """A named secret is in none of the places; the text says which those are."""


class SecretUnfitError(ValueError):
    """A named secret is there but cannot be used; the text says why, not what it is."""


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where ``!secret NAME`` is looked up.

    ``required``: a secret that is not there is an error (``relay run``), else only a warning
    (``relay check``: an administrator's shell has no credentials).
    """

    directory: Path | None
    environment: Mapping[str, str]
    required: bool = True

    @classmethod
    def of(cls, environment: Mapping[str, str], *, required: bool = True) -> SecretSource:
        """The places that a process with this environment looks in."""
        directory = environment.get("CREDENTIALS_DIRECTORY")
        return cls(Path(directory) if directory else None, environment, required)

    def read(self, name: str) -> Secret:
        """The secret of that name.

        Raises:
            SecretMissingError: it is in neither place.
            SecretUnfitError: the name cannot be one, or what is there cannot be read.
        """
        if not _NAME.fullmatch(name):
            raise SecretUnfitError("the name after !secret may hold only letters, digits, _ - .")
        variable = "RELAY_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
        value = self._from_file(name)
        if value is None:
            value = self.environment.get(variable)
        if value is None:
            raise SecretMissingError(
                f"the secret is not there: no file {name} in $CREDENTIALS_DIRECTORY"
                f"{'' if self.directory else ' (which is not set)'} and no {variable} in the"
                " environment"
            )
        if not value:
            raise SecretUnfitError(f"the secret {name} is empty")
        return Secret(value)

    def _from_file(self, name: str) -> str | None:
        if self.directory is None:
            return None
        try:
            with (self.directory / name).open("rb") as file:
                content = file.read(_LARGEST + 1)
            if len(content) > _LARGEST:
                raise SecretUnfitError(f"the secret {name} is larger than {_LARGEST // 1024} KiB")
            return content.decode().removesuffix("\n").removesuffix("\r")
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = error.strerror or type(error).__name__
        except UnicodeDecodeError:
            reason = "it is not UTF-8"
        # Raised here, outside the handlers, so that no exception with the bytes hangs on it.
        raise SecretUnfitError(f"the secret {name} cannot be read: {reason}")
