"""What a new definition of the claim may not lose."""

from hub_api.platform.services import Services


async def test_the_claim_is_planned_for_its_arguments(services: Services) -> None:
    """One plan for all arguments is four to six times slower (migration 0015), and only from the sixth claim on."""
    config = await services.db.fetchval("SELECT proconfig FROM pg_proc WHERE proname = 'claim_messages'")
    assert "plan_cache_mode=force_custom_plan" in (config or [])
