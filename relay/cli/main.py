"""The command line: results on standard output, trouble on standard error, exits 0, 1, 2 or 78."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from relay import __version__
from relay.app.exits import EXIT_CONFIGURATION, EXIT_FAILED
from relay.app.interpreter import calm_collector
from relay.app.not_yet import not_yet
from relay.config.errors import ConfigErrors
from relay.config.load import Loaded, load, load_with_places
from relay.config.secret import SecretSource

T = TypeVar("T")

_DEFAULT = Path("/etc/relay/config.yaml")


class _Group(click.Group):
    """A group of commands that names the nearest one when it does not know the one given."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command meant by the arguments; usage errors end the process with status 2."""
        name = args[0]
        if self.get_command(ctx, name) is None:
            close = difflib.get_close_matches(name, self.list_commands(ctx), n=1, cutoff=0.5)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            ctx.fail(f"No such command '{name}'.{hint}")
        return super().resolve_command(ctx, args)


config_option = click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="RELAY_CONFIG",
    default=_DEFAULT,
    show_default=True,
    show_envvar=True,
    help="The configuration file.",
)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relay")
def main() -> None:
    """Self-hosted relay between WhatsApp and amoCRM."""


@main.command()
@config_option
def run(path: Path) -> None:
    """Run the relay until it is told to stop."""
    calm_collector()  # loading keeps all it makes: to look for garbage was a sixth of the start
    from relay.app.daemon import run_daemon  # noqa: PLC0415  other commands need not load it

    run_daemon(_load(path, required=True), path)


@main.command()
@config_option
def check(path: Path) -> None:
    """Tell everything that is wrong with the file."""
    loaded = _load(path, required=False)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    for sentence in not_yet(loaded.config):
        click.echo(f"warning: {path}: {sentence}", err=True)
    click.echo(f"{path}: no errors")


@main.command()
def schema() -> None:
    """Print the JSON Schema of the file, for editors."""
    from relay.config.schema import json_schema  # noqa: PLC0415

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as /healthz tells it.")
def status(path: Path, as_json: bool) -> None:
    """Tell how the running relay is: channels, queues, last reload."""
    from relay.cli.control import StatusError, ask_status, status_text  # noqa: PLC0415

    loaded = _load(path, required=False)
    try:
        answer = ask_status(loaded.config.storage.directory)
    except StatusError as error:
        _fail(str(error))
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else status_text(answer))


@main.command()
@click.argument("channel")
@config_option
@click.option("--code", "phone", metavar="PHONE", help="Letters for this number, no QR code.")
@click.option("--events", is_flag=True, hidden=True, help="A JSON object a line, for a program.")
def pair(channel: str, path: Path, phone: str | None, *, events: bool) -> None:
    """Link a WhatsApp number to a channel: scan the QR code with its phone."""
    from relay.cli.pair import (  # noqa: PLC0415
        PairError,
        letters_number,
        run_pair,
        target_of,
        tell_failure,
    )

    config = _load(path, required=False).config
    try:
        target = target_of(config, channel)
        letters_for = letters_number(target, phone) if phone is not None else None
    except PairError as error:
        if events:
            tell_failure(error)
        _fail(str(error))
    except ValueError:
        raise click.BadParameter("not a telephone number", param_hint="--code") from None
    run_pair(target, letters_for, events=events)


@main.command()
@click.argument("channel")
@config_option
@click.option("--yes", "sure", is_flag=True, help="Do not ask.")
def unpair(channel: str, path: Path, sure: bool) -> None:
    """Log a channel's number out of WhatsApp and remove its session."""
    from relay.cli.pair import PairError, run_unpair, target_of  # noqa: PLC0415

    try:
        target = target_of(_load(path, required=False).config, channel)
    except PairError as error:
        _fail(str(error))
    run_unpair(target, sure=sure)


@main.command()
@config_option
def authorize(path: Path) -> None:
    """Let an administrator of the account consent to amocrm.oauth, and keep the tokens."""
    from relay.cli.authorize import AuthorizeError, run_authorize  # noqa: PLC0415
    from relay.cli.control import StatusError  # noqa: PLC0415

    config = _load(path, required=False).config
    try:
        click.echo(run_authorize(config, click.echo))
    except (AuthorizeError, StatusError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted: no tokens")


@main.command()
@click.argument("number", metavar="PHONE")
@config_option
@click.option("--channel", help="Ask over this channel; else over the first that can.")
@click.option("--check", "again", is_flag=True, help="Ask WhatsApp even if the answer is known.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def phone(number: str, path: Path, channel: str | None, again: bool, as_json: bool) -> None:
    """Tell whether a number is on WhatsApp. Exit 1 if that cannot be found out."""
    from relay.cli.control import StatusError  # noqa: PLC0415
    from relay.cli.phone import PhoneWish, ask_phone, phone_text  # noqa: PLC0415

    loaded = _load(path, required=False)
    try:
        answer = ask_phone(loaded.config.storage.directory, PhoneWish(number, channel, again))
    except StatusError as error:
        _fail(str(error))
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else phone_text(answer))
    if answer["trouble"] is not None:
        _fail(str(answer["trouble"]))


@main.group()
def widget() -> None:
    """The widget inside amoCRM: the button beside numbers, and the settings page."""


@widget.command()
@config_option
@click.option(
    "-o",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("widget.zip"),
    show_default=True,
    help="The archive to write.",
)
def build(path: Path, out: Path) -> None:
    """Write the archive to be uploaded into the integration; server.public_url is built in."""
    from relay.cli.widget import build_widget  # noqa: PLC0415

    loaded = _load(path, required=False)
    try:
        version = build_widget(loaded.config, out)
    except OSError as error:
        _fail(f"{out} cannot be written: {error.strerror}")
    click.echo(f"{out}: version {version}, for the relay at {loaded.config.server.public_url}")
    if loaded.config.amocrm.integration is None:
        click.echo("warning: the widget's calls are refused without amocrm.integration", err=True)


@main.command()
@config_option
@click.option("--from", "sender", metavar="PHONE", help="The client whose message it is.")
@click.option("--channel", metavar="ID", help="The channel; with --to: by which he has written.")
@click.option("--from-phone", is_flag=True, help="With --from: the owner typed it on the phone.")
@click.option("--to", metavar="PHONE", help="The number in the card that is written to.")
@click.option("--user", metavar="ID", help="With --to: who writes, by amoCRM's id or his name.")
@click.option("--robot", is_flag=True, help="With --to: a robot writes.")
@click.option("--source", metavar="ID", help="With --to: the channel chosen to write first from.")
@click.option("--text", default="", help="The message.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(path: Path, as_json: bool, **wishes: Any) -> None:
    """Tell what would happen to a message: the rules in order, with their lines of the file.

    Nothing is sent, and nobody is asked but a relay that runs.
    """
    from relay.app.explain.terms import QuestionError  # noqa: PLC0415
    from relay.cli import explain as words  # noqa: PLC0415

    loaded, places = _read(lambda: load_with_places(path, _secrets(required=False)))
    try:
        answer, alone = words.explained(loaded.config, places, words.Wish(**wishes))
    except QuestionError as error:
        _fail(str(error))
    if as_json:
        click.echo(json.dumps(words.as_json(answer, path, alone), ensure_ascii=False))
    else:
        click.echo(words.as_text(answer, path, alone))


@main.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8800,
    show_default=True,
    help="Port of the page on 127.0.0.1; 0 takes any free one.",
)
@click.option("--open/--no-open", "open_page", default=True, help="Open the page in a browser.")
def demo(port: int, open_page: bool) -> None:
    """Show everything on this machine: a pretended phone and a pretended amoCRM in a web page."""
    from relay.demo.main import run_demo  # noqa: PLC0415

    _exit(run_demo(port=port, open_page=open_page))


def _load(path: Path, *, required: bool) -> Loaded:
    return _read(lambda: load(path, _secrets(required=required)))


def _secrets(*, required: bool) -> SecretSource:
    return SecretSource.of(os.environ, required=required)


def _read(reading: Callable[[], T]) -> T:
    try:
        return reading()
    except ConfigErrors as errors:
        click.echo(str(errors), err=True)
        _exit(EXIT_CONFIGURATION)


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    _exit(EXIT_FAILED)


def _exit(code: int) -> NoReturn:
    sys.exit(code)
