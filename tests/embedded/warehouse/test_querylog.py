"""The query log turns its files over and forgets old ones."""

import json
import os
import time
from pathlib import Path

from hub_api.embedded.warehouse.querylog import QueryLog


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for file in sorted(folder.iterdir()) for line in file.read_text().splitlines()]


def test_full_files_are_put_aside_and_the_oldest_removed(tmp_path: Path) -> None:
    log = QueryLog(tmp_path, max_bytes=1000, keep_files=3)
    for number in range(200):
        log.write({"query_id": str(number)})
    log.close()
    assert len(list(tmp_path.iterdir())) == 4
    kept = [int(str(line["query_id"])) for line in lines(tmp_path)]
    assert max(kept) == 199
    assert len(kept) < 200


def test_files_past_their_days_are_removed_at_start(tmp_path: Path) -> None:
    for name, age_days in (("queries-1.jsonl", 20), ("queries-2.jsonl", 2)):
        (tmp_path / name).write_text("{}\n")
        past = time.time() - age_days * 86400
        os.utime(tmp_path / name, (past, past))
    QueryLog(tmp_path, keep_days=14).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["queries-2.jsonl", "queries.jsonl"]
