"""FEDERATION.md says what the code does (FEP-67ff): every activity, every term, every bound."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta

from federation import limits
from node.exchange import backlog, enquiries, featured, follows, inbox, outbox, reports, terms
from tests.neighbours import ROOT

TEXT = (ROOT / "FEDERATION.md").read_text()
WORDS = " ".join(TEXT.split())


def rows() -> Iterator[tuple[list[str], str, str]]:
    """Names, what is sent, what is received: the table of activities."""
    table = TEXT.partition("| activity | sent | received |")[2].partition("\n\n")[0]
    for line in table.strip().splitlines()[1:]:
        _, names, sent, received, _ = line.split("|")
        if "anything else" not in names:
            yield [name.strip() for name in names.split(",")], sent.strip(), received.strip()


def documented(column: int) -> set[str]:
    return {name for row in rows() if row[column] != "–" for name in row[0]}


def sent() -> set[str]:
    """The types of activities that the code makes, as its calls name them."""
    known = set(inbox.HANDLERS)
    found: set[str] = set()
    for path in (ROOT / "node").rglob("*.py"):
        tree = ast.parse(path.read_text())
        words = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)
                 if isinstance(n.value, str)}  # fmt: skip
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "activities"):
                continue
            if call.func.attr == "follow":
                found.add("Follow")
            elif call.func.attr in ("activity", "answer"):
                kind = call.args[0]
                if isinstance(kind, ast.Constant):
                    found.add(str(kind.value))
                elif path.name == "outbox.py":  # of Verb
                    found |= {"Create", "Update", "Delete"}
                else:
                    found |= words & known
    return found


def test_what_is_received_is_what_the_table_says() -> None:
    assert documented(2) == set(inbox.HANDLERS)


def test_what_is_sent_is_what_the_table_says() -> None:
    assert documented(1) == sent()


def test_our_terms_are_told() -> None:
    """Those that readers know from ActivityStreams, Mastodon and the keys' contexts go untold."""
    usual = {
        "toot", "schema", "vf", "om2", "sdo", "discoverable", "indexable", "sensitive", "Multikey",
        "manuallyApprovesFollowers", "PropertyValue", "value", "publicKeyMultibase", "controller",
        "assertionMethod",
    }  # fmt: skip
    for context in (terms.LISTING_CONTEXT, terms.ACTOR_CONTEXT, terms.SEQUENCE_CONTEXT):
        for term in set(context[-1]) - usual:
            assert re.search(rf"`{term}\b|\b{term}:", TEXT), term
    for term in (terms.SEQ, terms.DIGEST, terms.COUNT, terms.HEAD, terms.CATEGORY_PREFIX):
        assert f"`{term}" in TEXT, term


def test_the_bounds_are_those_of_the_code() -> None:
    for sentence, value in (
        (r"bodies of (\d+) KiB", limits.INBOX_BODY // 1024),
        (r"(\d+) levels", limits.JSON_DEPTH),
        (r"`Retry-After` when ([\d,]+) activities", backlog.QUEUE_MOST),
        (r"(\d+) MiB of them wait", backlog.QUEUE_BYTES_MOST // 1024**2),
        (r"429 when (\d+) of the same host", backlog.OF_HOST_MOST),
        (r"at most (\d+) items and some", outbox.SEQUENCE_PAGE),
        (r"and some (\d+) KiB", outbox.SEQUENCE_PAGE_BYTES // 1024),
        (r"then once in (\d+) minutes", outbox.QUIET // timedelta(minutes=1)),
        (r"of its own; at most (\d+)", featured.PINS_MOST),
        (r"at most (\d+) open ones of a host", reports.OF_HOST_MOST),
        (r"go after (\d+) days", enquiries.KEPT.days),
        (r"at most ([\d,]+) people of a host", follows.FOLLOWERS_OF_HOST_MOST),
        (r"people of a host at (\d+) inboxes", follows.INBOXES_OF_HOST_MOST),
        (r"at most (\d+) replies of one actor", enquiries.REPLIES_OF_ACTOR_MOST),
        (r"of one actor, (\d+) of one host and", enquiries.REACTIONS_OF_HOST_MOST),
        (r"([\d,]+) in all", enquiries.REACTIONS_MOST),
        (r"at most (\d+) enquiries of one actor", enquiries.OF_ACTOR_MOST),
        (r"enquiries of one actor and (\d+) of one host", enquiries.OF_HOST_MOST),
    ):
        told = re.search(sentence, WORDS)
        assert told is not None, sentence
        assert int(told[1].replace(",", "")) == value, sentence


def test_the_proposals_that_are_named_are_those_of_the_code() -> None:
    """Whatever FEP a comment leans on is in the document."""
    leaned_on = set()
    for folder in ("federation", "node"):
        for path in (ROOT / folder).rglob("*.py"):
            leaned_on |= set(re.findall(r"FEP-[0-9a-f]{4}", path.read_text()))
    assert leaned_on <= set(re.findall(r"FEP-[0-9a-f]{4}", TEXT))
