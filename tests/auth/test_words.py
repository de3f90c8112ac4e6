"""The console has words for what the hub names by codes: permissions, roles, terms of retention, settings, rows of the audit log."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from hub_api.auth.permissions import PERMISSIONS
from hub_api.auth.settings_shown import in_force
from hub_api.chat import viewed
from hub_api.chat.privacy import retention
from hub_api.settings import Settings
from tests.support.hub import Hub

HUB = Path(__file__).parents[2] / "hub_api"
LOCALES = HUB / "console/src/locales"


def words(language: str, namespace: str = "admin") -> dict[str, Any]:
    return json.loads((LOCALES / language / f"{namespace}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_every_permission_has_words(language: str):
    assert set(words(language)["permission"]) == {one.replace(":", "_") for one in PERMISSIONS}


async def test_every_role_of_the_hub_and_every_term_of_retention_is_named_in_both_languages(hub: Hub):
    roles = {row["name"]: row["title"] for row in await hub.fetch("SELECT name, title FROM roles WHERE builtin")}
    assert words("pt-BR")["role"]["builtin"] == roles and set(words("en")["role"]["builtin"]) == set(roles)
    rules = {rule.key: rule.title for rule in retention.rules(hub.services.settings)}
    assert words("pt-BR")["privacy"]["rules"] == rules and set(words("en")["privacy"]["rules"]) == set(rules)


def test_every_setting_shown_is_explained_in_english_as_the_hub_does_and_in_portuguese(settings: Settings):
    told = {one["name"]: one["description"] for one in in_force(settings)}
    assert words("en")["setting"] == told
    assert set(words("pt-BR")["setting"]) == set(told)


def audited() -> Iterator[tuple[str, set[str], set[str]]]:
    """Every call of `audit.write`: where it stands, which actions it may write, about which kinds of object."""
    for path in HUB.rglob("*.py"):
        if "audit.write(" not in (text := path.read_text(encoding="utf-8")):
            continue
        module = ast.parse(text)
        texts = {
            node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) != "audit.write":
                continue
            _, _, action, kind, *_ = call.args
            where = f"{path.relative_to(HUB)}:{call.lineno}"
            assert not isinstance(action, ast.JoinedStr), (
                f"{where}: write the action out, so that it is found by its code"
            )
            # One that is chosen before is any of those that the module spells.
            chosen = {one for one in texts if re.fullmatch(r"[a-z_]+\.(?!sql$)[a-z_]+", one)}
            kinds = set(get_args(viewed.Kind)) if path == Path(viewed.__file__) else set()
            yield (
                where,
                {action.value} if isinstance(action, ast.Constant) else chosen,
                {kind.value} if isinstance(kind, ast.Constant) else kinds,
            )


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_every_action_of_the_audit_log_and_every_kind_of_object_has_words(language: str):
    told = words(language, "audit")
    actions = {f"{area}.{deed}" for area, deeds in told["action"].items() for deed in deeds}
    seen: set[str] = set()
    for where, written, kinds in audited():
        assert written and kinds, f"{where}: actions and kinds of object are spelled in the module that writes them"
        assert not written - actions and not kinds - set(told["object"]), f"{where}: no words in {language}/audit.json"
        seen |= written
    # Some of those that a call does not spell itself. Words of an action that is written no more stay for its old rows.
    assert {"number.paused", "campaign.completed", "team.member_added"} <= seen
