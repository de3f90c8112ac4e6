"""`hub whatsapp connect`: from the demo to a real number, step by step."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub_api.embedded.commands import make_console
from hub_api.embedded.files import write_private
from hub_api.operations import AS_JSON

if TYPE_CHECKING:
    from hub_api.platform.services import Services
    from hub_api.settings import Settings
    from hub_api.whatsapp.connect.run import Outcome
    from hub_api.whatsapp.connect.setup import Answers
    from hub_api.whatsapp.connect.texts import Language

whatsapp = typer.Typer(help="Connecting to the WhatsApp Cloud API.", no_args_is_help=True)

# What a later run need not be told again. Neither secrets nor a person's phone: the token is with the account, sealed.
_REMEMBERED = ("waba_id", "portfolio_id", "phone_number_id", "url", "template")
_SIGNS = {"passed": "[green]✓[/]", "failed": "[red]✗[/]", "waiting": "[dim]·[/]", "skipped": "[dim]–[/]"}
_PROMPTS = {
    "token": ("Token do usuário do sistema", "Token of the system user"),
    "waba_id": ("Id da conta do WhatsApp Business (WABA)", "Id of the WhatsApp Business account (WABA)"),
    "portfolio_id": ("Id do portfólio empresarial", "Id of the business portfolio"),
    "phone_number_id": ("Id do número de telefone", "Phone number id"),
    "url": ("Endereço público do hub (https://…)", "Public address of the hub (https://…)"),
    "pin": ("PIN de seis dígitos do número", "Six-digit PIN of the number"),
    "test_to": ("Telefone que recebe o teste, com DDD", "Phone that gets the test, with area code"),
    "template": ("Modelo aprovado", "Approved template"),
}


@whatsapp.callback()
def group() -> None:
    """Connecting to the WhatsApp Cloud API."""


@whatsapp.command()
def connect(
    token: Annotated[str | None, typer.Option(envvar="HUB_META_TOKEN", show_envvar=True, help="System user token; "
                     "better in the environment, a command line is readable for others.")] = None,
    waba_id: Annotated[str | None, typer.Option(help="Id of the WhatsApp business account.")] = None,
    portfolio_id: Annotated[str | None, typer.Option(help="Id of the portfolio, when Meta does not tell it.")] = None,
    phone_number_id: Annotated[str | None, typer.Option(help="Meta's id of the number.")] = None,
    url: Annotated[str | None, typer.Option(help="Public HTTPS address of this hub.")] = None,
    pin: Annotated[str | None, typer.Option(envvar="HUB_META_PIN", help="Two-step PIN, to register the number.")] = None,
    test_to: Annotated[str | None, typer.Option(help="Phone that gets the test message.")] = None,
    template: Annotated[str | None, typer.Option(help="Approved template of text; hello_world when left out.")] = None,
    without_message: Annotated[bool, typer.Option("--without-message", help="Send no test message.")] = False,
    override_callback: Annotated[bool, typer.Option("--override-callback", help="Let Meta call --url for this account.")] = False,
    ca_file: Annotated[str | None, typer.Option(help="Further trusted authorities (PEM), for a trial of one's own.")] = None,
    message_within: Annotated[float, typer.Option(min=1, help="Seconds to wait for `delivered`.")] = 120.0,
    lang: Annotated[str, typer.Option(help="pt or en.")] = "pt",
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Ask for what is missing, on a terminal.")] = True,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:  # fmt: skip
    """Check, step by step, all that a real number needs; repair what can be repaired; say the remedy of the rest.

    What passed is remembered in HUB_HOME/connect.json and checked again the next time. Exit codes: 0 all passed, 1 a step
    failed, 2 wrong usage.
    """
    from hub_api.platform.logging import configure_command
    from hub_api.settings import load_settings
    from hub_api.whatsapp.connect.run import without_settings
    from hub_api.whatsapp.connect.setup import Answers

    configure_command()
    if lang not in ("pt", "en"):
        raise typer.BadParameter("pt or en", param_hint="--lang")
    language: Language = "pt" if lang == "pt" else "en"
    given = Answers(token, waba_id, portfolio_id, phone_number_id, url, pin, test_to, template, ca_file,
                    override_callback, message_within)  # fmt: skip
    asks = ask and not as_json and sys.stdin.isatty()
    tell = (lambda *_: None) if as_json else teller(language)
    try:
        settings = load_settings()
    except ValueError as error:
        outcomes = without_settings(missing_secrets(error))
        for outcome in outcomes:
            tell(outcome, None)
    else:
        skip = ("message",) if without_message else ()
        answer = prompt(language) if asks else lambda _: None
        outcomes = asyncio.run(connected(settings, given, answer, skip=skip, tell=tell))
    if as_json:
        typer.echo(json.dumps(shown(outcomes, language), indent=2, ensure_ascii=False))
    raise typer.Exit(0 if all(outcome.state in ("passed", "skipped") for outcome in outcomes) else 1)


async def connected(
    settings: "Settings",
    given: "Answers",
    ask: Callable[[str], str | None],
    *,
    skip: tuple[str, ...] = (),
    tell: "Callable[[Outcome, str | None], None]" = lambda *_: None,
) -> "list[Outcome]":
    """Run the steps with what earlier runs remember, and remember this one; `tell` hears each outcome, and since when it
    had passed before."""
    from hub_api import roles
    from hub_api.whatsapp.connect.run import run
    from hub_api.whatsapp.connect.setup import Setup
    from hub_api.whatsapp.send.meta import open_client

    path = settings.home / "connect.json"
    memory = recall(path)
    for name in _REMEMBERED:
        if getattr(given, name) is None:
            setattr(given, name, memory["answers"].get(name))
    passed: dict[str, str] = memory["passed"]
    outcomes = []
    async with roles.services(settings, "command") as services, open_client(settings) as client:
        given.token = given.token or await known_token(services, given.waba_id)
        async for outcome in run(Setup(services, client, given, ask), skip=skip):
            tell(outcome, passed.get(outcome.step))
            outcomes.append(outcome)
            if outcome.state == "passed":
                passed.setdefault(outcome.step, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
            elif outcome.state == "failed":
                passed.pop(outcome.step, None)
    answers = {name: value for name in _REMEMBERED if (value := getattr(given, name))}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps({"answers": answers, "passed": passed}, indent=2))
    return outcomes


def missing_secrets(error: ValueError) -> str:
    """The secrets of Meta that are not set, when nothing else is wrong with the settings; else `error` is raised again."""
    from pydantic import ValidationError

    wrong = {str(one["loc"][0]) for one in error.errors()} if isinstance(error, ValidationError) else set()
    if not wrong or not wrong <= {"meta_app_secret", "meta_verify_token"}:
        raise error
    return ", ".join(f"HUB_{name.upper()}" for name in sorted(wrong))


async def known_token(services: "Services", waba_id: str | None) -> str | None:
    """The token under which the account was registered here; None when it was not."""
    from hub_api.platform import crypto
    from hub_api.whatsapp.connect.address_steps import queries

    row = await services.db.fetchrow(queries.account, waba_id) if waba_id else None
    if row is None:
        return None
    return crypto.decrypt(services.settings.secret_key.get_secret_value(), row["token_encrypted"])


def recall(path: Path) -> dict[str, Any]:
    """What earlier runs left; empty when there is nothing, or nothing readable."""
    try:
        memory = json.loads(path.read_text())
        return {"answers": dict(memory["answers"]), "passed": dict(memory["passed"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"answers": {}, "passed": {}}


def prompt(language: "Language") -> Callable[[str], str | None]:
    """Asks on the terminal; an empty answer is none."""

    def ask(name: str) -> str | None:
        question = _PROMPTS[name][0 if language == "pt" else 1]
        return typer.prompt(question, default="", show_default=False, hide_input=name in ("token", "pin")) or None

    return ask


def teller(language: "Language") -> "Callable[[Outcome, str | None], None]":
    """Prints each outcome: ✓ or ✗, what was found, the remedy; and when a step had passed before."""
    from rich.markup import escape

    from hub_api.whatsapp.connect import texts

    console = make_console()

    def tell(outcome: "Outcome", since: str | None) -> None:
        found = escape(texts.found(outcome, language))
        console.print(
            f"{_SIGNS[outcome.state]} [bold]{texts.title(outcome.step, language)}[/]: {found}", soft_wrap=True
        )
        if remedy := texts.remedy(outcome, language):
            console.print(f"    → {escape(remedy)}", soft_wrap=True)
            if since:
                before = "passava desde" if language == "pt" else "it passed since"
                console.print(f"    [dim]({before} {since})[/]")

    return tell


def shown(outcomes: "list[Outcome]", language: "Language") -> dict[str, Any]:
    """The run for programs."""
    from hub_api.whatsapp.connect import texts

    steps = [
        {
            **asdict(outcome),
            "title": texts.title(outcome.step, language),
            "found": texts.found(outcome, language),
            "remedy": texts.remedy(outcome, language),
        }
        for outcome in outcomes
    ]
    return {"ok": all(outcome.state in ("passed", "skipped") for outcome in outcomes), "steps": steps}
