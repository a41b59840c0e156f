"""Changing a line of instance.toml: comments stay, and what is not plain is left to a person."""

from pathlib import Path

import pytest

from node import errors, sealed_files, settings, settings_file

TEXT = """\
# What the town hall wrote.
[node]
url = "https://a.example"  # never changes
name = "Boutiques d'ici"   # with a # inside: "no"
communes = ["FR-33318"]  # Pessac
contact = "#1 \\"rue\\""

[server]
listen = "127.0.0.1:8000"
"""


def test_only_the_one_line_changes() -> None:
    made = settings_file.changed(TEXT, "node.name", 'Les "nôtres" # et ceux d’à côté')
    before, after = TEXT.split("\n"), made.split("\n")
    assert [one for one in range(len(before)) if before[one] != after[one]] == [3]
    assert after[3].endswith('   # with a # inside: "no"')
    assert settings.parse(made).node.name == 'Les "nôtres" # et ceux d’à côté'
    assert settings.parse(made).node.contact == '#1 "rue"'


def test_a_key_or_a_table_that_is_not_there_is_added() -> None:
    made = settings_file.changed(TEXT, "node.operator", "association")
    made = settings_file.changed(made, "mail.host", "smtp.example.fr")
    made = settings_file.changed(made, "mail.sender", "a@example.fr")
    found = settings.parse(made)
    assert (found.node.operator, found.mail.host) == ("association", "smtp.example.fr")
    assert found.server.listen == "127.0.0.1:8000"
    two = settings_file.changed(TEXT, "node.communes", ["FR-33318", "FR-33063"])
    assert settings.parse(two).node.communes == ("FR-33318", "FR-33063")
    assert "Pessac" not in two  # a comment that would be wrong now


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace('["FR-33318"]', '[\n  "FR-33318",\n]'),
        TEXT.replace('communes = ["FR-33318"]', '"communes" = ["FR-33318"]'),
        'node = {url = "https://a.example", name = "x", communes = ["FR-33318"]}\n',
        'node.communes = ["FR-33318"]\nnode.url = "https://a.example"\nnode.name = "x"\n',
    ],
)
def test_what_is_not_one_plain_line_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / settings.FILE_NAME).write_text(text)
    with pytest.raises(errors.Conflict):
        settings_file.change(tmp_path, {"node.communes": ["FR-33318", "FR-33063"]})
    assert (tmp_path / settings.FILE_NAME).read_text() == text


def test_a_value_that_cannot_be_used_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / settings.FILE_NAME
    path.write_text(TEXT)
    path.chmod(0o640)
    with pytest.raises(errors.Invalid):
        settings_file.change(tmp_path, {"node.contact": "x", "node.operator": "king"})
    assert path.read_text() == TEXT
    settings_file.change(tmp_path, {"node.contact": "05 36 49 01 30"})
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == [settings.FILE_NAME]


def test_a_power_cut_does_not_bring_the_old_settings_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "instance.toml"
    path.write_text(TEXT)
    synced: list[tuple[object, bool]] = []
    monkeypatch.setattr(
        sealed_files,
        "sync_folder",
        lambda folder: synced.append((folder, "mairie@" in path.read_text())),
    )
    settings_file.change(tmp_path, {"node.contact": "mairie@example.fr"})
    assert synced == [(tmp_path, True)]  # its name is on the disk before anybody is told
