"""Ports that several processes choose at once: the choosers are processes of their own, as two stacks and a test run are."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub_api.embedded.home import Home
from hub_api.embedded.ports import LOOPBACK, free_port, is_free, release, reserve
from hub_api.embedded.values import PORTS, choose_port, make_values
from hub_api.errors import Conflict

CHOOSERS, EACH = 6, 25
CHOOSE = f"""
import json, sys
from hub_api.embedded.ports import free_port
print("here", flush=True); sys.stdin.readline()
print(json.dumps([free_port(int(sys.argv[1])) for _ in range({EACH})]), flush=True)
sys.stdin.readline()
"""
START = """
import json, sys
from pathlib import Path
from hub_api.embedded.home import Home
from hub_api.embedded.values import PORTS, make_values
print("here", flush=True); sys.stdin.readline()
home = Home(Path(sys.argv[1])); home.create()
values = make_values(home, demo=True)
print(json.dumps([values.port(part) for part in PORTS]), flush=True)
sys.stdin.readline()
"""


@contextmanager
def at_once(code: str, arguments: Sequence[str]) -> Iterator[list[list[int]]]:
    """What a process for each argument chose, all let loose in one moment; they hold it until the block ends."""
    running = [
        subprocess.Popen([sys.executable, "-c", code, one], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for one in arguments
    ]
    try:
        for process in running:
            assert process.stdout is not None and process.stdout.readline() == "here\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield [json.loads(process.stdout.readline()) for process in running if process.stdout]
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("preferred", [0, 15_432], ids=["any", "the same one preferred"])
def test_many_processes_that_choose_at_once_find_no_port_twice(preferred: int) -> None:
    with at_once(CHOOSE, [str(preferred)] * CHOOSERS) as chosen:
        every = [port for ports in chosen for port in ports]
        assert len(set(every)) == CHOOSERS * EACH
        assert all(is_free(port) for port in every), "nothing listens there yet"
        assert not any(reserve(port) for port in every)
        mine = [free_port(preferred) for _ in range(EACH)]
        assert not set(mine) & set(every) and len(set(mine)) == EACH
    for port in mine:
        release(port)
    assert all(reserve(port) for port in every), "killed without a word: the kernel has taken them back"
    for port in every:
        release(port)


def test_stacks_that_start_at_once_have_ports_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, _ in PORTS.values():
        monkeypatch.delenv(variable, raising=False)
    with at_once(START, [str(tmp_path / name) for name in ("one", "two", "three")]) as chosen:
        every = [port for ports in chosen for port in ports]
        assert len(set(every)) == 3 * len(PORTS)
        # A stack with the ports of one that starts is told so, although nothing listens there yet.
        home = Home(tmp_path / "copied")
        home.create()
        home.env_file.write_text((tmp_path / "one" / "hub.env").read_text())
        with pytest.raises(
            Conflict, match=rf"port {chosen[0][0]} of api is taken by pid \d+ .*HUB_API_PORT=\d+ hub up"
        ):
            make_values(home, demo=True)
    values = make_values(home, demo=True)
    assert [values.port(part) for part in PORTS] == chosen[0], "kept, once they are free again"
    for port in chosen[0]:
        release(port)


def test_a_set_port_on_which_another_program_listens_is_refused_by_name() -> None:
    port = free_port()
    release(port)
    with socket.socket() as other:
        other.bind((LOOPBACK, port))
        other.listen()
        with pytest.raises(Conflict, match=rf"port {port} of valkey is taken by pid \d+"):
            choose_port("valkey", "HUB_VALKEY_PORT", str(port), 16_379, set())
        assert not reserve(port)
    assert choose_port("valkey", "HUB_VALKEY_PORT", str(port), 16_379, set()) == port
    release(port)
