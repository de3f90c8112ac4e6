"""Which tables a test needs: building all of them takes seconds that most tests have no use for."""

from functools import cache

import dagster as dg

from pipelines import tables


@cache
def made_of(*names: str) -> tuple[str, ...]:
    """These tables (`gold/conversation_facts`) and every table of events that they are made of, for `materialize(only=…)`."""
    wanted = dg.AssetSelection.assets(*(dg.AssetKey(name.split("/")) for name in names)).upstream()
    found = wanted.resolve(tables.assets()) & set(tables.daily_keys()) - {tables.EVENTS}
    return tuple(sorted(key.to_user_string() for key in found))
