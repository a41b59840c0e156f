"""instance.toml: what is taken, what is refused and how, and that its manual is true."""

import dataclasses
import re
import tomllib
import typing
from pathlib import Path
from typing import Any

import pytest

from node import errors, settings

EXAMPLE = Path(__file__).parents[2] / "instance.example.toml"

LEAST = """\
[node]
url = "https://boutiques.pessac.example"
name = "Boutiques de Pessac"
communes = ["FR-33318"]
"""


def refusal(text: str) -> str:
    with pytest.raises(errors.Invalid) as caught:
        settings.parse(text)
    return caught.value.detail


def node_table(**changed: str) -> str:
    values = {
        "url": '"https://boutiques.pessac.example"',
        "name": '"Boutiques de Pessac"',
        "communes": '["FR-33318"]',
    }
    lines = "".join(f"{key} = {value}\n" for key, value in {**values, **changed}.items())
    return f"[node]\n{lines}"


def test_three_keys_are_enough_and_the_rest_are_defaults() -> None:
    read = settings.parse(LEAST)
    assert read == settings.Settings(
        settings.NodeSettings(
            "https://boutiques.pessac.example", "Boutiques de Pessac", ("FR-33318",)
        )
    )
    assert read.federation.private_peers == ()
    assert read.testing.clock_offset_s == 0


def known_keys() -> dict[str, dataclasses.Field[Any]]:
    """Every key that the program knows, as "section.key"."""
    hints = typing.get_type_hints(settings.Settings)
    return {
        f"{section}.{field.name}": field
        for section, kind in hints.items()
        for field in dataclasses.fields(kind)
    }


def manual() -> dict[str, str]:
    """The comment above each key of instance.example.toml, by "section.key"."""
    found: dict[str, str] = {}
    section, comment = "", ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            comment += line.removeprefix("#").strip() + "\n"
        elif line.startswith("["):
            section = line.strip("[]")
            comment = ""
        elif match := re.match(r"(\w+) = ", line):
            found[f"{section}.{match[1]}"] = comment
            comment = ""
        elif not line:
            comment = ""
    return found


def test_the_manual_has_every_key_and_no_other() -> None:
    assert manual().keys() == known_keys().keys()
    assert all(comment.strip() for comment in manual().values())


@pytest.mark.parametrize("key", sorted(known_keys()))
def test_the_manual_says_the_default_that_the_program_has(key: str) -> None:
    field, comment = known_keys()[key], manual()[key]
    if field.default is dataclasses.MISSING:
        assert re.search(r"^Required\b", comment, re.M), comment
        return
    said = re.search(r"^Default: (.*?)(?: \(.*\))?$", comment, re.M)
    assert said is not None, comment
    value = tomllib.loads(f"value = {said[1]}")["value"]
    assert (tuple(value) if isinstance(value, list) else value) == field.default


def test_the_manual_is_itself_a_usable_file_of_defaults() -> None:
    read = settings.parse(EXAMPLE.read_text(encoding="utf-8"))
    for key, field in known_keys().items():
        section, name = key.split(".")
        if field.default is not dataclasses.MISSING:
            assert getattr(getattr(read, section), name) == field.default, key


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (node_table(nane='"x"'), "`name`"),
        (node_table(commune='["FR-33318"]'), "`communes`"),
        (LEAST + "[federation]\nradius = 3\n", "`radius_km`"),
        (LEAST + "[federation]\nprivate_peer = []\n", "`private_peers`"),
        (LEAST + '[servers]\nlisten = "127.0.0.1:1"\n', "`server`"),
        (LEAST + "[testing]\nclock_offset = 3\n", "`clock_offset_s`"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one_named(text: str, near: str) -> None:
    detail = refusal(text)
    assert f"Did you mean {near}?" in detail
    assert detail.startswith("instance.toml: ")


def test_an_unknown_key_that_is_near_to_none_is_refused_with_all_of_them() -> None:
    detail = refusal(LEAST + "[testing]\nzzz = 1\n")
    assert "`testing.zzz`" in detail
    assert "clock_offset_s" in detail


@pytest.mark.parametrize("text", ["[node", 'name = "a\n', "node = 1\nnode = 2\n", "[a]\n[a]\n"])
def test_malformed_toml_is_refused_by_the_name_of_the_file(text: str) -> None:
    assert refusal(text).startswith("instance.toml is not valid TOML: ")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "the table [node]"),
        ("[server]\n", "the table [node]"),
        ('[node]\nname = "x"\ncommunes = ["FR-33318"]\n', "node.url"),
        ('[node]\nurl = "https://x.example"\ncommunes = ["FR-33318"]\n', "node.name"),
        ('[node]\nurl = "https://x.example"\nname = "x"\n', "node.communes"),
    ],
)
def test_what_is_required_and_missing_is_named(text: str, named: str) -> None:
    assert named in refusal(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("node = 3\n", "[node] must be a table"),
        (node_table(name="3"), "node.name must be a string in quotes, not 3"),
        (node_table(communes='"FR-33318"'), "node.communes must be a list of strings"),
        (node_table(communes="[33318]"), "node.communes must be a list of strings"),
        (LEAST + '[federation]\nradius_km = "15"\n', "federation.radius_km must be a whole number"),
        (LEAST + "[federation]\nradius_km = 1.5\n", "federation.radius_km must be a whole number"),
        (LEAST + "[federation]\nradius_km = true\n", "must be a whole number, not True"),
        (LEAST + "[testing]\nclock_offset_s = false\n", "must be a whole number, not False"),
    ],
)
def test_a_value_of_another_type_is_refused(text: str, named: str) -> None:
    assert named in refusal(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (node_table(name='""'), "node.name"),
        (node_table(name='"   "'), "node.name"),
        (node_table(name=f'"{"x" * 101}"'), "node.name"),
        (node_table(communes="[]"), "node.communes"),
        (node_table(communes='["33318"]'), "node.communes"),
        (node_table(communes='["FR-33318", "Pessac"]'), "'Pessac'"),
        (node_table(languages="[]"), "node.languages"),
        (node_table(languages='["fr", "de"]'), "node.languages must be one of fr, en, not 'de'"),
        (node_table(operator='"comune"'), "Did you mean 'commune'?"),
        (LEAST + '[federation]\nmode = "neighbors"\n', "Did you mean 'neighbours'?"),
        (LEAST + "[federation]\nradius_km = -1\n", "federation.radius_km"),
        (LEAST + "[federation]\nradius_km = 501\n", "federation.radius_km"),
        (LEAST + '[server]\nlisten = "8000"\n', "server.listen"),
        (LEAST + '[server]\nlisten = "127.0.0.1:0"\n', "server.listen"),
        (LEAST + '[server]\nlisten = "127.0.0.1:65536"\n', "server.listen"),
        (LEAST + '[federation]\nprivate_peers = ["10.0.0.5"]\n', "federation.private_peers"),
        (LEAST + '[federation]\nprivate_peers = ["http://a:1"]\n', "federation.private_peers"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_key(text: str, named: str) -> None:
    assert named in refusal(text)


@pytest.mark.parametrize("place", ["FR-2A004", "FR-97411", "FR-75111"])
def test_corsica_overseas_and_arrondissements_have_ids_too(place: str) -> None:
    read = settings.parse(node_table(communes=f'["{place}"]'))
    assert read.node.communes == (place,)


@pytest.mark.parametrize(
    "url",
    [
        "https://boutiques.pessac.example",
        "https://xn--mrignac-bya.example",
        "http://127.0.0.1:8001",
        "http://localhost:8000",
        "http://[::1]:8000",
    ],
)
def test_a_public_https_address_or_one_of_the_loopback_is_taken(url: str) -> None:
    assert settings.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "boutiques.pessac.example",
        "ftp://boutiques.pessac.example",
        "https://boutiques.pessac.example/",
        "https://boutiques.pessac.example/pessac",
        "https://boutiques.pessac.example?a=b",
        "https://boutiques.pessac.example#a",
        "https://Boutiques.pessac.example",
        "HTTPS://boutiques.pessac.example",
        "https://mérignac.example",
        "https://boutiques_pessac.example",
        "https://-boutiques.example",
        "https://boutiques..example",
        "https://claire@boutiques.pessac.example",
        "https://claire:secret@boutiques.pessac.example",
        "https://boutiques.pessac.example:8443",
        "https://boutiques.pessac.example:",
        "https://boutiques.pessac.example:99999",
        "https://[::1",
        "https://boutiques\n.pessac.example",
        " https://boutiques.pessac.example",
    ],
)
def test_an_address_that_others_could_not_dial_or_compare_is_refused(url: str) -> None:
    with pytest.raises(errors.Invalid):
        settings.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://boutiques.pessac.example",
        "http://10.0.0.5:8001",
        "http://127.boutiques.example",
        "http://localhost.example",
    ],
)
def test_http_is_refused_without_loopback_or_private_peers(url: str) -> None:
    with pytest.raises(errors.Invalid, match="http"):
        settings.check_url(url)
    assert settings.check_url(url, ("10.0.0.6:8001",)) == url


def test_private_peers_of_the_file_open_http_for_its_url() -> None:
    table = node_table(url='"http://10.0.0.5:8001"')
    assert "private_peers" in refusal(table)
    read = settings.parse(table + '[federation]\nprivate_peers = ["10.0.0.6:8001"]\n')
    assert read.node.url == "http://10.0.0.5:8001"


def test_a_folder_without_a_node_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(errors.Unusable) as caught:
        settings.load(tmp_path)
    assert caught.value.code == "no-node-here"
    assert "echoppe init" in caught.value.detail


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "instance.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(errors.Unusable) as caught:
        settings.load(tmp_path)
    assert caught.value.code == "settings-unreadable"


def test_a_folder_with_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "instance.toml").write_text(LEAST, encoding="utf-8")
    assert settings.load(tmp_path) == settings.parse(LEAST)


MAIL = """\
[mail]
host = "smtp.example.fr"
sender = "site@example.fr"
"""


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[mail]\nhost = "smtp.example.fr"\n', "mail.sender"),
        ('[mail]\nhost = "smtp example"\nsender = "site@example.fr"\n', "mail.host"),
        (f"{MAIL}port = 0\n", "mail.port"),
        (f'{MAIL}security = "ssl"\n', "mail.security"),
        (f'{MAIL}security = "none"\nuser = "site"\n', "mail.security"),
    ],
)
def test_mail_that_could_not_be_sent_or_not_safely_is_refused(text: str, key: str) -> None:
    assert key in refusal(f"{LEAST}{text}")


def test_mail_needs_a_host_and_a_sender() -> None:
    assert settings.parse(LEAST + MAIL).mail.port == 587
    assert settings.parse(LEAST).mail.host == ""


@pytest.mark.parametrize(
    ("relays", "says"),
    [
        ('["relay.example"]', "inboxes such as"),
        ('["https://relay.example"]', "inboxes such as"),
        ('["ftp://relay.example/inbox"]', "inboxes such as"),
        ('["https://a@relay.example/inbox"]', "inboxes such as"),
        ('["https://relay.example/in box"]', "inboxes such as"),
        (str([f"https://relay{n}.example/inbox" for n in range(11)]), "at most 10"),
    ],
)
def test_what_is_no_relay(relays: str, says: str) -> None:
    assert says in refusal(LEAST + f"[federation]\nrelays = {relays}\n")
    fine = settings.parse(LEAST + '[federation]\nrelays = ["https://relay.example/inbox"]\n')
    assert fine.federation.relays == ("https://relay.example/inbox",)
