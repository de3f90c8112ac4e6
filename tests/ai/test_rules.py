"""The rules file is data that people change: what breaks it is told by line and key."""

from importlib import resources

import pytest

from hub_api.ai.rules import BadRules, load_rules, parse_rules

TEXT = resources.files("hub_api.ai.rules").joinpath("pt_br.yaml").read_text(encoding="utf-8")


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_rules_that_come_with_the_hub_are_right():
    rules = load_rules()
    assert rules.menu.options == ("invoice_copy", "no_signal", "plans", "agent")
    assert all(name in rules.routes for name in rules.options)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('{title: "Ver menu"}', '{title: "Ver o menu principal completo"}', "options.menu.title: .*at most 20"),
        ('description: "Planos e preços de hoje"', f'description: "{"x" * 73}"', "options.plans.description: .*72"),
        ('footer: "Para', f'footer: "{"x" * 60}', "footer: .*at most 60"),
        ('{protocol}."\n  menu:', '{cpf}."\n  menu:', r"greeting uses \{cpf\}; it may use: name, protocol"),
        ("    do: plans\n", "    do: sing\n", "routes.plans.do"),
        ("    text: handed_over_cancel\n", "    text: nowhere\n", "texts lacks: nowhere"),
        ("plans, agent]\n", "plans, agent, pizza]\n", "options lacks: pizza"),
        ("  agent: {title:", "  human: {title:", "options lacks: agent"),
        ('"5 - Ótimo"]', '"4 - Bom"]', "different from each other"),
        ("America/Manaus", "America/Manaos", "no time zone 'America/Manaos'"),
        ("      - boleto*\n", "      - boleto* /\n", "a place without a word"),
        ("misses_before_offer: 2", "misses_before_offer: two", "misses_before_offer: .*integer"),
        ("thanks_emoji:", "thanks_emogi:", "thanks_emogi"),
    ],
)
def test_a_broken_rule_is_told_with_its_file_and_key(right, wrong, told):
    assert right in TEXT
    with pytest.raises(BadRules, match=told) as caught:
        parse_rules(TEXT.replace(right, wrong), "pt_br.yaml")
    assert caught.value.message.startswith("pt_br.yaml line ")


def test_the_line_of_a_broken_rule_is_told():
    broken = TEXT.replace("    do: plans\n", "    do: sing\n")
    with pytest.raises(BadRules, match=f"line {line_of(broken, 'do: sing')}, routes.plans.do"):
        parse_rules(broken, "pt_br.yaml")


def test_what_is_no_yaml_is_told_with_its_place():
    with pytest.raises(BadRules, match=r"(?s)is no YAML.*line 3"):
        parse_rules("a: 1\nb: 2\nc: [", "x.yaml")
