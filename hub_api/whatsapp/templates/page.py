"""The preview as a page of its own: no script, no link, nothing loaded from elsewhere."""

import html

_STYLE = """
body{margin:0;padding:24px;background:#efe7de;font:15px/1.35 system-ui,sans-serif;color:#111b21}
.message{max-width:340px;margin:0 auto}
.bubble,.card{background:#fff;border-radius:8px;padding:8px 10px;box-shadow:0 1px 1px #0002}
.header{font-weight:600;margin-bottom:4px}
.header:not(.text){background:#dfe5e7;border-radius:6px;padding:28px 10px;text-align:center;font-weight:400;color:#54656f}
.body{overflow-wrap:anywhere}.body code{font-family:ui-monospace,monospace}
.footer{margin-top:6px;font-size:13px;color:#667781}.offer{padding:4px 0;font-weight:600}
.button{background:#fff;border-radius:8px;margin-top:3px;padding:9px;text-align:center;color:#027eb5}
.cards{display:flex;gap:6px;overflow-x:auto;margin-top:6px}.card{min-width:220px}
@media (prefers-color-scheme:dark){body{background:#0b141a;color:#e9edef}.bubble,.card,.button{background:#202c33}
.header:not(.text){background:#111b21;color:#8696a0}.footer{color:#8696a0}.button{color:#53bdeb}}
"""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def page_of(title: str, fragment: str, language: str) -> str:
    """A document around a preview's fragment, which is safe already."""
    return (
        f'<!doctype html><html lang="{html.escape(language)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{fragment}</body></html>"
    )
