"""openai-python, sync and async."""
import openai
from driver import serve
from pydantic import BaseModel

def _tool(name, parameter):
    properties = {parameter: {"type": "string"}}
    parameters = {"type": "object", "properties": properties, "required": [parameter], "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "strict": True, "parameters": parameters}}


TOOLS = [_tool("get_weather", "city"), _tool("get_time", "zone")]


class Trip(BaseModel):
    """What the row `structured` holds."""

    city: str
    days: list[int]


def _settings(asked):
    return {
        "base_url": asked["baseURL"],
        "api_key": asked["apiKey"],
        "max_retries": asked.get("retries", 0),
        "default_headers": asked.get("headers", {}),
        "timeout": 20,
    }


def _sync(asked):
    return openai.OpenAI(**_settings(asked))


def _async(asked):
    return openai.AsyncOpenAI(**_settings(asked))


def _messages(asked):
    return [{"role": "user", "content": asked.get("content", "hello")}]


def _body(asked, **more):
    return {"model": asked["model"], "messages": _messages(asked), **more}


def chat(asked, tell):
    return _sync(asked).chat.completions.create(**_body(asked))


async def chat_async(asked, tell):
    return await _async(asked).chat.completions.create(**_body(asked))


def chunks(asked, tell):
    options = {"include_usage": True}
    for chunk in _sync(asked).chat.completions.create(**_body(asked, stream=True, tools=TOOLS, stream_options=options)):
        tell(chunk)


async def chunks_async(asked, tell):
    async for chunk in await _async(asked).chat.completions.create(**_body(asked, stream=True)):
        tell(chunk)


def stream_helper(asked, tell):
    with _sync(asked).chat.completions.stream(**_body(asked, tools=TOOLS)) as stream:
        for event in stream:
            tell(event)
        return stream.get_final_completion()


async def stream_helper_async(asked, tell):
    async with _async(asked).chat.completions.stream(**_body(asked, tools=TOOLS)) as stream:
        async for event in stream:
            tell(event)
        return await stream.get_final_completion()


def stream_final(asked, tell):
    with _sync(asked).chat.completions.stream(**_body(asked, tools=TOOLS)) as stream:
        return stream.get_final_completion()


def parse(asked, tell):
    parsed = _sync(asked).chat.completions.parse(**_body(asked, response_format=Trip))
    return parsed.choices[0].message.parsed


def parse_stream(asked, tell):
    with _sync(asked).chat.completions.stream(**_body(asked, response_format=Trip)) as stream:
        for event in stream:
            tell(event)
        return stream.get_final_completion().choices[0].message.parsed


def tool_loop(asked, tell):
    client = _sync(asked)
    messages = _messages(asked)
    while True:
        message = client.chat.completions.create(model=asked["model"], messages=messages, tools=TOOLS).choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            return message.content
        for call in message.tool_calls:
            tell([call.id, call.function.name, call.function.arguments])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "done"})


def completions(asked, tell):
    return _sync(asked).completions.create(model=asked["model"], prompt="hello")


def completions_stream(asked, tell):
    for chunk in _sync(asked).completions.create(model=asked["model"], prompt="hello", stream=True):
        tell(chunk)


def embeddings(asked, tell):
    client = _sync(asked)
    for form in ("base64", "float"):
        tell(client.embeddings.create(model=asked["model"], input=["one", "two"], encoding_format=form))


def models(asked, tell):
    return [model.id for model in _sync(asked).models.list()]


def model(asked, tell):
    return _sync(asked).models.retrieve(asked["model"])


def redacted(asked, tell):
    """How a user of this client learns what was taken out: members of the answer that it does not know, and headers."""
    answer = _sync(asked).chat.completions.with_raw_response.create(**_body(asked))
    completion = answer.parse()
    return {
        "text": completion.choices[0].message.content,
        "header": answer.headers["x-tappass-redacted"],
        "body": completion.tappass["redacted"],
    }


def redacted_stream(asked, tell):
    chunks = list(_sync(asked).chat.completions.create(**_body(asked, stream=True)))
    return {
        "text": "".join(chunk.choices[0].delta.content or "" for chunk in chunks),
        "body": [chunk.tappass["redacted"] for chunk in chunks if hasattr(chunk, "tappass")],
    }


def get(asked, tell):
    """A method that the route does not have."""
    return _sync(asked).get("/chat/completions", cast_to=object)


serve(chat, chat_async, chunks, chunks_async, stream_helper, stream_helper_async, stream_final, parse, parse_stream,
      tool_loop, completions, completions_stream, embeddings, models, model, redacted, redacted_stream, get)
