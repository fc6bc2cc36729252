"""LangChain with langchain-openai: a chat model, structured output, embeddings, and the agent of create_agent."""
from driver import serve
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


class Trip(BaseModel):
    """What the row `structured` holds."""

    city: str
    days: list[int]


def _model(asked, **more):
    return ChatOpenAI(
        model=asked["model"],
        base_url=asked["baseURL"],
        api_key=asked["apiKey"],
        max_retries=asked.get("retries", 0),
        default_headers=asked.get("headers", {}),
        timeout=20,
        use_responses_api=False,
        **more,
    )


def _asked(asked):
    return [HumanMessage(asked.get("content", "hello"))]


def _shown(message):
    return {
        "type": message.type,
        "content": message.content,
        "calls": getattr(message, "tool_calls", None),
        "usage": getattr(message, "usage_metadata", None),
        "more": message.additional_kwargs,
        "reason": message.response_metadata.get("finish_reason"),
    }


def _tools(ran):
    """Tools that can be run in both ways; the sync ones run in threads, in any order."""

    def get_weather(city: str) -> str:
        """The weather of a city."""
        ran.append(["get_weather", city])
        return "done"

    def get_time(zone: str) -> str:
        """The time of a zone."""
        ran.append(["get_time", zone])
        return "done"

    def both(run):
        async def run_async(**given):
            return run(**given)

        return StructuredTool.from_function(run, run_async)

    return [both(get_weather), both(get_time)]


def invoke(asked, tell):
    return _shown(_model(asked).invoke(_asked(asked)))


async def invoke_async(asked, tell):
    return _shown(await _model(asked).ainvoke(_asked(asked)))


def stream(asked, tell):
    whole = None
    for chunk in _model(asked, stream_usage=True).bind_tools(_tools([])).stream(_asked(asked)):
        tell([chunk.content, chunk.tool_call_chunks])
        whole = chunk if whole is None else whole + chunk
    return _shown(whole)


async def stream_async(asked, tell):
    async for chunk in _model(asked).astream(_asked(asked)):
        tell(chunk.content)


def structured(asked, tell):
    return _model(asked).with_structured_output(Trip, method="json_schema").invoke(_asked(asked))


def agent(asked, tell):
    ran = []
    state = create_agent(_model(asked), _tools(ran)).invoke({"messages": _asked(asked)})
    return [sorted(ran), *(_shown(message) for message in state["messages"])]


async def agent_stream(asked, tell):
    ran = []
    runnable = create_agent(_model(asked), _tools(ran))
    async for message, _ in runnable.astream({"messages": _asked(asked)}, stream_mode="messages"):
        tell([message.type, message.content, getattr(message, "tool_call_chunks", None)])
    return ran


async def batch(asked, tell):
    """Eight calls at once."""
    answers = await _model(asked).abatch([_asked(asked)] * 8)
    return [_shown(answer) for answer in answers]


async def stream_events(asked, tell):
    async for event in _model(asked).astream_events(_asked(asked), version="v2"):
        chunk = event["data"].get("chunk")
        tell([event["event"], chunk and chunk.content])


def structured_by_tool(asked, tell):
    return _model(asked).with_structured_output(Trip, method="function_calling").invoke(_asked(asked))


def embeddings(asked, tell):
    embed = OpenAIEmbeddings(
        model=asked["model"], base_url=asked["baseURL"], api_key=asked["apiKey"], check_embedding_ctx_length=False
    )
    tell(embed.embed_documents(["one", "three"]))
    return embed.embed_query("two")


serve(invoke, invoke_async, stream, stream_async, structured, structured_by_tool, batch, stream_events, agent, agent_stream, embeddings)
