"""`hub notebook`: Jupyter Lab on loopback, with what a data scientist may read and nothing of what the hub runs on."""

import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer
from yarl import URL

from hub_api.errors import Invalid
from hub_api.platform.prefix import public_path

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "HUB_TIMEZONE", "HUB_PUBLIC_URL")
BEHIND = "/apps/notebook/"
READER = "HUB_NOTEBOOK_CLICKHOUSE_URL"


def notebook(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on, of loopback only.")] = 8888,
    folder: Annotated[Path, typer.Option(help="Folder with the notebooks.", file_okay=False)] = Path("notebooks"),
    behind_hub: Annotated[
        bool, typer.Option("--behind-hub", help="Serve under /apps/notebook/, to be listed in HUB_APPS.")
    ] = False,
    browser: Annotated[bool, typer.Option("--browser", help="Open it in this machine's browser.")] = False,
) -> None:
    """Open the notebooks in Jupyter Lab, with the warehouse's reader and the lake; Ctrl-C ends it.

    Its processes get no password of the hub but the reader's. Behind the hub people sign in there, and need the token too.
    """
    from hub_api.embedded.home import default_home, load_home_environment

    load_home_environment()
    folder = folder.resolve()
    if not folder.is_dir():
        raise Invalid(f"there is no folder {folder}: run this where the hub's sources are, or name it with --folder")
    token = secrets.token_urlsafe(24)
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= {
        READER: reader_url(),
        "HUB_NOTEBOOK_LAKE": str(lake_folder(default_home().path).resolve()),
        "HUB_MODELS_DIR": os.environ.get("HUB_MODELS_DIR") or str((default_home().path / "models").resolve()),
        "JUPYTER_TOKEN": token,  # not an argument: those are read by everybody on the machine
        "PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parents[1])]),
    }
    public = os.environ.get("HUB_PUBLIC_URL", "http://127.0.0.1:8000") if behind_hub else f"http://127.0.0.1:{port}"
    base = public_path(public) + BEHIND if behind_hub else "/"
    command = [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}", f"--ServerApp.root_dir={folder}"]
    command += [f"--ServerApp.base_url={base}", "--ServerApp.port_retries=0", "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    command += [] if browser else ["--no-browser"]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    if behind_hub:
        command += ["--ServerApp.allow_remote_access=True", "--ServerApp.trust_xheaders=True"]
    typer.echo(f"{URL(public).origin()}{base}lab?token={token}")
    sys.stdout.flush()
    os.execve(command[0], command, env)  # noqa: S606 - our own interpreter


def reader_url() -> str:
    """Where notebooks ask the warehouse: HUB_NOTEBOOK_CLICKHOUSE_URL, else the embedded one's reader. Raises Invalid."""
    if given := os.environ.get(READER):
        return given
    password, port = os.environ.get("HUB_WAREHOUSE_READER_PASSWORD"), os.environ.get("HUB_WAREHOUSE_PORT")
    if not password or not port:
        raise Invalid(f"no embedded warehouse is known here: set {READER}=http://user:password@host:port of a reader")
    return f"http://reader:{password}@127.0.0.1:{port}/gold"


def lake_folder(home: Path) -> Path:
    """The folder of the lake; one in a bucket is read with the reader's own credentials (notebooks/README.md)."""
    given = os.environ.get("HUB_LAKE_DIR")
    return Path(given) if given else home / "lake"
