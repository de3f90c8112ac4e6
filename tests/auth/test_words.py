"""The console has words for what the hub names by codes: permissions, roles, terms of retention, settings of the environment."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub_api.auth.permissions import PERMISSIONS
from hub_api.auth.settings_shown import in_force
from hub_api.chat.privacy import retention
from hub_api.settings import Settings
from tests.support.hub import Hub

LOCALES = Path(__file__).parents[2] / "hub_api/console/src/locales"


def words(language: str) -> dict[str, Any]:
    return json.loads((LOCALES / language / "admin.json").read_text(encoding="utf-8"))


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
