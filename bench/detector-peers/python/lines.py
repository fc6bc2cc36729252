"""Judges texts for the driver that calls it: a line of JSON is a text, a line of JSON says what was said of it and the processor time.

Drivers import it before their peer: from then on nothing outside the process can be reached (a peer that would fetch something does without it
or fails), and there is one core, as for the others; threads that wait for each other would only add to the processor time.
"""
import json
import os
import sys
import time


class NetworkDenied(RuntimeError):
    """A peer tried to reach something."""


def _no_network(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect"):
        raise NetworkDenied(str(arguments))


sys.addaudithook(_no_network)
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])


def serve(judge):
    """Asks `judge(text)` for every line until there is none."""
    for line in sys.stdin:
        text = json.loads(line)
        before = time.process_time_ns()
        said = judge(text)
        us = (time.process_time_ns() - before) / 1000
        print(json.dumps({"us": us, "said": said}), flush=True)
