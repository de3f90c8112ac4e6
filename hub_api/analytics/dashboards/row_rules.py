"""Whose rows somebody sees: one table of rules (`dashboards/row_rules.yaml`), rendered for Superset and for a cluster."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from hub_api.errors import Invalid

RULES = Path(__file__).parents[3] / "dashboards" / "row_rules.yaml"


@dataclass(frozen=True, slots=True)
class Rule:
    """Of these views and tables a person sees the rows whose `column` is a queue that he sees."""

    name: str
    column: str
    views: frozenset[str]
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, and the views and tables that are open to whoever may read figures, each with the reason."""

    rules: tuple[Rule, ...]
    open: Mapping[str, str]

    @property
    def ruled(self) -> frozenset[str]:
        """Views and tables with a rule."""
        return frozenset[str]().union(*(rule.views | rule.tables for rule in self.rules))

    def of_view(self, view: str) -> Rule | None:
        """The rule of a view; None when it is open. Raises Invalid for one that the file does not know."""
        if view in self.open:
            return None
        for rule in self.rules:
            if view in rule.views:
                return rule
        raise Invalid(f"{view} is neither under a rule nor open in dashboards/row_rules.yaml: whose rows are these?")


def read_rules(file: Path = RULES) -> Rules:
    """The rules in force. Raises Invalid for a name that is both ruled and open."""
    content = yaml.safe_load(file.read_text("utf-8"))
    rules = tuple(
        Rule(name, spec["column"], frozenset(spec["views"]), frozenset(spec["tables"]))
        for name, spec in content["rules"].items()
    )
    found = Rules(rules, content["open"])
    if both := found.ruled & found.open.keys():
        raise Invalid(f"dashboards/row_rules.yaml: both under a rule and open: {', '.join(sorted(both))}")
    return found


def superset_clause(rule: Rule) -> str:
    """The rule as Superset's row level security keeps it: asked for each request (`hub_rows`), and part of the cache's key."""
    return f"{{{{ cache_key_wrapper(hub_rows('{rule.column}')) }}}}"


def row_policies(
    rules: Rules, teams: Mapping[str, Sequence[str]], own_users: Sequence[str], cluster: str | None
) -> Iterator[str]:
    """The rules as ClickHouse's own, for users of a cluster that do not come by Superset.

    A role of the warehouse for each team (`hub_team_<name>`), which sees the rows of its `queues` beside those of no
    queue, and `hub_all_teams`, which sees every row. With a policy on a table, whoever is in none of them sees no row:
    so the hub's `own_users`, who build the tables and read them for Superset, are given the latter before anything else.
    """
    on = f" ON CLUSTER {_name(cluster)}" if cluster else ""
    everyone = "hub_all_teams"
    yield f"CREATE ROLE IF NOT EXISTS {_name(everyone)}{on}"
    yield f"GRANT{on} {_name(everyone)} TO {', '.join(map(_name, own_users))}"
    for team in teams:
        yield f"CREATE ROLE IF NOT EXISTS {_name(f'hub_team_{team}')}{on}"
    for rule in rules.rules:
        for table in sorted(rule.tables):
            target = f"{on} ON gold.{_name(table)}"
            yield f"CREATE ROW POLICY OR REPLACE {_name(everyone)}{target} AS PERMISSIVE FOR SELECT USING 1 TO {_name(everyone)}"
            for team, queues in teams.items():
                seen = ", ".join(_text(queue) for queue in ("", *queues))
                role = _name(f"hub_team_{team}")
                yield (
                    f"CREATE ROW POLICY OR REPLACE {role}{target} AS PERMISSIVE FOR SELECT "
                    f"USING {_name(rule.column)} IN ({seen}) TO {role}"
                )


def _name(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
