"""The three APIs as vLLM serves them: what a request must look like, and how an answer is told."""

from __future__ import annotations

from types import ModuleType

from scripted_model.turn import Api
from scripted_model.wire import chat, messages, responses

PATHS: dict[str, Api] = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
}
MODULES: dict[Api, ModuleType] = {"chat": chat, "responses": responses, "messages": messages}
