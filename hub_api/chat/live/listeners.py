"""Who listens to what in this process: a change concerns few of thousands of sockets, and only these are looked at."""

from collections.abc import Collection
from uuid import UUID

from hub_api.chat.live.subscriber import Listening, Subscriber

Hearing = list[tuple[Subscriber, Listening]]


class Listeners:
    """The open sockets, those that listen to the inbox, and those that have a conversation open, by conversation."""

    def __init__(self) -> None:
        self.all: set[Subscriber] = set()
        self._inboxes: set[Subscriber] = set()
        self._rooms: dict[UUID, set[Subscriber]] = {}

    def remove(self, subscriber: Subscriber) -> None:
        """A socket closed. What it listened to stays written on it."""
        self.all.discard(subscriber)
        self._inboxes.discard(subscriber)
        for room in subscriber.rooms:
            self._leave(subscriber, room)

    def listen(self, subscriber: Subscriber, listening: Listening) -> None:
        """A socket listens, instead of what it listened to there before."""
        if listening.room is None:
            subscriber.inbox = listening
        else:
            subscriber.rooms[listening.room] = listening
        if subscriber not in self.all:
            return  # it closed while it was let in
        if listening.room is None:
            self._inboxes.add(subscriber)
        else:
            self._rooms.setdefault(listening.room, set()).add(subscriber)

    def stop(self, subscriber: Subscriber, room: UUID | None) -> bool:
        """It listens no more to a conversation, or to the inbox (None); whether it did."""
        if room is None:
            had = subscriber.inbox is not None
            subscriber.inbox = None
            self._inboxes.discard(subscriber)
            return had
        self._leave(subscriber, room)
        return subscriber.rooms.pop(room, None) is not None

    def forget(self, subscriber: Subscriber, listening: Listening) -> None:
        """The same for just this listening, unless another one has taken its place."""
        current = subscriber.inbox if listening.room is None else subscriber.rooms.get(listening.room)
        if current is listening:
            self.stop(subscriber, listening.room)

    def in_room(self, room: UUID) -> list[Subscriber]:
        """Who has this conversation open."""
        return list(self._rooms.get(room, ()))

    def has(self, room: UUID) -> bool:
        """Whether anybody has it open."""
        return room in self._rooms

    def of(self, rooms: Collection[UUID], *, inbox: bool) -> Hearing:
        """Who hears of changes in these conversations, and who listens to the inbox when it concerns that."""
        found = [(one, one.rooms[room]) for room in rooms for one in self._rooms.get(room, ())]
        if inbox:
            found += [(one, one.inbox) for one in self._inboxes if one.inbox is not None]
        return found

    def _leave(self, subscriber: Subscriber, room: UUID) -> None:
        here = self._rooms.get(room)
        if here is not None:
            here.discard(subscriber)
            if not here:
                del self._rooms[room]
