"""The check's sample: by chance, not the first ones, in bounded memory."""

from collections import Counter
from random import Random
from uuid import UUID

from hub_api.campaigns.lists.members import Member
from hub_api.campaigns.lists.sample import Sampled

PEOPLE = [Member(UUID(int=number)) for number in range(40)]


def sampled(seed: int, most: int) -> Sampled:
    sample = Sampled(most, Random(seed))
    for start in range(0, len(PEOPLE), 7):
        sample.take(PEOPLE[start : start + 7])
    return sample


def test_a_small_audience_is_looked_at_whole() -> None:
    sample = sampled(1, 100)
    assert sample.kept == PEOPLE and sample.seen == 40


def test_everybody_is_in_a_sample_with_the_same_chance_wherever_he_stands() -> None:
    runs, most = 4_000, 10
    seen: Counter[int] = Counter()
    for seed in range(runs):
        sample = sampled(seed, most)
        assert (len(sample.kept), len(set(sample.kept)), sample.seen) == (most, most, 40)
        seen.update(one.customer_id.int for one in sample.kept)
    # Binomial with p = 1/4: six standard deviations are 164.
    assert all(abs(seen[number] - runs * most / 40) < 165 for number in range(40))
