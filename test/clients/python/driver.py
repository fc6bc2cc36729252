"""Runs the features of one client: a line of JSON says which, a line of JSON says what came of it (see ../driver.ts).

A feature is a function `(asked, tell)`: what it tells and what it returns is what the client gave its user.
"""
import asyncio
import inspect
import ipaddress
import json
import sys
import traceback


class NetworkDenied(RuntimeError):
    """A client tried to reach something that is not on loopback."""


def _only_loopback(event, arguments):
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    text = host.decode() if isinstance(host, bytes) else str(host)
    if text != "localhost" and not ipaddress.ip_address(text).is_loopback:
        raise NetworkDenied(text)


def described(error):
    """An exception as its catcher can tell it apart: classes up to Exception, message, what the client reads from the body."""
    classes = [one.__name__ for one in type(error).__mro__]
    return {
        "classes": classes[: classes.index("Exception")] if "Exception" in classes else classes,
        "message": str(error),
        "code": getattr(error, "code", None),
        "status": getattr(error, "status_code", None),
        "where": traceback.format_exc(limit=-3),
    }


async def _outcome(feature, asked):
    told = []
    try:
        given = feature(asked, told.append)
        if inspect.isawaitable(given):
            given = await given
        return {"told": told, "given": given}
    except Exception as error:
        return {"told": told, "raised": described(error)}


def _plain(value):
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "__dict__"):
        return vars(value)
    return str(value)


async def _serve(features):
    out = sys.stdout
    sys.stdout = sys.stderr
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        outcome = await _outcome(features[asked["feature"]], asked)
        print(json.dumps(outcome, default=_plain), file=out, flush=True)


def serve(*features):
    """Answers until the input ends."""
    sys.addaudithook(_only_loopback)
    asyncio.run(_serve({one.__name__: one for one in features}))
