"""Copy here and now what people decide: `python -m pipelines.board`, what the sensor `edited` does within a minute and a rebuild
of the warehouse at its end."""

import sys

import dagster as dg

from hub_api.settings import Settings, load_settings
from pipelines.definitions import build
from pipelines.jobs import QUIET, board


def copy_board(settings: Settings, *, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
    """Run the job `board` in this process. Raises the first step's error, or returns a result that says so."""
    return (
        build(settings).resolve_job_def(board.name).execute_in_process(run_config=QUIET, raise_on_error=raise_on_error)
    )


def main() -> int:
    """Copy; the exit code is 1 when it failed."""
    return 0 if copy_board(load_settings(), raise_on_error=False).success else 1


if __name__ == "__main__":
    sys.exit(main())
