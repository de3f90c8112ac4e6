"""Every table that `assets` declares, found by its place: a new domain is a folder with assets.py and checks.py."""

import pkgutil
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType

import dagster as dg

import assets as package
from assets.daily import CUSTOMERS, DAILY, LOOKS_BACK
from assets.gold.assets import BUILT_DAYS, make_built_days
from assets.lake.assets import make_files
from pipelines.columns import described

EVENTS = dg.AssetKey(["raw", "events"])


@cache
def assets() -> Sequence[dg.AssetsDefinition]:
    """The tables of all layers; gold.built_days, which waits for every daily table of gold and its blocking checks, those of
    customers left out; the lake."""
    found = [
        asset
        for asset in dg.load_assets_from_modules(list(_modules("assets")))
        if isinstance(asset, dg.AssetsDefinition)
    ]
    daily = [asset for asset in found if _of_events(asset)]
    gold = [key for asset in daily for key in asset.keys if key.path[0] == BUILT_DAYS.path[0]]
    return [described(one) for one in (*found, make_built_days(gold), make_files([EVENTS, *gold, BUILT_DAYS]))]


def daily_keys() -> list[dg.AssetKey]:
    """The tables with a partition for each business day that are made of events: what a run of days builds.

    Those of customers, which read what PostgreSQL has now as well, are a job of their own.
    """
    return [key for asset in assets() if _of_events(asset) for key in asset.keys]


def _of_events(asset: dg.AssetsDefinition) -> bool:
    return asset.partitions_def == DAILY and CUSTOMERS not in asset.group_names_by_key.values()


@cache
def any_looks_back() -> bool:
    """Whether a late event concerns all days since its own (`assets.daily.daily_table`)."""
    return any(spec.metadata.get(LOOKS_BACK) for asset in assets() for spec in asset.specs)


@cache
def checks() -> Sequence[dg.AssetChecksDefinition]:
    """The checks of all layers that are not part of an asset."""
    return dg.load_asset_checks_from_modules(list(_modules("checks")))


def _modules(name: str) -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith(f".{name}"):
            yield import_module(module.name)
