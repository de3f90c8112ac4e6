"""`python -m hub_api` is `hub`."""

import signal
import sys


def main() -> None:
    """The console script. Until a command runs, Ctrl-C simply ends the process: Python drops a KeyboardInterrupt that
    comes while a module is being imported inside one of the interpreter's own callbacks, and `hub up` went on starting."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from hub_api.cli import app

        signal.signal(signal.SIGINT, signal.default_int_handler)
        app(prog_name="hub")
    except ModuleNotFoundError as error:
        from hub_api.embedded.packages import explain

        if (what_to_do := explain(error)) is None:
            raise
        sys.exit(f"error: {what_to_do}")


if __name__ == "__main__":
    main()
