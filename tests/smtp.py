"""A small SMTP server on the loopback, which keeps what it was handed and can be told to refuse.

with smtp.serving() as server:
    ...
    assert server.mails[0]["To"] == "claire@example.fr"
"""

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass
class Server:
    """What it was handed, and how it behaves."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    connections: int = 0
    refuse_recipient: int = 0  # the answer to RCPT, where not 250
    refuse_content: int = 0  # the answer to a mail
    hang_up: bool = False
    user: str = ""
    password: str = ""
    starttls: ssl.SSLContext | None = None
    secured: int = 0

    def carry_mail_of(self, folder: Path) -> None:
        """Writes into a node's settings that its mail goes through here."""
        with (folder / "instance.toml").open("a") as settings:
            settings.write(
                f'\n[mail]\nhost = "127.0.0.1"\nport = {self.port}\nsecurity = "none"\n'
                'sender = "site@example.fr"\n'
            )

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        if self.hang_up:
            writer.close()
            return

        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 loopback")
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            if verb == "EHLO":
                say("250-loopback")
                if self.starttls:
                    say("250-STARTTLS")
                if self.user:
                    say("250-AUTH PLAIN")
                say("250 SIZE 100000")
            elif verb == "STARTTLS":
                say("220 go on")
                await writer.start_tls(self.starttls)  # type: ignore[arg-type]
                self.secured += 1
            elif verb == "AUTH":
                given = base64.b64decode(rest.split()[1]).decode().split("\0")[1:]
                fits = given == [self.user, self.password]
                self.signed_in += [given[0]] if fits else []
                say("235 welcome" if fits else "535 no")
            elif verb == "RCPT":
                if self.refuse_recipient:
                    say(f"{self.refuse_recipient} not this one")
                else:
                    self.recipients.append(rest.partition(":")[2].strip("<>"))
                    say("250 yes")
            elif verb == "DATA":
                say("354 tell")
                body = await reader.readuntil(b"\r\n.\r\n")
                if self.refuse_content:
                    say(f"{self.refuse_content} not that")
                else:
                    parsed = message_from_bytes(body[:-5] + b"\r\n", policy=policy.default)
                    assert isinstance(parsed, EmailMessage)
                    self.mails.append(parsed)
                    say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("250 yes")
            await writer.drain()
        writer.close()


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None, **behaviour: object) -> Iterator[Server]:
    """A server in a thread of its own; with `tls`, over TLS from the first byte on."""
    told = Server(**behaviour)  # type: ignore[arg-type]
    ready = threading.Event()
    ways: list[Callable[[], object]] = []

    async def run() -> None:
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        ways.append(lambda: loop.call_soon_threadsafe(end.set))
        listening = await asyncio.start_server(told.talk, "127.0.0.1", 0, ssl=tls)
        told.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await end.wait()
        listening.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait()
    try:
        yield told
    finally:
        ways[0]()
        thread.join()
