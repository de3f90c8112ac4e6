"""The trained models of the test session: made once on this machine, since a version is named by what it is made from."""

import os
import tempfile
from pathlib import Path

# Beside HUB_HOME's of every stack: each would train the same models anew, half a minute of two cores each time.
FOLDER = Path(tempfile.gettempdir()) / f"hub-test-models-{os.getuid()}"


def trained() -> Path:
    """The folder with the promoted models of the present code and corpus; whoever comes second waits for the first."""
    from models_ml.messages import ensure

    ensure(FOLDER)
    return FOLDER
