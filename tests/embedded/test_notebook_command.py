"""`hub notebook`: Jupyter Lab on loopback behind a token, with the reader's credential and no other secret of the hub."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.process import free_port
from tests.support.waiting import wait_until

SECRETS = {
    "HUB_SECRET_KEY": "the-key-of-the-hub",
    "HUB_DATABASE_URL": "postgresql://hub:pw-of-postgres@127.0.0.1:1/hub",
    "HUB_WAREHOUSE_ADMIN_PASSWORD": "pw-of-the-admin",
}


def get(url: str, token: str | None = None) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


@pytest.mark.parametrize("behind", [False, True], ids=["alone", "behind the hub"])
def test_lab_opens_with_the_token_only_and_knows_no_secret_but_the_reader_s(tmp_path: Path, behind: bool) -> None:
    port, folder = free_port(), tmp_path / "notebooks"
    folder.mkdir()
    env = {
        **os.environ, **SECRETS, "HUB_HOME": str(tmp_path / "home"), "HOME": str(tmp_path),
        "HUB_WAREHOUSE_READER_PASSWORD": "pw-of-the-reader", "HUB_WAREHOUSE_PORT": "8123",
    }  # fmt: skip
    command = [sys.executable, "-m", "hub_api", "notebook", "--port", str(port), "--folder", str(folder)]
    process = subprocess.Popen(
        [*command, *(["--behind-hub"] if behind else [])], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip
    try:
        assert process.stdout is not None
        shown = urlsplit(process.stdout.readline().strip())
        token = parse_qs(shown.query)["token"][0]
        base = f"http://127.0.0.1:{port}{'/apps/notebook' if behind else ''}"
        assert shown.path == ("/apps/notebook/lab" if behind else "/lab") and len(token) >= 24

        def answers() -> bool:
            try:
                return get(f"{base}/api/status", token) == 200
            except URLError:
                return False

        wait_until(answers, 90)
        assert get(f"{base}/api/status") == 403
        assert get(f"{base}/lab?token={token}") == 200
        environment = Path(f"/proc/{process.pid}/environ").read_text().split("\0")
        assert "HUB_NOTEBOOK_CLICKHOUSE_URL=http://reader:pw-of-the-reader@127.0.0.1:8123/gold" in environment
        assert f"HUB_NOTEBOOK_LAKE={tmp_path / 'home' / 'lake'}" in environment
        joined = json.dumps(environment)
        assert [value for value in SECRETS.values() if value in joined] == []
        assert token not in Path(f"/proc/{process.pid}/cmdline").read_text()
    finally:
        process.terminate()
        process.wait(20)


def test_without_a_warehouse_or_notebooks_it_says_what_to_do(tmp_path: Path) -> None:
    env = {**os.environ, "HUB_HOME": str(tmp_path)}
    for arguments, told in ((["--folder", "/nowhere"], "--folder"), (["--folder", str(tmp_path)], "HUB_NOTEBOOK_CLICKHOUSE_URL")):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "hub_api", "notebook", *arguments], env=env, capture_output=True, text=True
        )
        assert done.returncode == 1 and told in done.stderr.replace("\n", " ")
