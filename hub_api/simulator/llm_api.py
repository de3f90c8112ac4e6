"""A language model to try the hub's on: `POST /v1/chat/completions` as OpenAI has it, and Gemini at `/v1beta/openai`.

It understands nothing: asked for a summary it answers with the customer's first words in the text it was given, so that a test
can tell what reached it; asked for labels it knows our corpus by heart and takes other messages for neutral ones. A model called
`sim-prose` talks where JSON was asked for, as real ones do at times. Any bearer token will do; none is refused, as the real ones do.
"""

import re
from functools import cache
from typing import Any

import orjson
from aiohttp import web

from hub_api.simulator.corpus import Utterance, load_corpus
from hub_api.simulator.web_common import answer, bearer, json_object

PATHS = ("/v1/chat/completions", "/v1beta/openai/chat/completions")
_NUMBERED = re.compile(r"(\d+): (.+)")


async def complete(request: web.Request) -> web.Response:
    """The answer of a chat completion."""
    if not bearer(request):
        return answer({"error": {"message": "You didn't provide an API key.", "type": "invalid_request_error"}}, 401)
    body = await json_object(request)
    text = "\n".join(str(one.get("content", "")) for one in body.get("messages", []) if one.get("role") == "user")
    content = _labels(text, str(body.get("model"))) if "<mensagens>" in text else _summary(text)
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": content},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": len(text) // 4, "completion_tokens": len(content) // 4}
    return answer(
        {
            "id": "chatcmpl-sim",
            "object": "chat.completion",
            "model": body.get("model"),
            "choices": [choice],
            "usage": {**usage, "total_tokens": sum(usage.values())},
        }
    )


def _summary(text: str) -> str:
    said = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("Cliente: ")]
    return f"O cliente escreveu: {' / '.join(said[:3])}" if said else "O cliente não escreveu."


def _labels(text: str, model: str) -> str:
    """A label for each numbered message, in the fence that models like to put around JSON."""
    if model == "sim-prose":
        return "Claro! Posso ajudar com essas mensagens: parecem clientes insatisfeitos."
    found = [
        {"n": int(line[1]), **_label(line[2])}
        for line in map(_NUMBERED.fullmatch, text.splitlines())
        if line is not None
    ]
    return f"```json\n{orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()}\n```"


def _label(text: str) -> dict[str, Any]:
    line = _by_words().get(_words(text))
    if line is None:
        return {"sentiment": "neutral", "intent": "unclear", "confidence": 0.4}
    return {"sentiment": line.sentiment, "intent": line.intent, "confidence": 0.95}


@cache
def _by_words() -> dict[str, Utterance]:
    return {_words(line.text): line for line in load_corpus().utterances}


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"\d{4,}", " ", text.casefold())))
