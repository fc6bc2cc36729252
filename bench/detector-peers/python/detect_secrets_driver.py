"""detect-secrets with all its plugins and its usual filters, on a file of each text; a live check of what it finds is not among them."""
from lines import serve

import pathlib
import sys

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

FILE = pathlib.Path(sys.argv[1]) / "text.txt"


def judge(text):
    FILE.write_text(text, encoding="utf-8", errors="replace", newline="")
    secrets = SecretsCollection()
    secrets.scan_file(str(FILE))
    return [{"type": secret.type, "line_number": secret.line_number} for _, secret in secrets]


with default_settings():
    serve(judge)
