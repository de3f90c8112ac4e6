"""A log of real conversations comes in whole, once, with every row accounted for."""

import csv
from pathlib import Path

import pytest

from hub_api.errors import Invalid
from hub_api.platform.services import open_services
from hub_api.simulator.history.support_log import import_log
from tests.support.hub import make_settings

LOG = """id,author,inbound,time,text,reply to
1,ana,true,2026-03-02T10:00:00Z,minha internet caiu,
2,Loja,false,2026-03-02T10:04:00Z,"Olá, vamos ver",1
3,ana,true,2026-03-02T10:05:00Z,obrigada,2
4,bia,true,02 de março,sem data,
5,bia,talvez,2026-03-02T10:06:00Z,entrada estranha,
3,ana,true,2026-03-02T10:05:00Z,repetida,2
6,Loja,false,2026-03-02T11:00:00Z,aviso sem destino,
7,bia,true,2026-03-02T12:00:00Z,,
8,bia,true,Mon Mar 02 12:00:00 +0000 2026,também aqui,2
"""


@pytest.fixture
async def services(database_url, redis_url):
    async with open_services(make_settings(database_url, redis_url), lambda events: (), "test") as opened:
        yield opened


async def test_each_row_is_imported_or_has_its_reason(services, tmp_path):
    log, report = tmp_path / "log.csv", tmp_path / "report.csv"
    log.write_text(LOG, encoding="utf-8")
    counts = await import_log(services, log, report)
    assert counts == {"lines": 9, "imported": 4, "skipped": 5, "conversations": 2}
    rows = list(csv.DictReader(report.open(encoding="utf-8")))
    reasons = {int(row["line"]): row["reason"] for row in rows if row["outcome"] == "skipped"}
    assert set(reasons) == {5, 6, 7, 8, 9}
    assert "neither ISO 8601" in reasons[5] and "say true or false" in reasons[6] and "seen on line 4" in reasons[7]
    assert "no customer" in reasons[8] and "text is empty" in reasons[9]
    answered = await services.db.fetchrow(
        "SELECT first_response_at - opened_at AS wait FROM conversations WHERE first_response_at IS NOT NULL"
    )
    assert answered["wait"].total_seconds() == 240


async def test_importing_again_adds_nothing(services, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(LOG, encoding="utf-8")
    await import_log(services, log, tmp_path / "first.csv")
    counts = await import_log(services, log, tmp_path / "second.csv")
    assert counts["imported"] == 0
    assert await services.db.fetchval("SELECT count(*) FROM messages") == 4


async def test_a_file_without_the_needed_columns_is_refused_by_name(services, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("id,author,text\n1,a,b\n")
    with pytest.raises(Invalid, match="no column for inbound, time, reply_to"):
        await import_log(services, log, tmp_path / "report.csv")
    assert not Path(tmp_path / "report.csv").exists()
