"""Reads the file: all of its mistakes at once, or the configuration and what is doubtful in it."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from relay.config.complaints import complaints
from relay.config.doubts import doubts
from relay.config.errors import START, ConfigError, ConfigErrors, path_text
from relay.config.fields import Reading
from relay.config.keys import is_inside_secret
from relay.config.model import Config
from relay.config.parts import read_part
from relay.config.places import Places
from relay.config.reader import read
from relay.config.rules import broken_rules
from relay.config.secret import SecretSource
from relay.config.syntax import LARGEST_FILE, UnreadableError, decode
from relay.config.tree import MappingTree, Problem, place_of

_SHORTEST_HIDDEN = 6
"""Shorter secrets are not looked for in messages: they would be found in ordinary words."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file without mistakes. ``warnings`` have the form of errors and do not forbid anything."""

    config: Config
    warnings: tuple[ConfigError, ...]


def load(path: Path, secrets: SecretSource) -> Loaded:
    """Read and check the file. It blocks: a large file takes the better part of a second.

    Raises:
        ConfigErrors: all mistakes, in the order of their lines.
    """
    return parse(_text(path, secrets), path, secrets)


def load_with_places(path: Path, secrets: SecretSource) -> tuple[Loaded, Places]:
    """The same, and where in the file everything stands.

    Raises:
        ConfigErrors: all mistakes, in the order of their lines.
    """
    loaded, tree = _parse(_text(path, secrets), path, secrets)
    return loaded, Places(tree)


def parse(text: str, path: Path, secrets: SecretSource) -> Loaded:
    """The same for a text that would stand in the file at ``path``.

    Raises:
        ConfigErrors: all mistakes, in the order of their lines.
    """
    return _parse(text, path, secrets)[0]


def _parse(text: str, path: Path, secrets: SecretSource) -> tuple[Loaded, MappingTree]:
    reading = Reading(path.absolute().parent, secrets)
    tree, problems = read(text)
    config = None
    if tree is not None:
        config, found = _validated(tree, reading)
        problems += found
        problems += broken_rules(tree)
    if config is None or tree is None or problems:
        raise ConfigErrors(_located(problems, path, tree, reading))
    warnings = _located([*reading.warnings, *doubts(config, tree)], path, tree, reading)
    return Loaded(config, ConfigErrors(warnings).errors), tree


def _text(path: Path, secrets: SecretSource) -> str:
    try:
        return decode(_content(path))
    except UnreadableError as error:
        problem = error.problem
    raise ConfigErrors(_located([problem], path, None, Reading(path, secrets)))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        reasons = {
            errno.ENOENT: "there is no such file",
            errno.EISDIR: "found a directory, expected a file",
            errno.EACCES: "the file may not be read: permission denied",
        }
        reason = reasons.get(error.errno or 0, f"the file cannot be read: {error.strerror}")
    except ValueError:
        reason = "the name of the file has a character that no name may have"
    raise UnreadableError(START, reason)


def _validated(tree: MappingTree, reading: Reading) -> tuple[Config | None, list[Problem]]:
    """What the tree means, or what is wrong with it."""
    config, faults = read_part(Config, tree, reading)
    return config, list(complaints(faults, tree))


def _located(
    problems: Iterable[Problem], path: Path, tree: MappingTree | None, reading: Reading
) -> list[ConfigError]:
    """Problems with their places, one for each path and place, without any secret."""
    hidden = sorted(
        (value for value in reading.revealed if len(value) >= _SHORTEST_HIDDEN),
        key=len,
        reverse=True,
    )
    errors: dict[tuple[object, ...], ConfigError] = {}
    for problem in problems:
        if is_inside_secret(problem.path):
            continue  # the secret itself is complained of; what it holds is nobody's business
        place = problem.place or START
        if problem.place is None and tree is not None:
            place = place_of(tree, problem.path, at_key=problem.at_key)
        message, where = problem.message, path_text(problem.path)
        for value in hidden:
            message, where = message.replace(value, "***"), where.replace(value, "***")
        error = ConfigError(path, place.line, place.column, where, message)
        errors.setdefault((place, problem.path), error)
    return list(errors.values())
