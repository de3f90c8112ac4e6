"""bronze has every event of raw, each once."""

from assets.bronze.assets import events
from assets.checks import recomputation
from assets.warehouse import load_sql

complete = recomputation(
    events,
    "complete",
    load_sql(__package__, "events.check.sql"),
    "As many rows as raw.events has distinct ids on these days",
)
