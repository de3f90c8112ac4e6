"""The simulator as a process without limits and without people who react: the peer of the sender's benchmark."""

import sys

from hub_api.simulator.behaviour import Silent
from hub_api.simulator.config import SimulatorConfig
from hub_api.simulator.server import run

NUMBERS = 1_000

if __name__ == "__main__":
    config = SimulatorConfig(enforce_limits=frozenset(), numbers=NUMBERS)
    run(port=int(sys.argv[1]), config=config, behaviour=Silent())
