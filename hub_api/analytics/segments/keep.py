"""Segments in PostgreSQL: make, change by versions, put away; and their trees with nested ones in place."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, Invalid, NotFound, Stale
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from models_ml.segmentation import tree
from models_ml.segmentation.parse import MAX_NODES, InvalidTree, parse
from models_ml.segmentation.tree import Node

queries = sqlfile.load(__package__)

MAX_SEGMENTS = 1_000
MAX_TOGETHER = 100  # segments that one definition may speak of, nested ones of nested ones counted


class NameTaken(Conflict):
    """Another segment in use has this name."""

    code = "segment_name_taken"


class InUse(Conflict):
    """Another segment speaks of this one."""

    code = "segment_in_use"


def read_definition(value: Any) -> Node:
    """The tree that a request asks for. Raises Invalid with each fault and its path."""
    try:
        return parse(value)
    except InvalidTree as error:
        errors = [
            {"field": f"definition{fault.path.removeprefix('$')}", "message": fault.message} for fault in error.faults
        ]
        raise Invalid("the definition is no segment: see errors", errors=errors) from None


async def with_nested(db: Connection | Pool, node: Node, of: UUID | None = None) -> Node:
    """The tree with each nested segment's own in its place; `of` is the segment it belongs to, which it may not contain.

    Raises Invalid when one is unknown or put away, part of itself, or they are too many.
    """
    known: dict[UUID, Node] = {} if of is None else {of: node}
    wanted = tree.nested(node) - known.keys()
    while wanted:
        rows = await db.fetch(queries.definitions, sorted(wanted))
        known |= {row["id"]: parse(row["definition"]) for row in rows}
        if missing := wanted - known.keys():
            raise _invalid(f"there is no segment {min(missing)} in use")
        if len(known) > MAX_TOGETHER:
            raise _invalid(f"it speaks of more than {MAX_TOGETHER} segments")
        wanted = set[UUID]().union(*(tree.nested(known[one]) for one in wanted)) - known.keys()
    try:
        expanded = tree.expand(node, known, () if of is None else (of,))
    except RecursionError as error:
        raise _invalid(str(error)) from None
    if (size := _size(expanded)) > 5 * MAX_NODES:
        raise _invalid(f"with its nested segments it has {size} conditions; {5 * MAX_NODES} is the most")
    return expanded


def _size(node: Node) -> int:
    seen: list[Node] = []
    tree.walk(node, seen.append)
    return len(seen)


def _invalid(message: str) -> Invalid:
    return Invalid("the definition is no segment: see errors", errors=[{"field": "definition", "message": message}])


async def create(tx: Transaction, who: Principal, name: str, description: str, definition: Any) -> UUID:
    """A new segment; its id. Raises Invalid, NameTaken, and Conflict when there are too many."""
    node = read_definition(definition)
    await with_nested(tx.db, node)
    if await tx.db.fetchval(queries.name_taken, name, None):
        raise NameTaken(f"another segment is called {name!r}")
    if await tx.db.fetchval(queries.count_segments) >= MAX_SEGMENTS:
        raise Conflict(f"there are {MAX_SEGMENTS} segments in use: put some away first")
    segment_id = uuid7()
    await tx.db.execute(queries.insert_segment, segment_id, name, description, who.actor)
    await tx.db.execute(queries.insert_version, segment_id, 1, tree.to_json(node), who.actor)
    await audit.write(tx, who, "segment.created", "segment", segment_id, after={"name": name, "version": 1})
    return segment_id


async def change(
    tx: Transaction, who: Principal, segment_id: UUID, changes: Mapping[str, Any], if_version: int | None
) -> None:
    """Change name, description or definition; another definition is a new version.

    Raises NotFound, Conflict for one that was put away, Stale when it has another version than `if_version`, Invalid and
    NameTaken.
    """
    before = await _locked(tx, segment_id)
    if if_version is not None and if_version != before["version"]:
        raise Stale(f"the segment is at version {before['version']} by now", version=before["version"])
    name, description = (changes.get(one) or before[one] for one in ("name", "description"))
    if await tx.db.fetchval(queries.name_taken, name, segment_id):
        raise NameTaken(f"another segment is called {name!r}")
    version = before["version"]
    if changes.get("definition") is not None:
        node = read_definition(changes["definition"])
        await with_nested(tx.db, node, segment_id)
        if (shown := tree.to_json(node)) != before["definition"]:
            version += 1
            await tx.db.execute(queries.insert_version, segment_id, version, shown, who.actor)
    await tx.db.execute(queries.change_segment, segment_id, name, description, version)
    known = {one: before[one] for one in ("name", "description", "version")}
    after = {"name": name, "description": description, "version": version}
    await audit.write(tx, who, "segment.changed", "segment", segment_id, before=known, after=after)


async def archive(tx: Transaction, who: Principal, segment_id: UUID) -> None:
    """Put a segment away: it is computed no longer, its versions and snapshots stay. Raises NotFound, Conflict, InUse."""
    before = await _locked(tx, segment_id)
    if parents := await tx.db.fetch(queries.parents, str(segment_id)):
        raise InUse("these segments speak of it: " + ", ".join(row["name"] for row in parents))
    await tx.db.execute(queries.archive_segment, segment_id)
    await audit.write(tx, who, "segment.archived", "segment", segment_id, before={"name": before["name"]})


async def _locked(tx: Transaction, segment_id: UUID) -> Row:
    row = await tx.db.fetchrow(queries.lock_segment, segment_id)
    if row is None:
        raise _no_segment(segment_id)
    if row["archived_at"]:
        raise Conflict(f"the segment {row['name']!r} was put away")
    return row


def _no_segment(segment_id: UUID) -> NotFound:
    return NotFound(f"there is no segment {segment_id}")


async def find(db: Connection | Pool, segment_id: UUID) -> Row:
    """A segment with its newest definition. Raises NotFound."""
    row = await db.fetchrow(queries.find_segment, segment_id)
    if row is None:
        raise _no_segment(segment_id)
    return row


async def list_segments(
    services: Services, *, name: str | None, archived: bool, limit: int, cursor: str | None
) -> Rows:
    """Newest first. Raises Invalid for a cursor that is none of ours."""
    (last,) = read_cursor(cursor, UUID)
    return page(await services.db.fetch(queries.list_segments, name, archived, last, limit + 1), limit, "id")


async def list_versions(services: Services, segment_id: UUID, *, limit: int, cursor: str | None) -> Rows:
    """Versions of a segment, newest first. Raises NotFound, Invalid for a cursor that is none of ours."""
    await find(services.db, segment_id)
    (last,) = read_cursor(cursor, int)
    return page(await services.db.fetch(queries.list_versions, segment_id, last, limit + 1), limit, "version")
