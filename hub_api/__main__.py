"""`python -m hub_api` is `hub`."""

from hub_api.cli import app

app(prog_name="hub")
