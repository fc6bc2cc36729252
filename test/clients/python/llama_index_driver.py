"""LlamaIndex: OpenAILike, its FunctionAgent and embeddings."""
from driver import serve
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import AudioBlock, ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel


class Trip(BaseModel):
    """What the row `structured` holds."""

    city: str
    days: list[int]


def _llm(asked, **more):
    return OpenAILike(
        model=asked["model"],
        api_base=asked["baseURL"],
        api_key=asked["apiKey"],
        max_retries=asked.get("retries", 0),
        default_headers=asked.get("headers", {}),
        is_chat_model=True,
        is_function_calling_model=True,
        timeout=20,
        **more,
    )


def _asked(asked):
    return [ChatMessage(role="user", content=asked.get("content", "hello"))]


def _tools(tell):
    async def get_weather(city: str) -> str:
        """The weather of a city."""
        tell(["ran", "get_weather", city])
        return "done"

    async def get_time(zone: str) -> str:
        """The time of a zone."""
        tell(["ran", "get_time", zone])
        return "done"

    return [FunctionTool.from_defaults(async_fn=one) for one in (get_weather, get_time)]


def _shown(response):
    return {"message": response.message.model_dump(mode="json"), "delta": response.delta}


def _usage(response):
    usage = getattr(response.raw, "usage", None)
    return usage and usage.model_dump()


def chat(asked, tell):
    response = _llm(asked).chat(_asked(asked))
    return [_shown(response), _usage(response)]


async def chat_async(asked, tell):
    return _shown(await _llm(asked).achat(_asked(asked)))


def complete(asked, tell):
    return _llm(asked).complete("hello").text


def stream(asked, tell):
    for response in _llm(asked).stream_chat(_asked(asked)):
        tell(_shown(response))


def stream_tools(asked, tell):
    llm = _llm(asked)
    last = None
    for response in llm.stream_chat_with_tools(_tools(tell), user_msg="hello"):
        tell(response.delta)
        last = response
    calls = llm.get_tool_calls_from_response(last, error_on_no_tool_call=False)
    return [[call.tool_name, call.tool_kwargs] for call in calls]


async def agent(asked, tell):
    """Its default agent, which streams. Tools run at once, so what ran is sorted."""
    ran = []
    handler = FunctionAgent(tools=_tools(ran.append), llm=_llm(asked)).run(user_msg=asked.get("content", "hello"))
    async for event in handler.stream_events():
        tell([type(event).__name__, getattr(event, "delta", None)] if type(event).__name__ != "ToolCallResult" else "result")
    return [str(await handler), sorted(ran)]


async def react(asked, tell):
    """The agent that asks for tools in its own words."""
    handler = ReActAgent(tools=_tools([]), llm=_llm(asked)).run(user_msg="hello")
    return str(await handler)


def index(asked, tell):
    """An index over documents, and an answer from it."""
    embed = OpenAIEmbedding(model_name="vectors", api_base=asked["baseURL"], api_key=asked["apiKey"])
    documents = [Document(text="one", id_="1"), Document(text="three", id_="2")]
    engine = VectorStoreIndex.from_documents(documents, embed_model=embed).as_query_engine(llm=_llm(asked))
    return str(engine.query("two"))


def structured(asked, tell):
    return _llm(asked, should_use_structured_outputs=True).as_structured_llm(Trip).complete("hello").raw


def parts(asked, tell):
    picture = ImageBlock(image=b"\x89PNG\r\n\x1a\n" + bytes(40), image_mimetype="image/png")
    sound = AudioBlock(audio=b"RIFF" + bytes(60), format="wav")
    blocks = [TextBlock(text="What do you see and hear?"), picture, sound]
    return _shown(_llm(asked).chat([ChatMessage(role="user", blocks=blocks)]))


def embeddings(asked, tell):
    embed = OpenAIEmbedding(model_name=asked["model"], api_base=asked["baseURL"], api_key=asked["apiKey"])
    tell(embed.get_text_embedding_batch(["one", "three"]))
    return embed.get_query_embedding("two")


serve(chat, chat_async, complete, stream, stream_tools, agent, react, index, structured, parts, embeddings)
