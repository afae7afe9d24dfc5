"""Errors in the shapes and, where clients look for words, in the words of vLLM (0.33, 2026-11)."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

_TYPES = {
    400: ("BadRequestError", "invalid_request_error"),
    401: ("Unauthorized", "authentication_error"),
    403: ("Forbidden", "permission_error"),
    404: ("NotFoundError", "not_found_error"),
    413: ("RequestEntityTooLarge", "request_too_large"),
    429: ("RateLimitError", "rate_limit_error"),
    500: ("InternalServerError", "api_error"),
    503: ("ServiceUnavailableError", "overloaded_error"),
}


class Refusal(Exception):
    """An answer that refuses the request."""

    def __init__(
        self, *, status: int, message: str, param: str | None = None, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds

    def body(self, path: str) -> dict[str, Any]:
        """Return the JSON of the answer, in Anthropic's shape on its paths and in OpenAI's elsewhere."""
        openai, anthropic = _TYPES[self.status]
        if path.startswith("/v1/messages"):
            return {"type": "error", "error": {"type": anthropic, "message": self.message}}
        return {"error": {"message": self.message, "type": openai, "param": self.param, "code": self.status}}


def malformed(error: ValidationError) -> Refusal:
    """Return the refusal of a body that does not fit the API's schema: every place and what is wrong there."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    places = [f"{'.'.join(map(str, entry['loc'])) or 'body'}: {entry['msg']}" for entry in found[:5]]
    if len(found) > len(places):
        places.append(f"and {len(found) - len(places)} more")
    return Refusal(
        status=400, message="; ".join(places), param=str(found[0]["loc"][0]) if found[0]["loc"] else None
    )


def unknown_model(model: str, served: list[str]) -> Refusal:
    """Return the refusal of a model that is not served."""
    message = f"The model `{model}` does not exist. Served: {', '.join(served)}."
    return Refusal(status=404, message=message, param="model")


def picture() -> Refusal:
    """Return the refusal of a picture by a server without a vision tower (`--language-model-only`: a limit of 0)."""
    more = "Set `--limit-mm-per-prompt` to increase this limit."
    return Refusal(
        status=400, message=f"At most 0 image(s) may be provided in one prompt. {more}", param="image"
    )


def output_above_window(asked_tokens: int, context_tokens: int) -> Refusal:
    """Return the refusal of an output cap that no prompt would fit beside."""
    message = (
        f"max_tokens={asked_tokens} cannot be greater than max_model_len=max_total_tokens={context_tokens}. "
        "Please request fewer output tokens."
    )
    return Refusal(status=400, message=message, param="max_tokens")


def context_full(context_tokens: int, input_tokens: int) -> Refusal:
    """Return the refusal of a prompt that is too long."""
    message = (
        f"This model's maximum context length is {context_tokens} tokens. However, your request has "
        f"{max(input_tokens, context_tokens + 1)} input tokens. Please reduce the length of the input messages."
    )
    return Refusal(status=400, message=message, param="input_tokens")


def played(status: int, retry_after_seconds: int | None) -> Refusal:
    """Return an error that a play asks for."""
    message = "the script asks for this error"
    return Refusal(status=status, message=message, retry_after_seconds=retry_after_seconds)
