"""pydantic-ai: an Agent with tools and output types, over its chat-completions model."""
from driver import serve
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, NativeOutput, ToolOutput
from pydantic_ai.embeddings import Embedder
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class Trip(BaseModel):
    """What the row `structured` holds."""

    city: str
    days: list[int]


def _provider(asked):
    return OpenAIProvider(
        openai_client=AsyncOpenAI(
            base_url=asked["baseURL"],
            api_key=asked["apiKey"],
            max_retries=asked.get("retries", 0),
            default_headers=asked.get("headers", {}),
            timeout=20,
        )
    )


def _agent(asked, tell, output=str, tools=True):
    agent = Agent(OpenAIChatModel(asked["model"], provider=_provider(asked)), output_type=output)
    if tools:

        @agent.tool_plain
        async def get_weather(city: str) -> str:
            """The weather of a city."""
            tell(["ran", "get_weather", city])
            return "done"

        @agent.tool_plain
        async def get_time(zone: str) -> str:
            """The time of a zone."""
            tell(["ran", "get_time", zone])
            return "done"

    return agent


def _shown(part):
    names = ("part_kind", "content", "tool_name", "args", "tool_call_id")
    return {name: getattr(part, name, None) for name in names if name != "content" or part.part_kind != "user-prompt"}


def _result(result):
    usage = result.usage() if callable(result.usage) else result.usage
    return {
        "output": result.output,
        "parts": [[message.kind, [_shown(part) for part in message.parts]] for message in result.all_messages()],
        "usage": [usage.requests, usage.input_tokens, usage.output_tokens],
    }


async def run(asked, tell):
    return _result(await _agent(asked, tell).run(asked.get("content", "hello")))


async def events(asked, tell):
    """What run_stream_events gives, in its order."""
    async with _agent(asked, tell).run_stream_events(asked.get("content", "hello")) as stream:
        async for event in stream:
            part = getattr(event, "part", None)
            delta = getattr(event, "delta", None)
            shown = None if part is None else _shown(part)
            tell([event.event_kind, getattr(event, "index", None), shown, delta and vars(delta)])


async def texts(asked, tell):
    async with _agent(asked, tell, tools=False).run_stream(asked.get("content", "hello")) as result:
        async for text in result.stream_text(debounce_by=None):
            tell(text)


async def partial_output(asked, tell):
    """A typed output while it comes."""
    async with _agent(asked, tell, NativeOutput(Trip), tools=False).run_stream("hello") as result:
        async for output in result.stream_output(debounce_by=None):
            tell(output)


async def native_output(asked, tell):
    return _result(await _agent(asked, tell, NativeOutput(Trip), tools=False).run("hello"))


async def tool_output(asked, tell):
    return _result(await _agent(asked, tell, ToolOutput(Trip, name="final"), tools=False).run("hello"))


async def parts(asked, tell):
    picture = BinaryContent(data=b"\x89PNG\r\n\x1a\n" + bytes(40), media_type="image/png")
    sound = BinaryContent(data=b"RIFF" + bytes(60), media_type="audio/wav")
    result = await _agent(asked, tell, tools=False).run(["What do you see and hear?", picture, sound])
    return result.output


async def embeddings(asked, tell):
    embedder = Embedder(OpenAIEmbeddingModel(asked["model"], provider=_provider(asked)))
    return (await embedder.embed_documents(["one", "three"])).embeddings


serve(run, events, texts, partial_output, native_output, tool_output, parts, embeddings)
