"""The console has words for what the hub names by codes: permissions, and settings of the environment."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub_api.auth.permissions import PERMISSIONS
from hub_api.auth.settings_shown import in_force
from hub_api.settings import Settings

LOCALES = Path(__file__).parents[2] / "hub_api/console/src/locales"


def words(language: str) -> dict[str, Any]:
    return json.loads((LOCALES / language / "admin.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_every_permission_has_words(language: str):
    assert set(words(language)["permission"]) == {one.replace(":", "_") for one in PERMISSIONS}


def test_every_setting_shown_is_explained_in_english_as_the_hub_does_and_in_portuguese(settings: Settings):
    told = {one["name"]: one["description"] for one in in_force(settings)}
    assert words("en")["setting"] == told
    assert set(words("pt-BR")["setting"]) == set(told)
