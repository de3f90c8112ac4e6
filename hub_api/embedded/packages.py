"""Whether what `requirements.lock` asks for is installed: after the lock has changed, a program says so and not a traceback."""

import re
from importlib.metadata import distributions
from pathlib import Path

from hub_api.errors import Invalid

_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
# Beside the packages in a checkout; an installed wheel has none.
LOCK = Path(__file__).parents[2] / "requirements.lock"
OURS = ("hub_api", "assets", "pipelines", "models_ml", "dashboards", "tests")


def differences(lock: Path | None = None) -> tuple[list[str], list[str]]:
    """Packages of the lock that are not installed, and those that are in another version than it says; both empty without a lock."""
    lock = lock or LOCK
    if not lock.exists():
        return [], []
    wanted = {_name(name): version for name, version in _PINNED.findall(lock.read_text(encoding="utf-8"))}
    found = {_name(one.name): one.version for one in distributions() if one.name}
    missing = sorted(wanted.keys() - found.keys())
    return missing, sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])


def require_packages(lock: Path | None = None) -> None:
    """Raises Invalid with the remedy when a package of the lock is not installed."""
    missing, _ = differences(lock)
    if missing:
        raise Invalid(f"requirements.lock asks for {_some(missing)}, which this environment lacks; {remedy(lock)}")


def explain(error: ModuleNotFoundError) -> str | None:
    """What to do about a module that is not there; None for one of our own, whose absence is a defect."""
    package = (error.name or "").partition(".")[0]
    if not package or package in OURS:
        return None
    return f"the package {package} is not installed in this environment; {remedy()}"


def remedy(lock: Path | None = None) -> str:
    """How packages come in here."""
    return "run `make install`" if (lock or LOCK).exists() else "pip install 'telecom-hub[embedded,data]'"


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
