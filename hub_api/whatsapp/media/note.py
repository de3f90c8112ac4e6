"""Files that came with messages, written down in the transaction that stores the messages: from there on none is lost."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.media.check import plain_type, safe_filename
from hub_api.whatsapp.media.jobs import fetch_due

queries = sqlfile.load(__package__)

ID_LIVES = timedelta(days=7)  # inbound ids (channel document §3.5)
_KINDS = ("image", "video", "audio", "document", "sticker")


@dataclass(frozen=True, slots=True)
class Carrier:
    """A message, or what changed one, that may carry a file: `payload` as in messages.payload."""

    wamid: str
    payload: dict[str, Any]
    at: datetime


async def note_media(tx: Transaction, carriers: Iterable[Carrier]) -> None:
    """Make a row for each file of `carriers`, whose messages are stored, and ring for the download.

    A file that the channel itself could not fetch (131052) becomes a failed row: there is nothing to download.
    """
    rows = [row for carrier in carriers if (row := _row(carrier))]
    if rows:
        await tx.db.execute(queries.note_media, *map(list, zip(*rows, strict=True)))
        tx.ring(fetch_due)


def _row(carrier: Carrier) -> tuple[Any, ...] | None:
    detail = carrier.payload.get("detail")
    if not isinstance(detail, dict) or detail.get("carries") != "media" or detail.get("kind") not in _KINDS:
        return None
    faults = carrier.payload.get("faults") or ()
    meta_id = detail.get("id")
    state, reason = ("pending", None) if meta_id and not faults else ("failed", _reason(faults))
    return (
        uuid7(), carrier.wamid, detail["kind"], meta_id, plain_type(detail.get("mime_type"))[:120] or None,
        digest_of(detail.get("sha256")), safe_filename(detail.get("filename")), state, reason, carrier.at + ID_LIVES,
    )  # fmt: skip


def _reason(faults: Iterable[dict[str, Any]]) -> str:
    codes = [str(fault.get("code")) for fault in faults]
    return f"channel_error_{codes[0]}" if codes else "no_media_id"


def digest_of(text: str | None) -> bytes | None:
    """A SHA-256 as webhooks (base64) or look-ups (hex) write it; None for anything that is none."""
    if not text:
        return None
    try:
        raw = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw if len(raw) == 32 else None
