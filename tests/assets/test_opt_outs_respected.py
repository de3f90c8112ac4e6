"""The daily check for messages after an opt-out, tried with planted ones: it fails and names them, and only them."""

import dagster as dg

from assets.daily import DAY_TAG
from assets.gold.service.assets import opt_outs
from assets.gold.service.checks import opt_outs_respected
from hub_api.events import ConsentChanged, MessageQueued, MessageStateChanged
from hub_api.platform.eventlog import Event
from tests.assets.conftest import Given, at, named

DAY = "2026-03-10"


def sent(who: str, queued: str, accepted: str, category: str = "marketing") -> list[Event]:
    about = {"aggregate_id": named(f"to {who}"), "conversation_id": named(f"talk {who}"), "customer_id": named(who)}
    return [
        MessageQueued(
            **about, aggregate_version=1, occurred_at=at(queued), message_type="template", content="oferta", author="campaign",
            category=category, shard=0, number_id=named("number"), campaign_id=named("campaign"), variant="a",
        ),
        MessageStateChanged(**about, aggregate_version=2, occurred_at=at(accepted), from_state="claimed", to_state="accepted"),
    ]  # fmt: skip


def says(who: str, when: str, granted: bool, version: int = 2, scope: str = "marketing") -> Event:
    return ConsentChanged(
        aggregate_id=named(who), aggregate_version=version, occurred_at=at(when), scope=scope, granted=granted, source="keyword"
    )  # fmt: skip


def checked(given: Given) -> dg.AssetCheckEvaluation:
    """What the check says as Dagster runs it."""
    done = dg.materialize(
        [opt_outs, opt_outs_respected],
        selection=dg.AssetSelection.checks(opt_outs_respected),
        resources={"warehouse": given.warehouse},
        tags={DAY_TAG: DAY},
        raise_on_error=False,
    )
    (evaluation,) = done.get_asset_check_evaluations()
    return evaluation


def test_a_planted_message_after_an_opt_out_fails_the_check_and_is_named(given: Given) -> None:
    given(
        *sent("ana", "2026-03-10 12:00", "2026-03-10 12:30"), says("ana", "2026-03-10 13:00", False),  # before it
        *sent("bia", "2026-03-10 12:00", "2026-03-10 14:00"),
        says("bia", "2026-03-10 13:00", False), says("bia", "2026-03-10 13:30", True, 3),  # wanted again
        *sent("caio", "2026-03-10 12:00", "2026-03-10 14:00", "utility"), says("caio", "2026-03-10 13:00", False),  # a notice
    )  # fmt: skip
    given.build(DAY, upto="bronze.events")
    good = checked(given)
    assert good.passed and good.metadata["violations"].value == 0
    given(*sent("dora", "2026-03-10 12:00", "2026-03-10 14:00"), says("dora", "2026-03-10 13:00", False))
    given(
        *sent("enzo", "2026-03-10 12:00", "2026-03-10 14:00", "utility"),
        says("enzo", "2026-03-10 13:00", False, scope="all"),
    )
    given.build(DAY, upto="bronze.events")
    found = checked(given)
    names = sorted(str(named(f"to {who}")) for who in ("dora", "enzo"))
    assert not found.passed and found.metadata["violations"].value == 2
    assert found.description is not None and all(one in found.description for one in names)
