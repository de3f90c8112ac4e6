"""Meta's limits on what we send, in one place: lengths in characters, sizes in bytes, counts (channel document §3).

The models mirror them, so that a refusal names the field here instead of arriving as code 131009 after the call.
"""

from datetime import timedelta

TEXT = 4_096
CAPTION = 1_024
FILENAME = 240
CONTACTS = 257
EMOJI = 12  # one emoji is a sequence of up to so many code points
# A reaction to, or a read receipt of, something older is refused.
TOUCHED_WITHIN = timedelta(days=30)

BODY = 1_024
LIST_BODY = 4_096
HEADER = 60
FOOTER = 60
BUTTONS = 3
BUTTON_TITLE = 20
BUTTON_ID = 256
SECTIONS = 10
ROWS = 10  # of all sections together
SECTION_TITLE = 24
ROW_TITLE = 24
ROW_ID = 200
ROW_DESCRIPTION = 72
LIST_BUTTON = 20
CTA_LABEL = 20
FLOW_CTA = 30

REFERENCE_ID = 60
ORDER_ITEMS = 999
ITEM_NAME = 60
FEE_DESCRIPTION = 60
ORDER_DESCRIPTION = 120
PIX_CODE = 2_000

RETAILER_ID = 100  # of a product in a catalogue
PRODUCTS = 30  # of all sections together

TEMPLATE_NAME = 512
TEMPLATE_BODY = 1_024  # once filled in
TEMPLATE_BUTTONS = 10
CODE = 15  # of an authentication template
COUPON = 15
CARDS_FEWEST, CARDS_MOST = 2, 10
SPACES_IN_A_ROW = 4

KB, MB = 1_024, 1_024 * 1_024

# kind -> MIME type -> most bytes (channel document §3.5).
MEDIA: dict[str, dict[str, int]] = {
    "image": {"image/jpeg": 5 * MB, "image/png": 5 * MB},
    "video": {"video/mp4": 16 * MB, "video/3gpp": 16 * MB},
    "audio": {
        "audio/aac": 16 * MB,
        "audio/amr": 16 * MB,
        "audio/mpeg": 16 * MB,
        "audio/mp4": 16 * MB,
        "audio/ogg": 16 * MB,
    },
    "document": {
        "text/plain": 100 * MB,
        "application/pdf": 100 * MB,
        "application/msword": 100 * MB,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": 100 * MB,
        "application/vnd.ms-excel": 100 * MB,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": 100 * MB,
        "application/vnd.ms-powerpoint": 100 * MB,
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": 100 * MB,
    },
    "sticker": {"image/webp": 500 * KB},  # a static one 100 KB
}
VOICE = "audio/ogg"
