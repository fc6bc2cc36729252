"""openai-agents: Runner with the chat-completions model."""
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from driver import serve
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)


class Trip(BaseModel):
    """What the row `structured` holds."""

    city: str
    days: list[int]


def _agent(asked, tell, **more):
    client = AsyncOpenAI(
        base_url=asked["baseURL"],
        api_key=asked["apiKey"],
        max_retries=asked.get("retries", 0),
        default_headers=asked.get("headers", {}),
        timeout=20,
    )

    @function_tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        tell(["ran", "get_weather", city])
        return "done"

    @function_tool
    def get_time(zone: str) -> str:
        """The time of a zone."""
        tell(["ran", "get_time", zone])
        return "done"

    model = OpenAIChatCompletionsModel(asked["model"], openai_client=client)
    settings = ModelSettings(include_usage=True)
    return Agent(name="tester", model=model, model_settings=settings, tools=[get_weather, get_time], **more)


def _result(result):
    usage = result.context_wrapper.usage
    return {
        "output": result.final_output,
        "items": [[item.type, getattr(item.raw_item, "model_dump", lambda **_: item.raw_item)()] for item in result.new_items],
        "usage": [usage.requests, usage.input_tokens, usage.output_tokens, usage.total_tokens],
    }


def _input(asked):
    content = asked.get("content", "hello")
    return content if isinstance(content, str) else [{"role": "user", "content": content}]


async def run(asked, tell):
    return _result(await Runner.run(_agent(asked, tell), _input(asked)))


async def stream(asked, tell):
    result = Runner.run_streamed(_agent(asked, tell), _input(asked))
    async for event in result.stream_events():
        data = getattr(event, "data", None)
        tell([event.type, getattr(event, "name", None), getattr(data, "type", None), getattr(data, "delta", None)])
    return _result(result)


async def handoff(asked, tell):
    """An agent that could hand over to another one."""
    other = _agent(asked, tell)
    other.name = "other"
    return _result(await Runner.run(_agent(asked, tell, handoffs=[other]), _input(asked)))


async def typed(asked, tell):
    return _result(await Runner.run(_agent(asked, tell, output_type=Trip), "hello"))


serve(run, stream, handoff, typed)
