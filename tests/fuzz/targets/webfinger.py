"""WebFinger: what is asked of us, and what others answer.

Input: the handle on the first line, then a JSON list of answers, each [teller, document]. The way
around that is looked for: an actor whose own server has not confirmed it.
"""

import json
from typing import Any, cast

from federation import addresses, client, documents, webfinger
from federation.errors import FederationError, Refused

_POLICY = addresses.Policy(frozenset(), "boutiques.example")
_HOME = "https://away.example/.well-known/webfinger?resource=acct:fleurs@away.example"


def _answer(subject: str, href: str) -> dict[str, Any]:
    link = {"rel": "self", "type": "application/activity+json", "href": href}
    return {"subject": subject, "aliases": [href], "links": [link]}


def _seed(handle: str, *answers: Any) -> bytes:
    return handle.encode() + b"\n" + json.dumps(answers).encode()


_AWAY = _answer("acct:fleurs@away.example", "https://away.example/users/fleurs")
_ELSEWHERE = _answer("acct:fleurs@away.example", "https://social.example/users/fleurs")
SEEDS = (
    _seed("@fleurs@away.example", [_HOME, _AWAY]),
    _seed("acct:fleurs@away.example", [_HOME, _ELSEWHERE],
          ["https://social.example/.well-known/webfinger", _ELSEWHERE]),
    _seed("fleurs@away.example", ["https://other.example/x", _AWAY]),
    _seed("Fleurs@AWAY.example:443", [_HOME, {"subject": "ACCT:fleurs@away.EXAMPLE", "links": 1}]),
    _seed("https://away.example/@fleurs"),
    _seed("@x@éclair.example", [_HOME, {"links": [{"rel": "self"}]}]),
)  # fmt: skip
WORDS = (
    b"acct:", b"ACCT:", b"@", b'"subject"', b'"links"', b'"rel"', b'"self"', b'"href"', b'"type"',
    b"application/activity+json", b"https://", b"away.example", b"social.example", b":443",
    b"[]", b"null", b"%40", b"\xc3\xa9",
)  # fmt: skip


class _Client:
    """Answers in turn with what the input holds, from checked URLs as the guarded client would."""

    policy = _POLICY

    def __init__(self, answers: list[Any]) -> None:
        self.left = answers
        self.told: list[tuple[str, dict[str, Any]]] = []

    async def fetch_json(self, url: str, **_: Any) -> tuple[dict[str, Any], str]:
        addresses.check_url(url, _POLICY)  # what we ask for is always something we may ask for
        if not self.left:
            raise Refused("no-answer")
        answer = self.left.pop(0)
        if not (isinstance(answer, list) and len(answer) == 2 and isinstance(answer[1], dict)):
            raise Refused("no-answer")
        teller = addresses.check_url(answer[0], _POLICY).url
        self.told.append((teller, answer[1]))
        return answer[1], teller


def one(data: bytes) -> None:
    """Reads the first line as a resource and as a handle; the answers decide about the latter."""
    first, _, rest = data.partition(b"\n")
    line = first.decode("utf-8", "replace")
    try:
        parsed = webfinger.parse_resource(line)
    except Refused:
        pass
    else:
        if parsed[0] == "acct":
            assert "@" not in parsed[1]
            assert parsed[2] == parsed[2].lower()
        else:
            assert documents.check_id(parsed[1], fragment=True)
    try:
        answers = documents.parse(b'{"a":' + rest + b"}")["a"]
    except Refused:
        return
    asked = _Client(answers if isinstance(answers, list) else [])
    looking = webfinger.lookup(cast("client.Client", asked), line)
    try:
        looking.send(None)  # nothing is waited for: it ends at once
    except StopIteration as ended:
        actor = ended.value
    except FederationError:
        return
    else:
        raise AssertionError("it waits for something")
    assert documents.check_id(actor) == actor
    teller, document = asked.told[-1]
    assert documents.origin(teller) == documents.origin(actor), (teller, actor)
    user, _, host = line.removeprefix("acct:").removeprefix("@").rpartition("@")
    subject = " ".join(document["subject"].split())
    said, _, where = subject[5:].rpartition("@")
    assert said.lower() == user.lower()
    home = addresses.check_url(f"https://{host}/", _POLICY)
    assert addresses.check_url(f"https://{where}/", _POLICY).authority == home.authority
