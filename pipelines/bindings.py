"""What the assets run with: the one place where settings become resources."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from assets.warehouse import Warehouse
from hub_api.settings import Settings, load_settings


def resources(settings: Settings | None = None) -> Mapping[str, dg.ResourceDefinition]:
    """The resources of a run, on `settings` or, when it starts, on those of its environment."""

    @contextmanager
    def warehouse(_: dg.InitResourceContext) -> Iterator[Warehouse]:
        opened = Warehouse(settings or load_settings())
        try:
            yield opened
        finally:
            opened.close()

    return {"warehouse": dg.ResourceDefinition(warehouse)}
