"""`python -m hub_api.openapi_file PATH`: the API's description as a file, from the application itself and without a server.

The console's client is generated from it. A file that says the same is left alone, so that nothing is built again.
"""

import sys
from pathlib import Path

import orjson

from hub_api.app import create_app
from hub_api.settings import Settings

# Nothing is opened before the application runs: these lead nowhere.
NOWHERE = {
    "database_url": "postgresql://nobody@127.0.0.1:1/none",
    "redis_url": "redis://127.0.0.1:1",
    "clickhouse_url": "http://nobody@127.0.0.1:1",
    "secret_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "meta_app_secret": "none",
    "meta_verify_token": "none",
}


def write_openapi(path: Path) -> bool:
    """Write the description of every service to `path`; whether it said something else before."""
    described = orjson.dumps(create_app(Settings(**NOWHERE)).openapi(), option=orjson.OPT_INDENT_2)  # type: ignore[arg-type]
    if path.exists() and path.read_bytes() == described:
        return False
    path.write_bytes(described)
    return True


if __name__ == "__main__":
    write_openapi(Path(sys.argv[1]))
