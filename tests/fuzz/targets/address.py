"""The address guard: URLs before the look-up, addresses after it.

The way around that is looked for: a URL that another reader takes for another host, and an address
that is not one host of the public internet.
"""

import ipaddress
import socket
import urllib.parse

import httpx2

from federation import addresses
from federation.errors import Refused

OWN = "boutiques.example"
PEER = "127.0.0.1:8001"
POLICY = addresses.Policy(frozenset({PEER}), OWN)
BASE = "https://away.example/users/fleurs"

SEEDS = (
    b"uhttps://away.example/users/fleurs?x=1#main-key", b"uhttp://127.0.0.1:8001/inbox",
    b"uhttps://boutiques.example/", b"uhttps://user:secret@away.example/", b"uhttps://[::1]/",
    b"uhttps://2130706433/", b"uhttps://0x7f.1/", b"uhttps://\xe2\x91\xa0.example/",
    "uhttps://éclair.example:443/".encode(), b"uhttps://away.example.:443/",
    b"l//127.0.0.1/x", b"l/users/a", b"l?x=1", b"lhttp://127.0.0.1:8001/", b"l\\\\away.example",
    b"4\x7f\0\0\1", b"4\x0a\0\0\1", b"4\xa9\xfe\xa9\xfe", b"4\x5d\xb8\xd8\x22", b"4\xe0\0\0\1",
    b"6" + ipaddress.ip_address("::ffff:127.0.0.1").packed,
    b"6" + ipaddress.ip_address("2606:2800:220:1::1").packed,
    b"6" + ipaddress.ip_address("64:ff9b::7f00:1").packed,
    b"6" + ipaddress.ip_address("2002:7f00:1::").packed,
)  # fmt: skip
WORDS = (
    b"https://", b"http://", b"://", b"@", b":443", b":8001", b"[::1]", b"[::ffff:7f00:1]",
    b"127.0.0.1", b"0x7f", b"0177", b"2130706433", b"localhost", b".local", b".onion", b"%2e",
    b"%00", b"\\", b"\t", b"\n", b"\r\n", b"/../", b"#", b"?", b"xn--", b"\xe3\x80\x82",
    b"\xef\xbc\x8e", b"\xc2\xad", b"\xc3\x9f", b"\xe2\x80\x8d", b"\xf0\x9d\x9f\x8f", b"169.254",
)  # fmt: skip

# Written out from the IANA special-purpose registries, not from what the guard itself goes by.
_SPECIAL_4 = [ipaddress.IPv4Network(one) for one in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")]  # fmt: skip
_SPECIAL_6 = [ipaddress.IPv6Network(one) for one in (
    "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
    "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )]  # fmt: skip


def one(data: bytes) -> None:
    """By its first letter: a URL, a redirect's Location, an IPv4 or an IPv6 address."""
    kind, rest = data[:1], data[1:]
    if kind == b"4" and len(rest) >= 4:
        _address(ipaddress.IPv4Address(rest[:4]))
    elif kind == b"6" and len(rest) >= 16:
        _address(ipaddress.IPv6Address(rest[:16]))
    elif kind == b"l":
        try:
            joined = urllib.parse.urljoin(BASE, rest.decode("latin-1"))
        except ValueError:
            return
        _url(joined)
    else:
        _url(rest.decode("utf-8", "replace"))


def _address(address: addresses.Address) -> None:
    if not addresses.is_public(address):
        return
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            _address(address.ipv4_mapped)
            return
        assert not any(address in network for network in _SPECIAL_6), address
    else:
        assert not any(address in network for network in _SPECIAL_4), address
    assert address.is_global, address
    assert not (address.is_private or address.is_loopback or address.is_link_local), address
    assert not (address.is_multicast or address.is_reserved or address.is_unspecified), address


def _url(url: str) -> None:
    try:
        target = addresses.check_url(url, POLICY)
    except Refused:
        return
    assert target.url.isascii()
    again = addresses.check_url(target.url, POLICY)
    assert (again.url, again.path) == (target.url, target.path), url
    parts = urllib.parse.urlsplit(target.url)
    assert (parts.scheme, parts.hostname) == (target.scheme, target.host), url
    other = httpx2.URL(target.url)
    assert other.raw_host.decode() == target.host, url
    assert (other.port or {"https": 443, "http": 80}[other.scheme]) == target.port, url
    assert not parts.username
    assert not other.userinfo
    if f"{target.host}:{target.port}" == PEER:
        return
    assert (target.scheme, target.port) == ("https", 443)
    assert target.host != OWN
    assert "." in target.host
    assert not target.host.rpartition(".")[2].isdigit()
    try:
        socket.inet_aton(target.host)  # reads every old way to write an address
    except OSError:
        pass
    else:
        raise AssertionError(f"{url} is an address")
