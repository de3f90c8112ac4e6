"""What is wrong with a field of a template, and the list in which checks collect it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """`field` is a path into the draft, `message` what it must be."""

    field: str
    message: str


@dataclass(slots=True)
class Found:
    """The faults of one draft, in the order in which its parts were looked at."""

    faults: list[Fault] = field(default_factory=list)

    def fault(self, field_: str, message: str) -> None:
        """Remember one."""
        self.faults.append(Fault(field_, message))
