"""Where work goes: inbound items over lanes, outbound messages over shards. Both keep one person's work in one place."""

from uuid import UUID
from zlib import crc32


def lane_of(contact_key: str, lanes: int) -> int:
    """The lane of a contact's inbound items (`settings.inbox_lanes` of them): 0 <= lane < lanes."""
    return crc32(contact_key.encode()) % lanes


def shard_of(customer_id: UUID, shards: int) -> int:
    """The shard of a customer's outbound messages (`settings.outbox_shards` of them): 0 <= shard < shards.

    It is stored as `customers.shard_id` when the customer is made; after a change of the setting old customers keep
    theirs, which stays right: a shard is a number on a message, and whoever drains it asks for that number.
    """
    return crc32(customer_id.bytes) % shards
