"""Judges requests with what their receivers' side uses, independently of Divert: request-validator FILE

FILE has one JSON object a line: `judge` (cloudevents, google_chat, slack or standardwebhooks), `headers`, `body` and, for
signatures, `secrets`. Prints one JSON object for each: the faults that were found, none for a good request. The tests of the
vendors' contracts read it; scripts/setup installs what it imports.
"""

import json
import os
import sys
import types
import warnings

warnings.simplefilter("ignore")  # of classes that will stay as they are

import google  # noqa: E402
from cloudevents.core.bindings import http  # noqa: E402
from slack_sdk.models.blocks import Block  # noqa: E402
from slack_sdk.models.messages.message import Message  # noqa: E402
from standardwebhooks import Webhook  # noqa: E402


def bare_package(name):
    """Stands for a package whose own __init__ would import a client with everything that it needs."""
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(path, *name.split(".")[1:]) for path in google.__path__]
    sys.modules[name] = package


for name in ("google.apps", "google.apps.chat_v1", "google.apps.card_v1"):
    bare_package(name)

from google.apps.chat_v1.types.message import Message as ChatMessage  # noqa: E402


def cloudevents(request):
    message = http.HTTPMessage(headers=request["headers"], body=request["body"].encode())
    event = http.from_structured_event(message)
    if event.get_specversion() != "1.0":
        raise ValueError("not CloudEvents 1.0")
    if not event.get_data():
        raise ValueError("the event has no data")


def google_chat(request):
    ChatMessage.from_json(request["body"])


def slack(request):
    body = json.loads(request["body"])
    blocks = [Block.parse(block) for block in body.get("blocks", [])]
    if None in blocks:
        raise ValueError("a block of a type that Slack does not know")
    for block in blocks:
        block.validate_json()
    Message(text=body["text"], blocks=blocks).validate_json()


def standardwebhooks(request):
    for secret in request["secrets"]:
        Webhook(secret).verify(request["body"], request["headers"])


def fault(request):
    try:
        globals()[request["judge"]](request)
    except Exception as error:  # whatever the library says
        return [f"{request['judge']}: {type(error).__name__}: {error}"[:500]]
    return []


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            print(json.dumps({"faults": fault(json.loads(line))}))


main()
