"""The resources of resources.json in pyinfra's terms, one operation each."""

import json
from io import StringIO

from pyinfra.operations import apt, files, server, systemd

with open("resources.json", encoding="utf-8") as source:
    RESOURCES = json.load(source)

for resource in RESOURCES:
    kind = resource["kind"]
    if kind == "directory":
        files.directory(path=resource["path"], user="root", group="root", mode=resource["mode"])
    elif kind == "file":
        files.put(
            src=StringIO(resource["content"]),
            dest=resource["path"],
            user="root",
            group="root",
            mode=resource["mode"],
        )
    elif kind == "account":
        server.user(
            user=resource["name"],
            home=resource["home"],
            shell=resource["shell"],
            system=True,
            create_home=False,
            ensure_home=False,
        )
    elif kind == "package":
        apt.packages(packages=[resource["name"]])
    elif kind == "unit":
        systemd.service(service=resource["name"], running=True, enabled=True)
    else:
        raise ValueError(kind)
