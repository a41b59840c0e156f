"""The settings of a node: `instance.toml`, read once into frozen data and passed down.

`instance.example.toml` is the manual. Unknown keys are refused with the nearest known one named,
because a setting that is silently ignored is worse than none.
"""

import dataclasses
import difflib
import ipaddress
import re
import tomllib
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from node import errors

FILE_NAME = "instance.toml"
LEGAL_MOST = 300  # characters
RELAYS_MOST = 10

_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """[node]: who this node is."""

    url: str
    name: str
    communes: tuple[str, ...]
    operator: str = "commune"
    languages: tuple[str, ...] = ("fr", "en")
    contact: str = ""
    colour: str = "#0f4c40"
    opening: str = "request"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """[server]: where it listens."""

    listen: str = "127.0.0.1:8000"
    trusted_proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FederationSettings:
    """[federation]: whom it talks with."""

    mode: str = "neighbours"
    radius_km: int = 15
    private_peers: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    relays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """[storage]: what it may hold."""

    remote_photos_mb: int = 500


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """[backup]: the nightly copy. Without a key, none is made."""

    key: str = ""
    folder: str = "backups"
    keep: int = 14


@dataclass(frozen=True, slots=True)
class MailSettings:
    """[mail]: the SMTP server that takes the node's mail. Without a host, none is sent."""

    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password_file: str = "mail.password"  # noqa: S105 (the name of a file)
    sender: str = ""


@dataclass(frozen=True, slots=True)
class LegalSettings:
    """[legal]: what the law asks a site to say of whoever runs it. What is not set is said so."""

    publisher: str = ""
    address: str = ""
    phone: str = ""
    host: str = ""
    data_protection: str = ""
    contact_point: str = ""
    security: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class TestingSettings:
    """[testing]: never in production; named loudly at start."""

    clock_offset_s: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """All of instance.toml."""

    node: NodeSettings
    server: ServerSettings = field(default_factory=ServerSettings)
    federation: FederationSettings = field(default_factory=FederationSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    legal: LegalSettings = field(default_factory=LegalSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    testing: TestingSettings = field(default_factory=TestingSettings)


CHOICES = {
    "node.operator": ("commune", "association", "intercommunality"),
    "node.languages": ("fr", "en"),
    "node.opening": ("request", "invitation"),
    "federation.mode": ("neighbours", "open", "allowlist"),
    "mail.security": ("starttls", "tls", "none"),
}


def load(folder: Path) -> Settings:
    """Reads the settings of the node in `folder`.

    Raises errors.Unusable when there is none and errors.Invalid, with a sentence that names the
    key, when it cannot be used.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise errors.Unusable(
            "no-node-here",
            f"{folder} holds no node: there is no {FILE_NAME} in it. "
            "Name the node's folder with -C, or make one with `echoppe init`.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Unusable("settings-unreadable", f"{path} cannot be read: {error}") from None
    return parse(text, path.name)


def parse(text: str, source: str = FILE_NAME) -> Settings:
    """Reads settings from TOML text; `source` names it in messages. Raises errors.Invalid."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise errors.Invalid("settings-malformed", f"{source} is not valid TOML: {error}") from None
    settings: Settings = _section(Settings, tables, source, "")
    _check(settings, source)
    return settings


def _section(kind: Any, values: dict[str, Any], source: str, prefix: str) -> Any:
    fields = {f.name: f for f in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    for key in values:
        if key not in fields:
            raise errors.Invalid("unknown-setting", _unknown(key, fields, source, prefix))
    arguments: dict[str, Any] = {}
    for name, entry in fields.items():
        required = (
            entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        )
        if name not in values:
            if required:
                what = f"the table [{name}]" if not prefix else f"{prefix}{name}"
                raise errors.Invalid("missing-setting", f"{source} lacks {what}.")
            continue
        arguments[name] = _value(hints[name], values[name], source, f"{prefix}{name}")
    return kind(**arguments)


def _unknown(key: str, fields: dict[str, Any], source: str, prefix: str) -> str:
    known = list(fields)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    where = f"[{prefix.rstrip('.')}]" if prefix else "the top level"
    hint = f" Did you mean `{near[0]}`?" if near else f" Known there: {', '.join(known)}."
    return f"{source}: `{prefix}{key}` is not a setting of {where}.{hint}"


def _value(hint: Any, value: Any, source: str, name: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise errors.Invalid("bad-setting", f"{source}: [{name}] must be a table.")
        return _section(hint, value, source, f"{name}.")
    if isinstance(hint, types.GenericAlias):  # tuple[str, ...]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise errors.Invalid("bad-setting", f"{source}: {name} must be a list of strings.")
        return tuple(value)
    if not isinstance(value, hint) or isinstance(value, bool) is not (hint is bool):
        wanted = {str: "a string in quotes", int: "a whole number"}[hint]
        raise errors.Invalid("bad-setting", f"{source}: {name} must be {wanted}, not {value!r}.")
    return value


def _check(settings: Settings, source: str) -> None:
    for name, choices in CHOICES.items():
        section, key = name.split(".")
        value = getattr(getattr(settings, section), key)
        for item in value if isinstance(value, tuple) else (value,):
            if item not in choices:
                near = difflib.get_close_matches(item, choices, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise errors.Invalid(
                    "bad-setting",
                    f"{source}: {name} must be one of {', '.join(choices)}, not {item!r}.{hint}",
                )

    def fail(name: str, why: str) -> typing.NoReturn:
        raise errors.Invalid("bad-setting", f"{source}: {name} {why}")

    if not settings.node.name.strip() or len(settings.node.name) > 100:
        fail("node.name", "must be 1 to 100 characters.")
    if not settings.node.communes:
        fail("node.communes", "must name at least one commune.")
    for place in settings.node.communes:
        if not re.fullmatch(r"FR-[0-9][0-9AB][0-9]{3}", place):
            fail("node.communes", f"holds place ids such as FR-33063, not {place!r}.")
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", settings.node.colour):
        fail("node.colour", f"must be a colour such as #0f4c40, not {settings.node.colour!r}.")
    for proxy in settings.server.trusted_proxies:
        try:
            ipaddress.ip_address(proxy)
        except ValueError:
            fail("server.trusted_proxies", f"holds addresses such as 127.0.0.1, not {proxy!r}.")
    if not settings.node.languages:
        fail("node.languages", "must name at least one language.")
    try:
        check_authority(settings.server.listen)
    except errors.Invalid as error:
        fail("server.listen", error.detail)
    if not 0 <= settings.federation.radius_km <= 500:
        fail("federation.radius_km", "must be 0 to 500 kilometres.")
    if not 0 <= settings.storage.remote_photos_mb <= 1_000_000:
        fail("storage.remote_photos_mb", "must be 0 to 1000000 megabytes.")
    _check_mail(settings.mail, fail)
    _check_legal(settings.legal, fail)
    if not re.fullmatch(r"(?:echoppe-backup-1-[A-Za-z0-9_-]{48})?", settings.backup.key):
        fail("backup.key", "must be a public key as `echoppe backup --new-key` makes it.")
    if not settings.backup.folder.strip():
        fail("backup.folder", "must name a folder.")
    if not 1 <= settings.backup.keep <= 1000:
        fail("backup.keep", "must be 1 to 1000 backups.")
    for domain in settings.federation.allow:
        if not _HOST.fullmatch(domain):
            fail("federation.allow", f"holds hosts such as mastodon.example, not {domain!r}.")
    for relay in settings.federation.relays:
        if not re.fullmatch(r"https?://[^\s/?#@]{1,253}/[^\s?#]{0,200}", relay):
            fail(
                "federation.relays",
                f"holds inboxes such as https://relay.example/inbox, not {relay!r}.",
            )
    if len(settings.federation.relays) > RELAYS_MOST:
        fail("federation.relays", f"holds at most {RELAYS_MOST}.")
    for peer in settings.federation.private_peers:
        try:
            check_authority(peer)
        except errors.Invalid as error:
            fail("federation.private_peers", error.detail)
    try:
        check_url(settings.node.url, settings.federation.private_peers)
    except errors.Invalid as error:
        fail("node.url", error.detail)


def _check_mail(mail: MailSettings, fail: Callable[[str, str], None]) -> None:
    if not mail.host:
        return
    if not (_HOST.fullmatch(mail.host) or re.fullmatch(r"[0-9a-f:]+", mail.host)):
        fail("mail.host", f"must be a host such as smtp.example.fr, not {mail.host!r}.")
    if not 1 <= mail.port <= 65535:
        fail("mail.port", "must be 1 to 65535.")
    if not re.fullmatch(r"[A-Za-z0-9._+-]{1,64}@[a-z0-9.-]{1,253}", mail.sender):
        fail("mail.sender", f"must be the address that mails come from, not {mail.sender!r}.")
    if mail.user and mail.security == "none" and not _is_loopback(mail.host):
        fail("mail.security", "must not be none: the password would go over the network as it is.")


def _check_legal(legal: LegalSettings, fail: Callable[[str, str], None]) -> None:
    for entry in dataclasses.fields(legal):
        value = getattr(legal, entry.name)
        if len(value) > LEGAL_MOST or not value.replace(" ", "a").isprintable():
            fail(f"legal.{entry.name}", f"must be one line of at most {LEGAL_MOST} characters.")
    if legal.source and not re.fullmatch(r"https?://[^\s<>\"]{1,290}", legal.source):
        fail(
            "legal.source", f"must be an address such as https://git.example, not {legal.source!r}."
        )
    if legal.security and not re.fullmatch(
        r"(https://|tel:\+?[0-9]|mailto:[^\s@]+@)[^\s<>\"]{1,280}", legal.security
    ):
        fail(
            "legal.security",
            f"begins with mailto:, tel: or https://, and is not {legal.security!r}.",
        )


def check_authority(text: str) -> str:
    """`text` when it is "host:port" in lower case; raises errors.Invalid otherwise."""
    match = _AUTHORITY.fullmatch(text)
    if match is None or not 1 <= int(match["port"]) <= 65535:
        raise errors.Invalid(
            "bad-authority", f"must be host:port, such as 127.0.0.1:8001, not {text!r}."
        )
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_url(url: str, private_peers: tuple[str, ...] = ()) -> str:
    """`url` when it can be a node's origin: scheme and host, and nothing behind.

    http is for private networks only: such a node names at least one private peer or listens on
    the loopback. Raises errors.Invalid.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise errors.Invalid("bad-url", f"is not an address: {url!r}.") from None
    host = parts.hostname or ""
    whole = url == f"{parts.scheme}://{parts.netloc}" and not parts.netloc.endswith(":")
    if not whole or parts.username is not None or not host:
        raise errors.Invalid(
            "bad-url",
            f"must be like https://boutiques.example.fr with nothing behind, not {url!r}.",
        )
    if url != url.lower() or not (_HOST.fullmatch(host) or ":" in host):
        raise errors.Invalid("bad-url", f"must be a lower-case ASCII host name, not {url!r}.")
    if parts.scheme == "https":
        if port is not None and not private_peers:
            raise errors.Invalid(
                "bad-url", f"must not name a port: others dial 443 only ({url!r})."
            )
    elif parts.scheme == "http":
        if not private_peers and not _is_loopback(host):
            raise errors.Invalid(
                "bad-url",
                f"must begin with https:// ({url!r}); http is for a private network, "
                "whose nodes are listed in private_peers.",
            )
    else:
        raise errors.Invalid("bad-url", f"must begin with https://, not {url!r}.")
    return url
