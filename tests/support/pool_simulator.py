"""Meta for a pool run, as a process of its own: `python -m tests.support.pool_simulator PORT CONFIG`, CONFIG in JSON."""

import json
import sys

from hub_api.simulator.behaviour import Prompt
from hub_api.simulator.config import SimulatorConfig
from hub_api.simulator.server import run

if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    lists = {name: tuple(given.pop(name)) for name in ("levels", "tiers") if name in given}
    config = SimulatorConfig(**lists, **given, keep_calls=5_000, keep_messages=300_000)
    run(port=int(sys.argv[1]), config=config, behaviour=Prompt())
