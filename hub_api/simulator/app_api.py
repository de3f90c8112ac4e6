"""The app and its token: `debug_token`, `me`, the permissions; what an operator's set-up asks before anything else."""

import hashlib
import hmac
from typing import Any

from aiohttp import web

from hub_api.simulator.config import APP_ID
from hub_api.simulator.core import Core
from hub_api.simulator.errors import MetaError
from hub_api.simulator.web_common import Handler, answer

Json = dict[str, Any]

USER_ID = "122100000000001"


def debug_token_handler(core: Core) -> Handler:
    """`GET /{version}/debug_token?input_token=…`."""

    async def debug_token(request: web.Request) -> web.Response:
        given, app = request.query.get("input_token", ""), core.app
        valid = app.token_valid and hmac.compare_digest(given.encode(), core.token.encode())
        data: Json = {"app_id": APP_ID, "type": app.token_type, "application": "hub", "is_valid": valid}
        if not valid:
            data["error"] = {"code": 190, "message": "The access token could not be decrypted", "subcode": 467}
            return answer({"data": {**data, "scopes": []}})
        wabas = list(core.world.wabas)
        data |= {
            "data_access_expires_at": 0,
            "expires_at": app.token_expires_at,
            "issued_at": 1_767_225_600,
            "scopes": sorted(app.scopes),
            "granular_scopes": [{"scope": scope, "target_ids": wabas} for scope in sorted(app.scopes)],
            "user_id": USER_ID,
        }
        return answer({"data": data})

    return debug_token


def me_handler(core: Core) -> Handler:
    """`GET /{version}/me` and `/me/permissions`; a wrong `appsecret_proof` is refused, as on every call."""

    async def me(request: web.Request) -> web.Response:
        proof = request.query.get("appsecret_proof")
        made = hmac.new(core.delivery.app_secret.encode(), core.token.encode(), hashlib.sha256).hexdigest()
        if proof is not None and not hmac.compare_digest(proof.encode(), made.encode()):
            raise MetaError(100, "Invalid appsecret_proof provided in the API argument")
        if request.path.endswith("/permissions"):
            return answer({"data": [{"permission": one, "status": "granted"} for one in sorted(core.app.scopes)]})
        return answer({"id": USER_ID, "name": "hub"})

    return me
