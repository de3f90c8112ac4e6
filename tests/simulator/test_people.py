"""Who lives on the simulated platform, and what passed between them and the business."""

from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from tests.support.simulator import ANA, test_config

START = 1_796_000_000.0


async def test_a_person_registered_again_keeps_what_passed():
    """Live traffic that starts a second time must not close the windows of those who wrote before."""
    async with Simulator(test_config(speed=0.0, start_at=START)) as sim:
        (ana,) = sim.core.world.register([NewUser(ANA)])
        ana.pair(PHONE_NUMBER_ID).wrote_at = START - 60
        ana.opted_out.add("111000000000001")
        (again,) = sim.core.world.register([NewUser(ANA, name="Ana Souza")])
        assert again.name == "Ana Souza"
        assert again.pair(PHONE_NUMBER_ID).wrote_at == START - 60
        assert again.opted_out == {"111000000000001"}


async def test_a_window_that_history_opened_is_known_and_never_shortened():
    async with Simulator(test_config(speed=0.0, start_at=START)) as sim:
        (ana,) = sim.core.world.register([NewUser(ANA, wrote_at={PHONE_NUMBER_ID: START - 3600})])
        assert ana.pair(PHONE_NUMBER_ID).wrote_at == START - 3600
        (again,) = sim.core.world.register([NewUser(ANA, wrote_at={PHONE_NUMBER_ID: START - 7200})])
        assert again.pair(PHONE_NUMBER_ID).wrote_at == START - 3600
