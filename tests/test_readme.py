"""The README tells the truth: each setting is in its table, and the table names no other."""

import re
from pathlib import Path

from hub_api.settings import Settings

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_settings_table_lists_each_setting_with_its_default():
    rows = dict(re.findall(r"^\| `(HUB_[A-Z0-9_]+)` \| ([^|]*) \|", README, re.MULTILINE))
    expected = {}
    for name, field in Settings.model_fields.items():
        default = (
            "required" if field.is_required() else f"`{field.default}`" if field.default not in (None, ()) else "–"
        )
        expected[f"HUB_{name.upper()}"] = default
    assert {name: default.strip() for name, default in rows.items()} == expected


def test_the_readme_names_no_command_that_does_not_exist():
    makefile = (Path(__file__).parent.parent / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z0-9]+)`", README))
    assert named <= targets, f"README names unknown targets: {named - targets}"
