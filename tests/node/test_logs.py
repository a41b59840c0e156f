"""The log: one JSON object on a line, with nothing in it that is not on the list."""

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

from node import logs
from tests.neighbours import ROOT


def lines(script: str) -> list[dict[str, Any]]:
    """What a program of its own writes to standard error: logging is for a whole process."""
    done = subprocess.run(
        [sys.executable, "-c", "import logging\nfrom node import logs\n" + textwrap.dedent(script)],
        cwd=ROOT,
        capture_output=True,
        timeout=180,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == b""
    assert done.stderr.isascii()
    return [json.loads(line) for line in done.stderr.decode().splitlines()]


def test_an_event_is_one_line_with_its_fields() -> None:
    (entry,) = lines("""
        logs.configure()
        log = logging.getLogger("echoppe.inbox")
        log.info("activity refused", extra={"actor_host": "a.example", "status": 400, "count": 0})
    """)
    assert entry.pop("at").endswith("+00:00")
    assert entry == {
        "level": "info",
        "from": "echoppe.inbox",
        "event": "activity refused",
        "actor_host": "a.example",
        "status": 400,
        "count": 0,
    }


def test_what_is_not_on_the_list_does_not_get_in() -> None:
    (entry,) = lines("""
        logs.configure()
        logging.getLogger("echoppe").warning(
            "x", extra={"ip": "192.0.2.1", "query": "secret", "email": "c@example.fr", "code": "y"}
        )
    """)
    assert entry.keys() == {"at", "level", "from", "event", "code"}


def test_no_character_breaks_a_line() -> None:
    text = "a\nb\r\x1b[31m\u2028\x00é"
    found = lines(f"""
        logs.configure()
        logging.getLogger("echoppe").warning({text!r}, extra={{"detail": {text!r}}})
        logging.getLogger("echoppe").warning("lone %s", "\\ud800")
    """)
    assert [entry["event"] for entry in found] == [text, "lone \ud800"]
    assert found[0]["detail"] == text


def test_long_texts_are_cut() -> None:
    (entry,) = lines("""
        logs.configure()
        logging.getLogger("echoppe").warning("e" * 9999, extra={"detail": "d" * 9999})
    """)
    assert entry["event"] == "e" * 2000
    assert entry["detail"] == "d" * 2000


def test_a_traceback_stays_on_its_line_and_is_bounded() -> None:
    (entry,) = lines("""
        logs.configure()
        try:
            raise LookupError("x" * 100_000 + "the end")
        except LookupError:
            logging.getLogger("echoppe.workers").exception("a worker failed")
    """)
    assert entry["level"] == "error"
    assert entry["traceback"].endswith("the end")
    assert len(entry["traceback"]) <= 16_000


def test_the_servers_own_messages_are_lines_too_and_strangers_are_quiet() -> None:
    found = lines("""
        logs.configure()
        logging.getLogger("uvicorn.error").warning("from the server")
        logging.getLogger("uvicorn.error").info("chatter")
        logging.getLogger("httpx2").info("chatter")
        logging.getLogger("echoppe").debug("chatter")
        logging.getLogger("echoppe").info("ours")
        logs.configure()
        logging.getLogger("echoppe").info("once")
    """)
    assert [entry["event"] for entry in found] == ["from the server", "ours", "once"]


def test_no_field_of_the_list_names_a_person() -> None:
    assert not {"ip", "client", "query", "email", "user", "body", "token"} & set(logs.FIELDS)
