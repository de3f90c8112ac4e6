"""A language model behind OpenAI's chat completions, which Gemini and servers of one's own speak too.

`HUB_LLM_URL` is the address before `/chat/completions`: https://api.openai.com/v1,
https://generativelanguage.googleapis.com/v1beta/openai, or the simulator's /v1. Without it there is no model, and nothing leaves.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from hub_api.errors import Unavailable
from hub_api.platform.metrics import model_calls
from hub_api.platform.services import Services

MAX_BYTES = 256 * 1024


class Model:
    """The configured model; one connection pool a process."""

    def __init__(self, session: aiohttp.ClientSession, url: str, name: str) -> None:
        self._session, self._url, self.name = session, url.rstrip("/") + "/chat/completions", name

    async def complete(self, instruction: str, text: str, *, most_tokens: int) -> str:
        """What the model says to `text` by `instruction`. Raises Unavailable for silence, a refusal, or an answer without words."""
        body = {
            "model": self.name,
            "messages": [{"role": "system", "content": instruction}, {"role": "user", "content": text}],
            "temperature": 0,
            "max_tokens": most_tokens,
        }
        try:
            async with self._session.post(self._url, data=orjson.dumps(body)) as answer:
                raw = await answer.content.read(MAX_BYTES)
                if answer.status != 200:
                    raise Unavailable(f"the model answered {answer.status}")
                words = _words_of(orjson.loads(raw))
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            model_calls.labels("failed").inc()
            raise Unavailable(f"the model did not answer: {type(error).__name__}") from None
        except Unavailable:
            model_calls.labels("failed").inc()
            raise
        model_calls.labels("answered").inc()
        return words


def _words_of(answer: Any) -> str:
    try:
        words = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        words = None
    if not isinstance(words, str) or not words.strip():
        raise Unavailable("the model's answer has no words")
    return words.strip()


@asynccontextmanager
async def open_model(services: Services) -> AsyncIterator[Model | None]:
    """For `services.shared`: the model, None when none is configured."""
    settings = services.settings
    if settings.llm_url is None:
        yield None
        return
    headers = {"Content-Type": "application/json"}
    if settings.llm_key is not None:
        headers["Authorization"] = f"Bearer {settings.llm_key.get_secret_value()}"
    timeout = aiohttp.ClientTimeout(total=settings.llm_timeout_s)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield Model(session, settings.llm_url, settings.llm_model)
