"""What chance draws in tests: seeds of simulated histories, examples of properties.

`make test` decides whether a change lands, so it draws the same at every run: a change fails by itself alone. `make soak` looks
further: HUB_TEST_EXPLORE draws anew at every run. HUB_TEST_SEED=N repeats a run whose failure named its seed. No test may rest
on a lucky seed: what it asserts holds for all but a stated share of them.
"""

import os
from random import SystemRandom

EXPLORE = "HUB_TEST_EXPLORE" in os.environ


def drawn_seed() -> int:
    """The seed of a module's chance: HUB_TEST_SEED, drawn anew where the run explores, otherwise always the same."""
    if given := os.environ.get("HUB_TEST_SEED"):
        return int(given)
    return SystemRandom().randrange(1_000_000) if EXPLORE else 20_261
