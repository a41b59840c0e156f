"""Mail that the node sends: written down first, handed to the instance's SMTP server by a worker.

    mail.queue(db, "claire@example.fr", "Votre code", "Votre code est 123 456.", now)

A mail that was queued in a transaction is sent if, and only if, that transaction is kept. It is
tried again, less and less often, until it is handed over or of no use any more; then it is erased.
Neither address nor text of a mail is ever logged.
"""

import asyncio
import contextlib
import logging
import smtplib
import sqlite3
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from pathlib import Path
from uuid import uuid4

from node import accounts, errors
from node.clock import Clock
from node.settings import MailSettings
from node.store import mails
from node.store.doors import Database
from node.store.mails import Mail, Standing

SUBJECT_MOST = 200
TEXT_MOST = 20_000
WAITING_MOST = 10_000
KEPT = timedelta(days=3)
TRACES_KEPT = timedelta(days=30)
PATIENCE = 20.0  # seconds for each answer of the server
AT_ONCE = 20  # mails over one connection
# Waits after the first, second, ... try; the last one again and again.
AGAIN_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))

log = logging.getLogger("echoppe.mail")


def queue(
    db: sqlite3.Connection,
    to: str,
    subject: str,
    text: str,
    now: datetime,
    *,
    until: datetime | None = None,
) -> None:
    """Writes a mail down to be sent; with `until`, no longer than it is of use (three days else).

    Raises errors.Invalid for what cannot be a mail, and errors.TooMany when too many wait.
    """
    if not accounts.is_address(to):
        raise errors.Invalid("bad-email", "That is not a mail address.", fields={"email": "is not"})
    line = " ".join(subject.split())
    if not 1 <= len(line) <= SUBJECT_MOST or not line.isprintable() or len(text) > TEXT_MOST:
        raise errors.Invalid("bad-mail", "The mail is too long, or its subject is none.")
    if mails.count_waiting(db) >= WAITING_MOST:
        raise errors.TooMany("mail-full", "Too many mails wait to be sent.", retry_after=600)
    mails.add(db, uuid4().hex, to.strip().lower(), line, text, now, until or now + KEPT)


def standing(db: sqlite3.Connection) -> Standing:
    """How the mail stands, for who looks after the node."""
    return mails.standing(db)


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Gives up what came to no use, and drops the traces of what was given up long ago."""
    mails.give_up_late(db, now)
    mails.prune(db, now - TRACES_KEPT)


# --- handing over --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try: sent, to be tried again, or never to be tried again."""

    mail: Mail
    error: str | None = None
    final: bool = False


class Post:
    """Hands waiting mails to the SMTP server of the settings; without one it does nothing."""

    def __init__(
        self,
        configured: MailSettings,
        folder: Path,
        node_name: str,
        node_host: str,
        database: Database,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._configured = configured
        self._folder = folder
        self._name = node_name
        self._host = node_host
        self._database = database
        self._clock = clock
        self._tls = tls

    async def work(self) -> float | None:
        """Sends what is due; says in how many seconds something is due again."""
        if not self._configured.host:
            return None
        while due := await self._database.read(mails.find_due, self._clock(), AT_ONCE):
            outcomes = await asyncio.to_thread(self._hand_over, due)
            await self._database.write(_settle, outcomes, self._clock())
            for one in outcomes:
                if one.error is not None:
                    log.warning(
                        "a mail was given up" if one.final else "a mail waits",
                        extra={"code": one.error, "attempts": one.mail.attempts + 1},
                    )
        later = await self._database.read(mails.next_due)
        return None if later is None else max(0.5, (later - self._clock()).total_seconds())

    def _hand_over(self, due: list[Mail]) -> list[Outcome]:
        """Over one connection. What the server could not hear of waits, all of it."""
        outcomes: list[Outcome] = []
        try:
            with contextlib.closing(self._connect()) as server:
                for mail in due:
                    outcomes.append(self._send(server, mail))
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    server.quit()
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            why = reason(error)
            outcomes += [Outcome(mail, why) for mail in due[len(outcomes) :]]
        return outcomes

    def _connect(self) -> smtplib.SMTP:
        to = self._configured
        context = self._tls or ssl.create_default_context()
        server: smtplib.SMTP
        if to.security == "tls":
            server = smtplib.SMTP_SSL(
                to.host, to.port, self._host, timeout=PATIENCE, context=context
            )
        else:
            server = smtplib.SMTP(to.host, to.port, self._host, timeout=PATIENCE)
        try:
            if to.security == "starttls":
                server.starttls(context=context)
            if to.user:
                server.login(to.user, _password(self._folder, to))
        except BaseException:
            server.close()
            raise
        return server

    def _send(self, server: smtplib.SMTP, mail: Mail) -> Outcome:
        """Raises what says that the connection, and not this one mail, is at fault."""
        try:
            server.send_message(self._message(mail), self._configured.sender, [mail.recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            server.rset()
            return Outcome(mail, f"recipient-{code}", final=500 <= code < 600)
        except smtplib.SMTPDataError as error:
            server.rset()
            return Outcome(mail, f"content-{error.smtp_code}", final=500 <= error.smtp_code < 600)
        except (MessageError, smtplib.SMTPNotSupportedError):
            return Outcome(mail, "unsendable", final=True)
        return Outcome(mail)

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=policy.SMTP)
        message["From"] = formataddr((self._name, self._configured.sender))
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.added)
        message["Message-ID"] = f"<{mail.message_id}@{self._host}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def _password(folder: Path, configured: MailSettings) -> str:
    """The first line of the password's file, which stands beside instance.toml if not elsewhere."""
    text = (folder / configured.password_file).read_text(encoding="utf-8")
    return text.splitlines()[0] if text else ""


def reason(error: Exception) -> str:
    """A short name for why the server could not be spoken with, without a word of what it said."""
    kinds: Iterable[tuple[type[Exception], Callable[[], str]]] = (
        (smtplib.SMTPAuthenticationError, lambda: "sign-in-refused"),
        (smtplib.SMTPSenderRefused, lambda: "sender-refused"),
        (smtplib.SMTPNotSupportedError, lambda: "not-supported"),
        (ssl.SSLCertVerificationError, lambda: "certificate"),
        (ssl.SSLError, lambda: "tls"),
        (FileNotFoundError, lambda: "no-password-file"),
        (PermissionError, lambda: "no-password-file"),
        (TimeoutError, lambda: "silent"),
        (smtplib.SMTPServerDisconnected, lambda: "hung-up"),
        (smtplib.SMTPResponseException, lambda: f"answered-{getattr(error, 'smtp_code', 0)}"),
        (UnicodeError, lambda: "unreadable"),
    )
    return next((name() for kind, name in kinds if isinstance(error, kind)), "unreachable")


def _settle(db: sqlite3.Connection, outcomes: list[Outcome], now: datetime) -> None:
    for one in outcomes:
        if one.error is None:
            mails.mark_sent(db, one.mail.id, now)
            continue
        due = now + AGAIN_AFTER[min(one.mail.attempts, len(AGAIN_AFTER) - 1)]
        if one.final or due >= one.mail.until:
            mails.give_up(db, one.mail.id, one.error, now)
        else:
            mails.postpone(db, one.mail.id, one.error, due)
