"""ClickHouse on one machine: the chDB engine behind the ClickHouse HTTP interface, in one process."""

from hub_api.embedded.warehouse.config import WarehouseConfig

__all__ = ["WarehouseConfig", "run"]


def run(config: WarehouseConfig) -> None:
    """Run the warehouse in this process (blocking) until SIGTERM or SIGINT; see `process.run`."""
    from hub_api.embedded.warehouse import process

    process.run(config)
