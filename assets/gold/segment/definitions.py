"""The segments in use as PostgreSQL has them, with the trees of nested ones in place."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

from hub_api.platform import sqlfile
from hub_api.settings import Settings
from models_ml.segmentation import tree
from models_ml.segmentation.parse import InvalidTree, parse
from models_ml.segmentation.tree import Node

queries = sqlfile.load(__package__, "definitions.sql")


@dataclass(frozen=True, slots=True)
class Definition:
    """A segment in use; `node` is None when its definition cannot be read or speaks of a segment that was put away."""

    id: UUID
    name: str
    version: int
    node: Node | None
    problem: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 of the tree: another one finds others."""
        shown = json.dumps(tree.to_json(self.node), sort_keys=True) if self.node else self.problem
        return hashlib.sha256(shown.encode()).hexdigest()


def read_definitions(settings: Settings) -> list[Definition]:
    """Every segment in use."""
    rows = asyncio.run(_fetch(settings))
    trees: dict[UUID, Node] = {}
    problems: dict[UUID, str] = {}
    for segment_id, _, _, definition in rows:
        try:
            trees[segment_id] = parse(json.loads(definition))
        except InvalidTree as error:
            problems[segment_id] = f"the definition means nothing to this release: {error}"
    found = []
    for segment_id, name, version, _ in rows:
        node = None
        if segment_id in trees:
            try:
                node = tree.expand(trees[segment_id], trees, (segment_id,))
            except LookupError as error:
                problems[segment_id] = f"it speaks of the segment {error}, which is not in use"
            except RecursionError as error:
                problems[segment_id] = str(error)
        found.append(Definition(segment_id, name, version, node, problems.get(segment_id, "")))
    return found


async def _fetch(settings: Settings) -> list[tuple[UUID, str, int, str]]:
    import asyncpg

    db = await asyncpg.connect(settings.database_url.get_secret_value(), server_settings={"timezone": "UTC"})
    try:
        return [tuple(row) for row in await db.fetch(queries.segments_in_use)]
    finally:
        await db.close()
