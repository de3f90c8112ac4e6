"""Copy here and now what people decide: `python -m pipelines.board`, what the sensor `edited` does within a minute."""

import sys

from hub_api.settings import load_settings
from pipelines.definitions import build
from pipelines.jobs import QUIET, board


def main() -> int:
    """Run the job `board` in this process; the exit code is 1 when it failed."""
    job = build(load_settings()).resolve_job_def(board.name)
    return 0 if job.execute_in_process(run_config=QUIET, raise_on_error=False).success else 1


if __name__ == "__main__":
    sys.exit(main())
