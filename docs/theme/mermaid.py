"""Puts mermaid on the site from node_modules, so that diagrams are drawn without a network: a hook of MkDocs.

The theme looks for a global `mermaid` before it would load one from a server of others.
"""

from pathlib import Path

from mkdocs.exceptions import Abort
from mkdocs.structure.files import File

SOURCE = Path(__file__).parents[2] / "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
TARGET = "javascripts/mermaid.js"


def on_config(config):
    if not SOURCE.is_file():
        raise Abort(f"{SOURCE} is missing: run npm ci first")
    config.extra_javascript.append(TARGET)
    return config


def on_files(files, config):
    files.append(File.generated(config, TARGET, abs_src_path=str(SOURCE)))
    return files
