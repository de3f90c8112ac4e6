"""An HTTP load generator that costs little beside the server: prepared requests over raw connections, in a process of
its own. Closed loop (as fast as `connections` answers allow) or open loop (a fixed arrival rate; a request that had to
wait for a free connection counts from when it was due, so that a stalled server cannot hide)."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import uvloop


@dataclass
class Result:
    """What a load did. Latencies in milliseconds."""

    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int = 0
    by_label: dict[str, tuple[int, float, float, float]] = field(default_factory=dict)  # count, p50, p95, worst ms

    @property
    def accepted(self) -> int:
        """Answers 200."""
        return self.statuses.get("200", 0)

    @property
    def per_second(self) -> float:
        """Answers 200 a second."""
        return self.accepted / self.seconds


@dataclass
class Job:
    """One load: `requests` (raw bytes, hex in the file) are sent once each, in order; `labels` tell their kinds apart."""

    host: str
    port: int
    connections: int
    rate: float | None = None
    requests: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


def http_post(url: str, body: bytes, headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of a keep-alive POST."""
    return http_request("POST", url, body, headers)


def http_request(method: str, url: str, body: bytes, headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of a keep-alive request."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def run_load(
    url: str, requests: Sequence[bytes], *, connections: int, rate: float | None = None, labels: Sequence[str] = ()
) -> Result:
    """Send every request once from a process of its own and wait for it."""
    parts = urlsplit(url)
    raw = [request.hex() for request in requests]
    job = Job(parts.hostname or "127.0.0.1", parts.port or 80, connections, rate, raw, list(labels))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "job.json"
        file.write_text(json.dumps(asdict(job)))
        output = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.load", str(file)], check=True, capture_output=True, timeout=300
        ).stdout
    return Result(**json.loads(output))


class Connection(asyncio.Protocol):
    """Sends one request at a time; answers are recognised by their Content-Length."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = bytearray()
        self.due, self.label = 0.0, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.load.idle(self)

    def start(self, request: bytes, label: str, due: float) -> None:
        self.due, self.label = due, label
        self.transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        start = head.find(b"content-length:")
        length = (
            int(head[start + 15 : head.find(b"\r\n", start) if b"\r\n" in head[start:] else end]) if start >= 0 else 0
        )
        if len(self.buffer) < end + 4 + length:
            return
        status = bytes(self.buffer[9:12]).decode()
        del self.buffer[: end + 4 + length]
        self.load.answered(self, status)

    def connection_lost(self, error: Exception | None) -> None:
        self.load.lost(self)


class Load:
    """The whole load inside the client process."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.waiting: deque[tuple[bytes, str, float]] = deque()
        labels = job.labels or [""] * len(job.requests)
        self.requests = deque((bytes.fromhex(one), label) for one, label in zip(job.requests, labels, strict=True))
        self.total = len(self.requests)
        self.free: deque[Connection] = deque()
        self.latencies: list[float] = []
        self.of_label: dict[str, list[float]] = {}
        self.statuses: Counter[str] = Counter()
        self.errors = 0
        self.done = asyncio.Event()

    def idle(self, connection: Connection) -> None:
        if self.job.rate is None:
            if self.requests and self.started:
                connection.start(*self.requests.popleft(), time.perf_counter())
            else:
                self.free.append(connection)
        elif self.waiting:
            connection.start(*self.waiting.popleft())
        else:
            self.free.append(connection)

    started = False

    def answered(self, connection: Connection, status: str) -> None:
        self.latencies.append((time.perf_counter() - connection.due) * 1000)
        self.of_label.setdefault(connection.label, []).append(self.latencies[-1])
        self.statuses[status] += 1
        self._finish_one()
        self.idle(connection)

    def lost(self, connection: Connection) -> None:
        if not self.done.is_set() and connection not in self.free:
            self.errors += 1
            self._finish_one()

    def _finish_one(self) -> None:
        if len(self.latencies) + self.errors >= self.total:
            self.done.set()

    async def run(self) -> Result:
        loop = asyncio.get_running_loop()
        for _ in range(self.job.connections):
            await loop.create_connection(lambda: Connection(self), self.job.host, self.job.port)
        began = time.perf_counter()
        self.started = True
        if self.job.rate is None:
            for connection in [self.free.popleft() for _ in range(len(self.free))]:
                self.idle(connection)
        else:
            await self._arrive(self.job.rate, began)
        await self.done.wait()
        seconds = time.perf_counter() - began
        all_, by_label = self.latencies or [0.0], {}
        for label, some in self.of_label.items():
            by_label[label] = (len(some), _at(some, 0.5), _at(some, 0.95), max(some))
        return Result(
            seconds, dict(self.statuses), _at(all_, 0.5), _at(all_, 0.95), _at(all_, 0.99), self.errors, by_label
        )

    async def _arrive(self, rate: float, began: float) -> None:
        sent = 0
        while self.requests:
            due_now = int((time.perf_counter() - began) * rate) + 1  # the first one is due at once
            while sent < due_now and self.requests:
                (request, label), due = self.requests.popleft(), began + sent / rate
                sent += 1
                if self.free:
                    self.free.popleft().start(request, label, due)
                else:
                    self.waiting.append((request, label, due))
            await asyncio.sleep(0.001)


def _at(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))

    async def main() -> Result:
        return await Load(job).run()

    print(json.dumps(asdict(uvloop.run(main()))))
