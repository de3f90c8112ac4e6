"""One server of a benchmark: `python -m tests.benchmarks.serve FACTORY PORT WORKERS`, with the options of `hub api`."""

import sys

import uvicorn

from hub_api.platform.http_server import SERVING

if __name__ == "__main__":
    factory, port, workers = sys.argv[1:]
    uvicorn.run(factory, factory=True, port=int(port), workers=int(workers), **SERVING)
