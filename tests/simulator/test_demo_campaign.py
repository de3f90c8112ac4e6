"""The demo's campaign fits the templates that the simulator has, and its link is one that the demo's settings allow."""

from uuid import uuid4

from hub_api.campaigns.links import targets, variables
from hub_api.campaigns.plans.schemas import NewCampaign
from hub_api.simulator.campaign import _plan
from hub_api.simulator.defaults import default_templates
from hub_api.whatsapp.templates.shape import read_shape
from tests.support.hub import make_settings


def test_the_demos_campaign_fits_its_templates_and_carries_a_link() -> None:
    settings = make_settings("postgresql://x@127.0.0.1:1/x", "redis://127.0.0.1:1", link_hosts=("telecom.example",))
    known = {one["name"]: read_shape(one["components"], one["parameter_format"]) for one in default_templates()}
    plan = NewCampaign.model_validate(_plan(uuid4())).model_dump(mode="json")
    senders = [one for one in plan["variants"] if one["template_name"]]
    for one in senders:
        assert {f"body.{name}" for name in known[one["template_name"]].body.variables} == set(one["variables"])
    (url,) = [url for one in senders for url in variables.addresses(one["variables"])]
    assert targets.refused(settings, url) is None and targets.CLICK in url
