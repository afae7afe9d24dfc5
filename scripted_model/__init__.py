"""The scripted model: an honest stand-in for a model server, for trials of everything around the model.

No model answers. It speaks vLLM's five paths for agents, checks what it is sent, writes down what came, and
acts from the text of the last task that it understands:

- `create FILE containing WORD`, more than one of them for calls in parallel (`"quoted text"` for more words),
- `read FILE, replace "OLD" with "NEW", then run "COMMAND"`, one tool after the other; or `run "COMMAND"` alone,
- `use the tool NAME with PARAMETER "TEXT"`: any other tool, such as an MCP server's,
- `reply with the word WORD`; anything else gets a sentence that says what it is.

It uses the tools that the request offers, under the agent's own names. A text `[play silence=180]` in the task
changes how it answers (`plays.Play` lists all there is); so does `POST /scripted/plays`, which no gateway lets
through, for requests whose text one cannot choose. Usage follows the size of the request's body.
"""

NAME = "scripted-model"
OWNER = "scripted-model (a stand-in: no model answers)"
"""Stands in `/v1/models` as owner and in every response as header `x-scripted-model`."""
