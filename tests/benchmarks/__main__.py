"""`python -m tests.benchmarks [NAME ...] [--small | --full]`: run the benchmarks and print their tables."""

import argparse
import os
import sys
import time
from importlib import import_module

import uvloop
from rich.console import Console

from tests.benchmarks.report import show

NAMES = (
    "gateway",
    "inbox",
    "relay",
    "sender",
    "pool",
    "queries",
    "dagster",
    "lake",
    "auth",
    "live",
    "crowd",
    "rest",
    "console",
    "models",
    "analytics",
    "sentiment",
    "segments",
    "campaigns",
)
# Those of the data platform take a part of the design's size unless asked for all of it: each ends within a few minutes.
PARTS = {"lake": 0.1, "analytics": 0.1, "segments": 0.1, "models": 0.5, "campaigns": 0.1}


def main() -> int:
    """Run what was asked for, one after the other; a failure of one does not hide the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which; without: all")
    parser.add_argument("--small", action="store_true", help="a tenth of that: to try the benchmark itself")
    parser.add_argument(
        "--full",
        action="store_true",
        default=os.environ.get("HUB_BENCH_FULL") == "1",
        help="the design's size: a million customers, ten million messages (or HUB_BENCH_FULL=1)",
    )
    parser.add_argument("--scale", type=float, help="of the design's size: 0.25 is a quarter")
    arguments = parser.parse_args()
    console, failed = Console(width=140), []
    for name in arguments.names or NAMES:
        began = time.monotonic()
        usual = 1.0 if arguments.full else PARTS.get(name, 1.0)
        scale = arguments.scale or usual * (0.1 if arguments.small else 1.0)
        try:
            rows = uvloop.run(import_module(f"tests.benchmarks.bench_{name}").run(scale))
        except Exception:
            console.print_exception(max_frames=4)
            failed.append(name)
            continue
        show(console, name, rows, time.monotonic() - began)
    if failed:
        console.print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
