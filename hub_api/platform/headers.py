"""Headers that tell a browser what it may do with our answers (OWASP Secure Headers Project, MDN)."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# An answer of the API is data: nothing in it is run, shown in a frame or guessed to be of another type.
STRICT = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The API's documentation is a page of its own with one inline script, and carries nothing of anybody.
DOCS = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
HSTS = "max-age=31536000; includeSubDomains"
# Answers of the API may hold personal data: no cache on the way keeps them, unless the route says so.
NO_STORE = "no-store"


class SecurityHeaders:
    """ASGI middleware: sets each header that the answer does not set itself; HSTS when the client came by https."""

    def __init__(self, app: ASGIApp, docs: tuple[str, ...] = ("/docs",)) -> None:
        self.app, self.docs = app, docs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if path.startswith(self.docs):
                    headers.setdefault("Content-Security-Policy", DOCS)
                for name, value in STRICT.items():
                    headers.setdefault(name, value)
                if path.startswith("/api/"):
                    headers.setdefault("Cache-Control", NO_STORE)
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        await self.app(scope, receive, send_guarded)
