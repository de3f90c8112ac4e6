"""What a tree means, told a second time in plain Python over one customer: the judge of the compiled query."""

import hashlib
import operator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from models_ml.segmentation import tree
from models_ml.segmentation.catalogue import ATTRIBUTES, CONSENTS, METRICS
from models_ml.segmentation.tree import Node

COMPARE = {name: getattr(operator, name) for name in tree.COMPARISONS}


@dataclass
class Act:
    """One action at a moment."""

    day: date
    action: str
    at: datetime
    detail: str = ""
    value: float = 0.0


@dataclass
class Customer:
    """A customer's features, and everything he did."""

    id: UUID
    features: dict[str, Any]
    acts: list[Act] = field(default_factory=list)

    def did(self, action: str, as_of: date, window: int, ago: int = 0, detail: tuple[str, ...] = ()) -> list[Act]:
        last = as_of - timedelta(days=ago)
        return [
            act for act in self.acts
            if act.action == action and last - timedelta(days=window) < act.day <= last and (not detail or act.detail in detail)
        ]  # fmt: skip


def holds(node: Node, who: Customer, as_of: date) -> bool:
    """Whether the customer is in the segment."""
    match node:
        case tree.And(of):
            return all(holds(one, who, as_of) for one in of)
        case tree.Or(of):
            return any(holds(one, who, as_of) for one in of)
        case tree.Not(of):
            return not holds(of, who, as_of)
        case tree.Attribute(name, op, value):
            have = who.features[name]
            if ATTRIBUTES[name] == "text":
                return (have in value) == (op == "in")
            wanted = round(value * 1_000_000) if ATTRIBUTES[name] == "money" else value
            return have is not None and COMPARE[op](have, wanted)
        case tree.Known(name, known):
            return (who.features[name] is not None) == known
        case tree.Tags(test, tags):
            shared = set(who.features["tags"]) & set(tags)
            return {"any": bool(shared), "all": shared == set(tags), "none": not shared}[test]
        case tree.Behaviour(action, op, count, window, ago, detail):
            return COMPARE[op](len(who.did(action, as_of, window, ago, detail)), count)
        case tree.Sequence(first, then, within, window):
            return any(
                a.at < b.at <= a.at + timedelta(days=within)
                for a in who.did(first.action, as_of, window, 0, first.detail)
                for b in who.did(then.action, as_of, window, 0, then.detail)
            )
        case tree.Inactivity(days, never):
            quiet = who.features["inactive_days"]
            return never if quiet is None else quiet >= days
        case tree.Campaign(response, window, template):
            reached = bool(who.did("campaign_received", as_of, window, 0, template))
            reacted = bool(who.did(f"campaign_{response.removeprefix('not_')}", as_of, window, 0, template))
            return reached and not reacted if response.startswith("not_") else reacted
        case tree.Sentiment(label, op, count, window):
            return COMPARE[op](len(who.did(f"message_{label}", as_of, window)), count)
        case tree.Metric(metric, op, value, window):
            found = who.did(METRICS[metric], as_of, window)
            return bool(found) and COMPARE[op](sum(act.value for act in found) / len(found), value)
        case tree.Geography(level, places):
            return who.features[level] in places
        case tree.Consent(scope, state):
            said = who.features[CONSENTS[scope]]
            return {"granted": said is True, "refused": said is False, "unknown": said is None}[state]
        case tree.Random(salt, low, high):
            digest = hashlib.md5(f"{salt}:{who.id}".encode()).digest()
            bucket = int.from_bytes(digest[:4], "big") % 10_000
            return round(low * 100) <= bucket < round(high * 100)
        case tree.Listed(ids):
            return who.id in ids
    raise AssertionError(node)
