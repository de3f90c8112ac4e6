"""`python -m hub_api.embedded.warehouse`: the warehouse as the environment describes it."""

from hub_api.embedded.warehouse import WarehouseConfig, run
from hub_api.platform import logging

if __name__ == "__main__":
    logging.configure("INFO", process="warehouse")
    try:
        config = WarehouseConfig.from_env()
    except ValueError as error:
        raise SystemExit(str(error)) from None
    run(config)
