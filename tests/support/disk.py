"""A small disk of its own, which a test fills up and empties."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.process import new_place


class SmallDisk:
    """A mounted file system of a few megabytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Take every byte that is free now."""
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        with suppress(OSError):
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while os.write(descriptor, b"x" * size):
                        pass
        os.close(descriptor)

    def empty(self) -> None:
        """Give it all back."""
        self._ballast.unlink()


def may_mount() -> bool:
    """Whether file systems can be mounted here."""
    place = new_place("disk")
    try:
        if os.geteuid() != 0 or subprocess.run(_mount(place, 1), capture_output=True).returncode != 0:
            return False
        subprocess.run(["umount", str(place)], check=True)
        return True
    finally:
        place.rmdir()


def _mount(place: Path, megabytes: int) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(place)]


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """A disk of `megabytes` below a path that an unprivileged account reaches. Skips the test where mounting is not allowed."""
    if not may_mount():
        pytest.skip("mounting is not allowed here")
    place = new_place("disk")
    subprocess.run(_mount(place, megabytes), check=True)
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()
