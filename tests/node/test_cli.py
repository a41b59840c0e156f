"""The command as people run it: real processes, their exit status, and what they say."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from node import cli
from tests import neighbours
from tests.neighbours import ROOT

URL = "https://boutiques.pessac.example"
HEAVY = (
    "starlette", "uvicorn", "cryptography", "sqlite_utils", "httpx2", "httpcore2", "jinja2", "nh3",
    "sqlite3", "asyncio",
)  # fmt: skip


def commands() -> Iterator[tuple[str, ...]]:
    """Every command there is, so that a new one is held to the same."""
    unread = [((), cli.parser())]
    while unread:
        words, parser = unread.pop()
        # argparse has no public way to ask a parser for its subcommands.
        choices = [
            action.choices
            for action in parser._actions
            if action.nargs == "A..." and isinstance(action.choices, dict)
        ]
        if words and not choices:
            yield words
        for named in choices:
            unread += [((*words, name), sub) for name, sub in named.items()]


COMMANDS = sorted(commands())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node that no test changes for the next one."""
    made = tmp_path_factory.mktemp("srv") / "boutiques"
    neighbours.echoppe("init", str(made), "--url", URL, "--name", "Pessac", "--commune", "Pessac")
    neighbours.echoppe("shop", "add", "fleurs", "--name", "F", "--commune", "Pessac", folder=made)
    neighbours.echoppe("shop", "add", "closed", "--name", "C", "--commune", "Pessac", folder=made)
    neighbours.echoppe("shop", "close", "closed", folder=made)
    return made


def test_the_commands_are_those_of_the_contract() -> None:
    names = {" ".join(words) for words in COMMANDS}
    assert names >= {
        "init", "serve", "account invite", "shop add", "shop revise",
        "shop list", "shop close", "listing add",
        "listing revise", "listing withdraw", "listing list", "neighbour add", "neighbour list",
        "neighbour accept", "neighbour remove", "neighbour block", "deliveries list",
        "deliveries replay", "search", "reindex",
    }  # fmt: skip


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...]) -> None:
    done = neighbours.echoppe(*words, "--help")
    example = done.stdout.partition("Example: ")[2]
    assert example.startswith("echoppe ")
    assert done.stderr == ""
    if words:
        assert f"echoppe {' '.join(words)}" in example or "-C" in example
        assert "--json" in done.stdout


def test_the_example_of_a_command_is_one_that_it_understands() -> None:
    for words in COMMANDS:
        done = neighbours.echoppe(*words, "--help")
        for line in done.stdout.partition("Example: ")[2].splitlines():
            typed = shlex.split(line.strip())
            assert typed[0] == "echoppe", words
            cli.parser().parse_args(typed[1:])


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["listing", "add", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = """
import json, sys
from node import cli
try:
    cli.main(json.loads(sys.argv[1]))
except SystemExit as done:
    assert done.code == 0
heavy = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
print(json.dumps(heavy), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(arguments), json.dumps(HEAVY)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert json.loads(done.stderr) == []


def test_the_version(folder: Path) -> None:
    assert neighbours.echoppe("--version").stdout.startswith("echoppe ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["shop"],
        ["shop", "frobnicate"],
        ["init"],
        ["init", "x", "--url", URL, "--name", "x"],
        ["init", "x", "--url", URL, "--name", "x", "--commune", "Pessac", "--operator", "me"],
        ["shop", "add", "fleurs"],
        ["shop", "add", "x", "--name", "x", "--commune", "Pessac", "--lat", "north", "--lon", "1"],
        ["listing", "add", "fleurs", "--price", "1"],
        ["listing", "add", "fleurs", "--name", "x", "--price", "1", "--on-request"],
        ["listing", "add", "fleurs", "--name", "x", "--price", "1", "--condition", "mint"],
        ["account", "invite", "c@example.fr"],
        ["account", "invite", "c@example.fr", "--role", "king"],
        ["search", "pain", "--page", "first"],
        ["neighbour", "add"],
        ["serve", "--colour"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_how_it_goes(folder: Path, arguments: list[str]) -> None:
    done = neighbours.echoppe(*arguments, folder=folder, status=2)
    assert done.stdout == ""
    assert done.stderr.startswith("usage: echoppe")


def refused(*arguments: str, folder: Path | None = None) -> str:
    """Exit 1, one plain sentence on standard error, nothing on standard output."""
    for extra in ((), ("--json",)):
        done = neighbours.echoppe(*arguments, *extra, folder=folder, status=1)
        assert done.stdout == ""
        assert done.stderr.startswith("echoppe: ")
        assert done.stderr.count("\n") == 1, done.stderr
        assert "Traceback" not in done.stderr
    return done.stderr


UNKNOWN = "0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["shop", "add", "fleurs", "--name", "x", "--commune", "Pessac"], "taken"),
        (["shop", "add", "closed", "--name", "x", "--commune", "Pessac"], "taken"),
        (["shop", "add", "Fleurs", "--name", "x", "--commune", "Pessac"], "cannot be a handle"),
        (["shop", "add", "admin", "--name", "x", "--commune", "Pessac"], "keeps for itself"),
        (["shop", "add", "x", "--name", "x", "--commune", "Pesac"], "Pessac"),
        (["shop", "add", "x", "--name", "x", "--commune", "Saint-Denis"], "Saint-Denis"),
        (["shop", "close", "nobody"], "no shop 'nobody'"),
        (["shop", "close", "closed"], "was closed on"),
        (["listing", "add", "nobody", "--name", "x", "--price", "1"], "no shop 'nobody'"),
        (["listing", "add", "closed", "--name", "x", "--price", "1"], "was closed on"),
        (["listing", "add", "fleurs", "--name", "x"], "--price 12.50"),
        (["listing", "add", "fleurs", "--name", "x", "--price", "12,5O"], "12.50"),
        (["listing", "add", "fleurs", "--name", "x", "--price", "0"], "more than 0"),
        (["listing", "add", "fleurs", "--name", "", "--price", "1"], "name"),
        (["listing", "add", "fleurs", "--name", "x", "--price", "1", "--unit", "g"], "quantity"),
        (["listing", "add", "fleurs", "--name", "x", "--price", "1", "--stock", "few"], "stock"),
        (["listing", "add", "fleurs", "--name", "x", "--price", "1", "--gtin", "1"], "barcode"),
        (["listing", "add", "fleurs", "--name", "x", "--price", "1",
          "--category", "boulangerie.pian"], "boulangerie.pain"),
        (["listing", "add", "fleurs", "--name", "x", "--offer", "taille"], "--offer"),
        (["listing", "add", "fleurs", "--name", "x",
          "--offer", "n=1,price=1", "--offer", "n=1,price=2"], "differ"),
        (["listing", "add", "fleurs", "--name", "x",
          "--offer", "n=1,price=1", "--price", "2"], "--offer"),
        (["listing", "revise", UNKNOWN, "--price", "1"], "no listing"),
        (["listing", "withdraw", "x"], "no listing"),
        (["listing", "list", "nobody"], "no shop"),
        (["account", "invite", "claire", "--role", "steward"], "mail address"),
        (["account", "invite", "c@example.fr", "--role", "merchant"], "--shop"),
        (["account", "invite", "c@example.fr", "--role", "steward", "--shop", "fleurs"], "--shop"),
        (["search", "pain", "--near", "Nulleparville"], "Nulleparville"),
        (["search", "pain", "--page", "0"], "--page"),
        (["search", "pain", "--page", "501"], "--page"),
        (["neighbour", "add", URL], "this very node"),
        (["neighbour", "add", "http://other.example"], "https://"),
        (["neighbour", "add", "https://other.example/x"], "nothing behind"),
        (["neighbour", "accept", "nobody.example"], "nobody.example"),
        (["deliveries", "replay", "nobody.example"], "nobody.example"),
        (["neighbour", "remove", "nobody.example"], "nobody.example"),
        (["init", "{folder}", "--url", URL, "--name", "x", "--commune", "Pessac"], "not an empty"),
        (["init", "{folder}x", "--url", URL, "--name", "x", "--commune", "Nulleparville"], "Nulle"),
        (["init", "{folder}x", "--url", "http://a.example", "--name", "x",
          "--commune", "Pessac"], "https"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)  # fmt: skip
def test_a_refusal_is_one_plain_sentence(folder: Path, arguments: list[str], says: str) -> None:
    typed = [one.replace("{folder}", str(folder)) for one in arguments]
    assert says in refused(*typed, folder=folder)
    assert not folder.with_name("boutiquesx").exists()


@pytest.mark.parametrize(
    "words",
    [words for words in COMMANDS if words[0] not in ("init", "demo", "open", "proof", "restore")],
    ids=" ".join,
)
def test_a_folder_without_a_node_is_refused_by_every_command(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    needed = {
        "account invite": ["c@example.fr", "--role", "steward"],
        "account reset-factor": ["c@example.fr"],
        "backup": ["x.echoppe-backup"],
        "shop add": ["x", "--name", "x", "--commune", "Pessac"],
        "shop revise": ["x"],
        "shop close": ["x"],
        "listing add": ["x", "--name", "x", "--price", "1"],
        "listing revise": ["x"],
        "listing withdraw": ["x"],
        "news add": ["--title", "x", "--text", "x"],
        "news withdraw": ["x"],
        "event add": ["--title", "x", "--start", "2026-12-05"],
        "event cancel": ["x"],
        "event withdraw": ["x"],
        "feed add": ["https://example.fr/x"],
        "feed remove": ["https://example.fr/x"],
        "listing pin": ["x"],
        "listing unpin": ["x"],
        "shop alias": ["x", "https://x.example/users/x"],
        "shop move": ["x", "https://x.example/users/x"],
        "enquiry list": ["x"],
        "enquiry answer": ["x", "y"],
        "enquiry remove": ["x"],
        "report close": ["x"],
        "report send": ["https://x.example/users/x", "--reason", "y"],
        "neighbour add": ["https://x.example"],
        "neighbour accept": ["x"],
        "neighbour remove": ["x"],
        "neighbour block": ["x"],
        "neighbour restore": ["x"],
        "neighbour suspend": ["x"],
        "deliveries replay": ["--all"],
        "search": ["x"],
    }
    arguments = [*words, *needed.get(" ".join(words), [])]
    done = neighbours.echoppe(*arguments, folder=tmp_path, status=1)
    assert "holds no node" in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no database at all " * 500, None])
def test_a_damaged_database_is_told_in_a_sentence(
    folder: Path, tmp_path: Path, content: bytes | None
) -> None:
    (tmp_path / "instance.toml").write_bytes((folder / "instance.toml").read_bytes())
    if content is not None:
        (tmp_path / "node.db").write_bytes(content)
    assert "node.db" in refused("shop", "list", folder=tmp_path)


def test_a_database_with_damaged_pages_is_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    for name in ("instance.toml", "node.key"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    whole = (folder / "node.db").read_bytes()
    (tmp_path / "node.db").write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))
    assert "damaged" in refused("shop", "list", folder=tmp_path)


def test_a_node_keeps_its_address(folder: Path, tmp_path: Path) -> None:
    for name in ("node.db", "node.key"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    text = (folder / "instance.toml").read_text().replace(URL, "https://other.example")
    (tmp_path / "instance.toml").write_text(text)
    assert "cannot be changed" in refused("shop", "list", folder=tmp_path)


def test_answers_are_one_json_document_or_lines_for_people(folder: Path) -> None:
    added = neighbours.echoppe(
        "listing", "add", "fleurs", "--name", "Miel d'été", "--price", "6,50", "--quantity", "250",
        "--unit", "g", "--json", folder=folder,
    )  # fmt: skip
    listing = json.loads(added.stdout)
    assert added.stderr == ""
    assert listing["uri"] == f"{URL}/users/fleurs/items/{listing['id']}"
    found = json.loads(neighbours.echoppe("search", "miel", "--json", folder=folder).stdout)
    hit = found["rings"][0]["results"][0]
    assert (hit["name"], hit["price"]) == ("Miel d'été", {"amount": "6.50", "currency": "EUR"})
    assert hit["unit_price"]["amount"] == "26.00"
    said = neighbours.echoppe("search", "miel", folder=folder).stdout
    assert "Miel d'été — 6.50 EUR — F, Pessac" in said
    # What was made of the place is said; programs see it in the answer.
    from_afar = neighbours.echoppe("search", "miel", "--near", "Noumea", folder=folder).stdout
    assert "no distances can be told" in from_afar.splitlines()[0]
    assert "Miel d'été — 6.50 EUR — F, Pessac\n" in from_afar
    misspelt = neighbours.echoppe("search", "miel", "--near", "Bordaux", "--json", folder=folder)
    assert json.loads(misspelt.stdout)["place"]["id"] == "FR-33063"
    city = neighbours.echoppe("search", "miel", "--near", "FR-75056", "--json", folder=folder)
    assert json.loads(city.stdout)["place"]["name"] == "Paris"
    abroad = neighbours.echoppe("search", "miel", "--near", "Irun", "--json", folder=folder)
    assert json.loads(abroad.stdout)["place"] == {
        "id": "geonames:3120304", "insee": None, "name": "Irun",
    }  # fmt: skip
    gone = neighbours.echoppe("listing", "withdraw", listing["id"], folder=folder)
    assert "is withdrawn" in gone.stdout
    assert refused("listing", "withdraw", listing["id"], folder=folder)
    listed = neighbours.echoppe("listing", "list", "--json", folder=folder)
    assert json.loads(listed.stdout) == []


def listed(*words: str, stdout: IO[str] | None = None) -> tuple[int, str]:
    """The exit status of a command run by itself, and what it complained of."""
    done = subprocess.run(
        words,
        cwd=ROOT,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=180,
        check=False,
        # What is written waits for the end, as it does for people.
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
    )
    return done.returncode, done.stderr


def test_a_reader_who_went_away_is_no_failure(folder: Path) -> None:
    """`echoppe shop list | head -0`."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        command = (sys.executable, "-m", "node", "-C", str(folder), "shop", "list")
        assert listed(*command, stdout=closed) == (0, "")


def test_without_anywhere_to_write_it_is_done_all_the_same(folder: Path) -> None:
    """`echoppe shop list >&-`."""
    command = 'exec "$0" -m node -C "$1" shop list >&-'
    assert listed("sh", "-c", command, sys.executable, str(folder)) == (0, "")
