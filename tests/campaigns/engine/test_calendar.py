"""The calendar of campaigns: what ran, what is to come, and the days on which nothing is sent."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hub_api.campaigns.plans.calendar import holidays_between, planned
from hub_api.campaigns.timing import hours_at
from hub_api.campaigns.zones import STATES
from tests.auth.people import add_person, add_team, call
from tests.campaigns.engine.stage import CAMPAIGNS, Stage

ZONE = ZoneInfo("America/Sao_Paulo")
CALENDAR = "/api/v1/campaign-calendar"


def test_holidays_are_those_that_sending_rests_on() -> None:
    found = holidays_between(date(2026, 1, 1), date(2026, 12, 31))
    assert [one.name for one in found if one.day == date(2026, 9, 7)] == ["Independência do Brasil"]
    (revolution,) = [one for one in found if one.day == date(2026, 7, 9)]
    assert revolution.states == ("SP",)
    for state in (None, *sorted(STATES)):
        rests = {one.day for one in found if not one.states or state in one.states}
        hours = hours_at("1-7 00:00-23:59", "America/Sao_Paulo", True, state)
        closed = {day for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(365)) if day in hours.closed}
        assert rests == closed, state


def test_a_rhythm_is_laid_out_to_its_end_and_what_is_past_is_no_plan() -> None:
    since, until = datetime(2026, 11, 1, 3, tzinfo=UTC), datetime(2026, 12, 1, 3, tzinfo=UTC)
    schedule = {"rhythm": {"every": "week", "hour": 10, "weekday": 1}, "until": "2026-11-29T00:00:00-03:00"}
    weekly = {"kind": "recurring", "state": "running", "schedule": schedule, "next_at": None}
    found = list(planned(weekly, since, until, datetime(2026, 11, 10, tzinfo=UTC), ZONE))
    assert [at.astimezone(ZONE).isoformat()[:16] for at in found] == ["2026-11-16T10:00", "2026-11-23T10:00"]
    once = {"kind": "once", "state": "scheduled", "schedule": {}, "next_at": datetime(2026, 11, 20, 12, tzinfo=UTC)}
    assert list(planned(once, since, until, since, ZONE)) == [once["next_at"]]
    assert not list(planned({**once, "state": "running"}, since, until, since, ZONE))
    assert not list(planned(once, since, until, datetime(2026, 11, 21, tzinfo=UTC), ZONE))
    assert not list(planned({**once, "state": "draft"}, since, until, since, ZONE)), "a draft without a time has none"


async def test_the_calendar_shows_what_runs_and_what_is_planned_to_who_may_see_it(stage: Stage) -> None:
    people = await stage.people(2)
    today = datetime.now(ZONE).date()
    running = await stage.begun(people)
    await stage.tick()
    team, _ = await add_team(stage.hub, "vendas")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    later = await stage.plan(people, name="Amanhã", team_id=str(team), schedule={"start_at": tomorrow.isoformat()})
    admin = await add_person(stage.hub, "admin")
    status, planned_one = await call(stage.hub, "POST", CAMPAIGNS, admin.headers, json=later)
    assert status == 201, planned_one
    span = {"first": str(today - timedelta(days=3)), "last": str(today + timedelta(days=3))}
    status, told = await call(stage.hub, "GET", CALENDAR, admin.headers, params=span)
    assert status == 200, told
    assert [(one["campaign_id"], one["planned"], one["members"]) for one in told["entries"]] == [
        (str(running), False, 2),
        (planned_one["id"], True, None),
    ]
    assert told["hours"]["marketing"].startswith("1-5 ") and told["zone"] == "America/Sao_Paulo"
    other, _ = await add_team(stage.hub, "suporte")
    stranger = await add_person(stage.hub, "supervisor", other)
    _, seen = await call(stage.hub, "GET", CALENDAR, stranger.headers, params=span)
    assert [one["campaign_id"] for one in seen["entries"]] == [str(running)]
    for first, last in (("2026-11-02", "2026-11-01"), ("2026-01-01", "2026-06-01")):
        asked = await call(stage.hub, "GET", CALENDAR, admin.headers, params={"first": first, "last": last})
        assert asked[0] == 422 and asked[1]["errors"][0]["field"] == "query.last"
