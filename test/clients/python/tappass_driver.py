"""TapPass's own SDK, as it was released: what it calls of this gateway today."""
from contextlib import aclosing

import tappass
from driver import serve


def _address(asked):
    return asked["baseURL"].removesuffix("/v1")


def _settings(asked):
    return {"url": _address(asked), "api_key": asked["apiKey"], "model": asked["model"]}


def _members(value, *names):
    return {name: getattr(value, name) for name in names}


def _shown(response):
    pipeline = _members(response.pipeline, "blocked", "classification")
    ids = _members(response, "session_id", "task_id", "agent_uuid", "pipeline_uuid", "audit_url")
    calls = [[call.id, call.name, call.arguments] for call in response.tool_calls]
    usage = vars(response.usage)
    raw = response.raw.get("tappass", {}).get("redacted")
    answer = _members(response, "content", "model")
    return {**answer, "calls": calls, "usage": usage, "pipeline": pipeline, "ids": ids, "redacted": raw}


def chat(asked, tell):
    with tappass.Agent(**_settings(asked)) as agent:
        return _shown(agent.chat(asked.get("content", "hello"), metadata=asked.get("metadata")))


async def chat_async(asked, tell):
    settings = _settings(asked)
    async with tappass.AsyncAgent(settings.pop("url"), **settings) as agent:
        return _shown(await agent.chat(asked.get("content", "hello")))


def stream(asked, tell):
    """Its sync stream is collected before the first chunk is given."""
    with tappass.Agent(**_settings(asked)) as agent:
        for chunk in agent.stream(asked.get("content", "hello")):
            tell([chunk.delta, chunk.finished])


async def stream_async(asked, tell):
    settings = _settings(asked)
    async with tappass.AsyncAgent(settings.pop("url"), **settings) as agent, aclosing(agent.stream(asked.get("content", "hello"))) as chunks:
        async for chunk in chunks:
            tell([chunk.delta, chunk.finished])


def refusal(asked, tell):
    """What the exception of a refusal carries."""
    with tappass.Agent(**_settings(asked)) as agent:
        try:
            agent.chat(asked["content"])
        except tappass.PolicyBlockError as error:
            names = ("blocked_by", "reason", "classification", "details", "session_id", "task_id", "agent_uuid", "audit_url")
            return {"message": str(error), **_members(error, *names)}


def health(asked, tell):
    with tappass.TapPass(_address(asked), admin_key=asked["apiKey"]) as server:
        return vars(server.health())


def agent(asked, tell):
    with tappass.TapPass(_address(asked), admin_key=asked["apiKey"]) as server:
        return vars(server.agent(asked["uuid"]))


def session(asked, tell):
    """It opens a session in the client alone, and calls nothing."""
    with tappass.tappass_session(url=_address(asked), api_key=asked["apiKey"]) as opened:
        return tappass.current_session().id == opened.id


serve(chat, chat_async, stream, stream_async, refusal, health, agent, session)
