"""Mail that waits for the SMTP server: handed over once, tried again, given up, never told of."""

import asyncio
import dataclasses
import datetime
import ipaddress
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node import errors, mail
from node.settings import MailSettings
from node.store import database, doors, mails
from tests import ground, smtp
from tests.ground import NOW

CLAIRE = "claire@example.fr"


def settings(server: smtp.Server, **more: Any) -> MailSettings:
    return MailSettings(
        **{
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "sender": "site@example.fr",
            **more,
        }
    )


def write(folder: Path, *to: str, **more: Any) -> None:
    with database.transaction(folder) as db:
        for one in to or (CLAIRE,):
            mail.queue(db, one, "Votre code d’accès", "Votre code : 123 456.\n", NOW, **more)


def standing(folder: Path) -> mails.Standing:
    with database.reading(folder) as db:
        return mail.standing(db)


def work(
    folder: Path,
    configured: MailSettings,
    after: timedelta = timedelta(0),
    tls: ssl.SSLContext | None = None,
) -> float | None:
    """One look of the worker, so long after the mails were written."""

    async def run() -> float | None:
        async with doors.Database(folder) as opened:
            post = mail.Post(
                configured,
                folder,
                "Boutiques de Pessac",
                "pessac.example",
                opened,
                lambda: NOW + after,
                tls,
            )
            return await post.work()

    return asyncio.run(run())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return ground.make(tmp_path / "node")


def test_a_mail_is_handed_over_once_and_forgotten(folder: Path) -> None:
    write(folder, CLAIRE, "yann@example.fr")
    with smtp.serving() as server:
        assert work(folder, settings(server)) is None
        assert work(folder, settings(server)) is None
    assert server.recipients == [CLAIRE, "yann@example.fr"]
    assert server.connections == 1
    got = server.mails[0]
    assert (got["To"], got["From"], got["Subject"]) == (
        CLAIRE,
        "Boutiques de Pessac <site@example.fr>",
        "Votre code d’accès",
    )
    assert got["Message-ID"].endswith("@pessac.example>")
    assert got["Auto-Submitted"] == "auto-generated"
    assert got.get_content().strip() == "Votre code : 123 456."
    assert standing(folder) == mails.Standing(0, None, 0, None, NOW)


def test_what_was_rolled_back_is_never_sent(folder: Path) -> None:
    def fail() -> None:
        with database.transaction(folder) as db:
            mail.queue(db, CLAIRE, "Bonjour", "Rien", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with smtp.serving() as server:
        work(folder, settings(server))
    assert server.connections == 0


def test_without_a_server_in_the_settings_it_waits(folder: Path) -> None:
    write(folder)
    assert work(folder, MailSettings()) is None
    assert standing(folder).waiting == 1


def test_a_server_that_hangs_up_is_tried_again_less_and_less_often(folder: Path) -> None:
    write(folder, CLAIRE, "yann@example.fr")
    with smtp.serving(hang_up=True) as server:
        assert work(folder, settings(server)) == pytest.approx(60, abs=1)
        assert server.connections == 1  # one for both
        work(folder, settings(server), timedelta(seconds=59))
        assert server.connections == 1
        assert work(folder, settings(server), timedelta(seconds=61)) == pytest.approx(300, abs=1)
        stood = standing(folder)
        assert (stood.waiting, stood.error, stood.oldest) == (2, "hung-up", NOW)
        server.hang_up = False
        work(folder, settings(server), timedelta(minutes=10))
    assert server.recipients == [CLAIRE, "yann@example.fr"]
    assert standing(folder).error is None


def test_nobody_there(folder: Path) -> None:
    write(folder)
    with smtp.serving() as server:
        configured = settings(server)
    work(folder, configured)
    assert standing(folder).error == "unreachable"


def test_after_three_days_it_is_given_up_and_erased(folder: Path) -> None:
    write(folder)
    with smtp.serving(hang_up=True) as server:
        work(folder, settings(server), timedelta(days=3))
    assert (standing(folder).waiting, standing(folder).given_up) == (0, 1)
    assert b"claire" not in (folder / database.FILE_NAME).read_bytes()
    with database.transaction(folder) as db:
        mail.prune(db, NOW + timedelta(days=40))
    assert standing(folder).given_up == 0


def test_a_code_that_has_run_out_is_not_sent_late(folder: Path) -> None:
    write(folder, until=NOW + timedelta(minutes=15))
    with smtp.serving(hang_up=True) as server:
        work(folder, settings(server))
        work(folder, settings(server), timedelta(minutes=14))
    assert (standing(folder).waiting, standing(folder).given_up) == (0, 1)


@pytest.mark.parametrize(
    ("behaviour", "error", "final"),
    [
        ({"refuse_recipient": 550}, "recipient-550", True),
        ({"refuse_recipient": 450}, "recipient-450", False),
        ({"refuse_content": 554}, "content-554", True),
        ({"refuse_content": 451}, "content-451", False),
    ],
)
def test_what_a_server_refuses(
    folder: Path, behaviour: dict[str, Any], error: str, final: bool
) -> None:
    write(folder)
    with smtp.serving(**behaviour) as server:
        work(folder, settings(server))
        stood = standing(folder)
        assert (stood.error, stood.given_up, stood.waiting) == (error, int(final), int(not final))


def test_one_refused_address_does_not_stop_the_others(folder: Path) -> None:
    write(folder, CLAIRE, "yann@example.fr")
    with smtp.serving(refuse_content=554) as server:
        work(folder, settings(server))
    assert standing(folder).given_up == 2
    assert server.connections == 1


# --- safe connections ----------------------------------------------------------------------------


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's, the latter trusting nobody but the former."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "loopback.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


def test_starttls_and_an_account(folder: Path) -> None:
    ours, theirs = contexts(folder)
    (folder / "mail.password").write_text("tres secret\n")
    write(folder)
    with smtp.serving(starttls=ours, user="site", password="tres secret") as server:
        work(folder, settings(server, security="starttls", user="site"), tls=theirs)
        assert (server.secured, server.signed_in, server.recipients) == (1, ["site"], [CLAIRE])
        write(folder)
        (folder / "mail.password").write_text("wrong\n")
        work(folder, settings(server, security="starttls", user="site"), tls=theirs)
        assert standing(folder).error == "sign-in-refused"
        (folder / "mail.password").unlink()
        work(
            folder,
            settings(server, security="starttls", user="site"),
            timedelta(minutes=2),
            tls=theirs,
        )
        assert standing(folder).error == "no-password-file"


def test_tls_from_the_first_byte(folder: Path) -> None:
    ours, theirs = contexts(folder)
    write(folder)
    with smtp.serving(tls=ours) as server:
        work(folder, settings(server, security="tls"), tls=theirs)
        assert server.recipients == [CLAIRE]


def test_nothing_is_said_to_a_server_that_cannot_prove_who_it_is(folder: Path) -> None:
    ours, _ = contexts(folder)
    write(folder)
    with smtp.serving(starttls=ours, user="site", password="x") as server:
        (folder / "mail.password").write_text("x")
        work(folder, settings(server, security="starttls", user="site"))
        assert (server.signed_in, server.recipients) == ([], [])
    assert standing(folder).error == "certificate"


def test_without_starttls_nothing_is_said_in_the_open(folder: Path) -> None:
    write(folder)
    with smtp.serving() as server:
        work(folder, settings(server, security="starttls"))
        assert server.recipients == []
    assert standing(folder).error == "not-supported"


# --- what cannot be a mail, and what is never told -----------------------------------------------


@pytest.mark.parametrize(
    ("to", "subject", "text"),
    [
        ("claire@example.fr\r\nBcc: all@example.fr", "Bonjour", "x"),
        ('"a b"@example.fr', "Bonjour", "x"),
        (CLAIRE, "", "x"),
        (CLAIRE, "x" * 201, "x"),
        (CLAIRE, "Bonjour", "x" * 20_001),
    ],
)
def test_what_cannot_be_a_mail_is_refused(folder: Path, to: str, subject: str, text: str) -> None:
    with pytest.raises(errors.Invalid), database.transaction(folder) as db:
        mail.queue(db, to, subject, text, NOW)


def test_a_subject_of_two_lines_makes_no_header(folder: Path) -> None:
    with database.transaction(folder) as db:
        mail.queue(db, CLAIRE, "Bonjour\r\nBcc: all@example.fr", "x", NOW)
    with smtp.serving() as server:
        work(folder, settings(server))
    assert server.mails[0]["Bcc"] is None
    assert server.recipients == [CLAIRE]


def test_too_many_waiting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "WAITING_MOST", 1)
    write(folder)
    with pytest.raises(errors.TooMany):
        write(folder)


def test_no_word_of_a_mail_is_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder)
    with smtp.serving(refuse_recipient=550) as server:
        work(folder, settings(server))
    told = " ".join(str(vars(record)) for record in caplog.records)
    assert "recipient-550" in told
    assert not any(word in told for word in ("claire", "code d", "123 456"))


def test_a_clock_that_was_ahead_holds_nothing_back(folder: Path) -> None:
    write(folder)
    with smtp.serving(hang_up=True) as server:
        work(folder, settings(server))
        server.hang_up = False
        with database.transaction(folder) as db:
            mails.begin_again(db, NOW)
        work(folder, settings(server))
    assert server.recipients == [CLAIRE]
    assert dataclasses.replace(standing(folder), last_sent=None).waiting == 0
