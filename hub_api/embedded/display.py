"""What `hub up` shows while the stack starts: one line per part that changes, a spinner per part in a terminal."""

import asyncio
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from hub_api.embedded.home import PartState

SIGNS = {"ready": "[green]✓[/]", "done": "[green]✓[/]", "failed": "[red]✗[/]", "restarting": "[yellow]![/]"}


class StartDisplay:
    """Shows each change of a part: in place while it is entered in a terminal, else as a printed line."""

    def __init__(self, console: Console, parts: list[PartState]) -> None:
        self._console = console
        self._parts = parts
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        self._task: asyncio.Task[None] | None = None

    def show(self, part: PartState) -> None:
        """A part has changed."""
        if self._live is None and part.state != "waiting":
            self._console.print(line(part), highlight=False, soft_wrap=True)

    async def __aenter__(self) -> "StartDisplay":
        if self._console.is_terminal:
            # No refresh thread: the supervisor stays single-threaded.
            self._live = Live(self._view(), console=self._console, auto_refresh=False, transient=True)
            self._live.start()
            self._task = asyncio.create_task(self._refresh())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._live is not None:
            self._live.stop()
            self._live = None

    async def _refresh(self) -> None:
        while self._live is not None:
            self._live.update(self._view(), refresh=True)
            await asyncio.sleep(0.1)

    def _view(self) -> Group:
        rows = []
        for part in self._parts:
            if part.state == "starting":
                self._spinner.update(text=Text.from_markup(f"{part.name} [dim]starting[/]"))
                rows.append(self._spinner.render(self._console.get_time()))
            elif part.state == "waiting":
                rows.append(Text.from_markup(f"[dim]· {part.name}[/]"))
            else:
                rows.append(Text.from_markup(line(part)))
        return Group(*rows)


def line(part: PartState) -> str:
    """One part in one line of console markup."""
    sign = SIGNS.get(part.state, "·")
    if part.state in ("ready", "done"):
        return f"{sign} {part.name} {part.state} after {part.ready_s:.1f} s"
    return f"{sign} {part.name} {part.state} {part.message}".rstrip()
