"""Some of an audience by chance, each with the same chance whatever stands first: in one pass, in bounded memory."""

from collections.abc import Sequence
from random import Random

from hub_api.campaigns.lists.members import Member


class Sampled:
    """A reservoir (Vitter 1985, algorithm R): `kept` are up to `most` of those `seen` so far, all alike likely to be among them.

    An audience comes in an order: by id, which is by age, or as the warehouse lies. Its first ones are like no others.
    """

    def __init__(self, most: int, chance: Random) -> None:
        self.most, self.chance = most, chance
        self.seen, self.kept = 0, list[Member]()

    def take(self, members: Sequence[Member]) -> None:
        """Look at the next ones."""
        for one in members:
            self.seen += 1
            if len(self.kept) < self.most:
                self.kept.append(one)
            elif (place := int(self.chance.random() * self.seen)) < self.most:
                self.kept[place] = one
