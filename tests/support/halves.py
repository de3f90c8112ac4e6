"""`make halves`: the suite as two processes beside each other, each with engines of its own. `python -m tests.support.halves`

Most tests wait for another process (an engine, a stack, a subprocess), so two of them hardly stand in each other's way on two
cores. Folders that are named here are one half; whatever else there is, a new folder too, is the other.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile

TESTS = Path(__file__).parents[1]
DATA = ("analytics", "assets", "lake", "models_ml", "pipelines", "simulator")


def halves() -> tuple[list[str], list[str]]:
    """Arguments of pytest for each half; together every test, none twice."""
    named = [str(TESTS / name) for name in DATA]
    return named, [str(TESTS), *(f"--ignore={folder}" for folder in named)]


def main(options: list[str]) -> int:
    """Run both with these options of pytest; the second one's words follow the first one's. 0 when both passed."""
    began = time.monotonic()
    with TemporaryFile("w+") as words:
        first, second = (
            [sys.executable, "-m", "pytest", "-o", f"cache_dir=.pytest_cache/{name}", *half, *options]
            for name, half in zip(("data", "rest"), halves(), strict=True)
        )
        beside = subprocess.Popen(second, stdout=words, stderr=subprocess.STDOUT)
        try:
            codes = [subprocess.call(first), beside.wait()]
        finally:
            beside.terminate()
        words.seek(0)
        for line in words:
            sys.stdout.write(line)
    print(f"both halves: {(time.monotonic() - began) / 60:.1f} min")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
