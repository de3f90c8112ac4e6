"""`python -m tests.support.advisories`: whether PyPI's advisories can be asked from here; a mirror has the packages only."""

import json
import sys
import urllib.request

# A release with known faults: who knows advisories names some.
KNOWN = "https://pypi.org/pypi/jinja2/2.4.1/json"


def reachable() -> bool:
    """True when the advisory service answers with advisories."""
    try:
        with urllib.request.urlopen(KNOWN, timeout=5) as answer:
            return bool(json.load(answer).get("vulnerabilities"))
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    if not reachable():
        sys.exit("dependencies not audited: the advisory service does not answer here (make audit says what it says)")
