"""Live figures in the terminal, read from the API's own `/metrics`: what passes through the hub now."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

EVERY_S = 2.0
WINDOW = 15  # samples; rates are over the last half minute


@dataclass(frozen=True)
class Figures:
    """One look at `/metrics`. Counts since the stack started; backlogs and lag as they are now."""

    received: float
    handled: float
    sent: float
    failed: float
    relayed: float
    inbox_waiting: float
    outbox_waiting: float
    unknown: float
    active: float
    lag_s: float


def read_figures(text: str) -> Figures:
    """Figures from the Prometheus text format; a metric that is not there yet counts as 0."""
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
            status = sample.labels.get("status")
            if status is not None:
                key = f"{sample.name}:{status}"
                totals[key] = totals.get(key, 0.0) + sample.value
    outbound = "whatsapp_mensagens_enviadas_total"
    return Figures(
        received=totals.get("whatsapp_webhooks_accepted_total", 0.0),
        handled=totals.get("inbox_items_handled_total", 0.0),
        sent=totals.get(f"{outbound}:accepted", 0.0),
        failed=totals.get(f"{outbound}:failed", 0.0),
        relayed=totals.get("relay_events_total", 0.0),
        inbox_waiting=totals.get("inbox_backlog_items", 0.0),
        outbox_waiting=totals.get("outbox_backlog_messages", 0.0),
        unknown=totals.get("outbox_unknown_messages", 0.0),
        active=totals.get("chat_conversas_ativas", 0.0),
        lag_s=totals.get("relay_lag_seconds", 0.0),
    )


def panel(samples: Iterable[tuple[float, Figures]]) -> Panel:
    """The newest figures with rates over the samples (at least one, oldest first)."""
    history = list(samples)
    (began, first), (now, last) = history[0], history[-1]
    seconds = max(now - began, 1e-9)

    def rate(name: str) -> str:
        return f"{(getattr(last, name) - getattr(first, name)) / seconds:,.1f}/s" if len(history) > 1 else ""

    grid = Table.grid(padding=(0, 3))
    for _ in range(6):
        grid.add_column(justify="right")
    grid.add_row(
        "webhooks in", f"{last.received:,.0f}", rate("received"), "waiting in inbox", f"{last.inbox_waiting:,.0f}", ""
    )
    grid.add_row(
        "items handled", f"{last.handled:,.0f}", rate("handled"), "queued to send", f"{last.outbox_waiting:,.0f}", ""
    )
    grid.add_row("messages out", f"{last.sent:,.0f}", rate("sent"), "outcome unknown", f"{last.unknown:,.0f}", "")
    grid.add_row("failed", f"{last.failed:,.0f}", rate("failed"), "open conversations", f"{last.active:,.0f}", "")
    grid.add_row("events relayed", f"{last.relayed:,.0f}", rate("relayed"), "relay lag", f"{last.lag_s:,.1f} s", "")
    return Panel(grid, title="live", subtitle="Ctrl-C stops the stack", expand=False)


async def show_live(console: Console, metrics_url: str) -> None:
    """Refresh the panel until cancelled. Without an answer it says so and tries again."""
    samples: deque[tuple[float, Figures]] = deque(maxlen=WINDOW)
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                try:
                    async with session.get(metrics_url) as answer:
                        answer.raise_for_status()
                        samples.append((loop.time(), read_figures(await answer.text())))
                    live.update(panel(samples), refresh=True)
                except (aiohttp.ClientError, TimeoutError) as error:
                    live.update(
                        Panel(f"the API does not answer ({type(error).__name__}); see hub status"), refresh=True
                    )
                await asyncio.sleep(EVERY_S)
