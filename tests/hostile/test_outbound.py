"""What the node can be made to connect to, and what the answers can do to it (design: safety, 1D
and 1E). A name that answers differently the second time needs a name server: that case stands in
tests/federation/test_addresses.py."""

import contextlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena
from tests.hostile.stub import Actor, Handler, Script

PRIVATE = {
    "01": ("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    "02": ("0.0.0.0", "255.255.255.255", "100.64.0.1", "192.0.0.8", "198.18.0.1", "240.0.0.1",
           "224.0.0.1"),
    "04": ("[::1]", "[::]", "[::ffff:127.0.0.1]", "[fe80::1]", "[fe80::1%25lo]", "[::1%25lo]",
           "[fc00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]"),
    "05": ("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "①②⑦.⓪.⓪.①", "127.0.0.1.",
           "0x7f.1", "017700000001", "127。0。0。1"),
    "20": ("localhost", "LOCALHOST", "localhost.", "x.localhost", "x.local", "x.internal",
           "x.onion", "x.home.arpa", "intranet", "x.test", "x..example", "-x.example"),
}  # fmt: skip


def hostile_urls(arena: Arena, host: str) -> list[str]:
    """A host with the canary's port, and with the ports that a public host may be dialled at."""
    port = arena.canary.port
    return [
        f"http://{host}:{port}/a",
        f"https://{host}:{port}/a",
        f"https://{host}/a",
        f"http://{host}/a",
    ]


@pytest.mark.parametrize("case", PRIVATE)
def test_ssrf_01_to_05_and_20_an_actor_at_a_private_address(arena: Arena, case: str) -> None:
    shop, _ = arena.shop()
    with arena.unmoved():
        begun = time.monotonic()
        for host in PRIVATE[case]:
            for url in hostile_urls(arena, host):
                told = {
                    **shop.activity("Create", shop.note("poison")),
                    "actor": url,
                    "id": f"{url}/1",
                }
                body = stub.encode(told)
                headers = stub.cavage(shop.key, "KEY", arena.inbox, body)
                value = dict(headers)["signature"].replace("KEY", f"{url}#main-key")
                headers = stub.replaced(headers, "signature", value.encode().decode("latin-1"))
                assert 400 <= arena.send(headers, body).status < 500, url
        assert time.monotonic() - begun < neighbours.PATIENCE


@pytest.mark.parametrize("case", PRIVATE)
def test_ssrf_06_a_redirect_to_a_private_address(arena: Arena, case: str) -> None:
    """From a host that may be asked, to one that may not; the Location is ASCII or latin-1."""
    targets = [
        url for host in PRIVATE[case] if host.isascii() for url in hostile_urls(arena, host)[::2]
    ]
    with arena.unmoved(fetches=len(targets)):
        for number, target in enumerate(targets):
            ghost = Actor(arena.peer, f"saut{case}x{number}", "Organization", arena.peer.key)
            arena.peer.redirect(ghost.path, target)
            told = ghost.activity("Create", ghost.note("poison"))
            assert arena.post(ghost, told).status in (400, 401, 403), target


def test_ssrf_06_a_redirect_from_one_private_peer_to_another(arena: Arena) -> None:
    ghost = Actor(arena.peer, "saut", "Organization", arena.peer.key)
    arena.peer.redirect(ghost.path, f"{arena.stranger.url}/secret")
    with arena.unmoved(fetches=1):
        assert arena.post(ghost, ghost.activity("Create", ghost.note("poison"))).status in (
            400,
            401,
        )
    assert not [asked for asked in arena.stranger.asked if asked.path == "/secret"]


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "data:application/activity+json,{}", "gopher://x.example/1",
     "ftp://x.example/", "unix:/run/x.sock", "javascript:1", "//user:secret@x.example/",
     "https://x.example:22/", "https://x.example:25/", "https://x.example:6379/", "http://x.example/",
     "\\\\x.example\\a", "https://", "http://[", "%", " "],
)  # fmt: skip
def test_ssrf_10_11_12_where_a_redirect_may_not_lead(arena: Arena, location: str) -> None:
    ghost = Actor(arena.peer, f"lien{abs(hash(location))}", "Organization", arena.peer.key)
    arena.peer.redirect(ghost.path, location)
    answer = arena.post(ghost, ghost.activity("Create", ghost.note("poison")))
    assert answer.status in (400, 401, 403)
    assert answer.code not in ("key-unreachable",), "it was dialled"


def test_ssrf_12_no_credentials_and_no_cookies_are_carried_on(arena: Arena) -> None:
    """A redirect on the same host, which sets a cookie on the way."""
    shop = arena.peer.actor()
    moved = Actor(arena.peer, f"{shop.handle}-ancien", "Organization", arena.peer.key)
    arena.peer.answers[moved.path] = stub.Answer(
        b"", 302, {"Location": shop.uri, "Set-Cookie": "trace=1; Path=/"}
    )
    body = stub.encode(shop.activity("Create", shop.note("lampe sans témoin")))
    assert arena.post(shop, body, key_id=f"{moved.uri}#main-key").status in (400, 401)
    paths = (moved.path, shop.path)
    asked = [one for one in arena.peer.asked if one.path in paths]
    assert [one.path for one in asked] >= [moved.path]
    for one in asked:
        assert "cookie" not in one.headers
        assert "authorization" not in one.headers
        assert one.headers["accept-encoding"] == "identity"


def test_ssrf_13_redirects_without_end(arena: Arena) -> None:
    ghost = Actor(arena.peer, "boucle", "Organization", arena.peer.key)
    arena.peer.redirect(ghost.path, ghost.uri)
    chain = Actor(arena.peer, "chaine0", "Organization", arena.peer.key)
    for number in range(50):
        arena.peer.redirect(f"/users/chaine{number}", f"{arena.peer.url}/users/chaine{number + 1}")
    arena.peer.redirect("/users/ping", f"{arena.peer.url}/users/pong")
    arena.peer.redirect("/users/pong", f"{arena.peer.url}/users/ping")
    ping = Actor(arena.peer, "ping", "Organization", arena.peer.key)
    for actor, most in ((ghost, 1), (chain, 4), (ping, 2)):
        with arena.unmoved(fetches=most):
            answer = arena.post(actor, actor.activity("Create", actor.note("poison")))
            assert answer.status in (400, 401)


def flooding(head: bytes, sent: list[int]) -> Script:
    """64 MiB after a head, counting what the other side took."""

    def flood(handler: Handler) -> None:
        handler.wfile.write(head)
        with contextlib.suppress(OSError):
            for _ in range(1024):
                handler.wfile.write(b" " * 65536)
                sent.append(65536)
        handler.close_connection = True

    return flood


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\n"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(OK + b"Content-Length: 10000000000\r\n\r\n", id="ssrf_15_ten_gigabytes"),
        pytest.param(OK + b"Connection: close\r\n\r\n", id="ssrf_15_without_length"),
        pytest.param(OK + b"X: ", id="ssrf_18_a_header_without_end"),
        pytest.param(b"", id="ssrf_18_no_http_at_all"),
    ],
)
def test_ssrf_15_an_answer_without_end_is_cut_off(arena: Arena, head: bytes) -> None:
    sent: list[int] = []
    ghost = Actor(arena.peer, f"flot{abs(hash(head))}", "Organization", arena.peer.key)
    arena.peer.script(ghost.path, flooding(head, sent))
    with arena.unmoved(fetches=1):
        assert arena.post(ghost, ghost.activity("Create", ghost.note("poison"))).status in (
            400,
            401,
        )
    assert sum(sent) < 16 * 1024 * 1024


def written_out(data: bytes) -> Script:
    def write(handler: Handler) -> None:
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.wfile.write(data)

    return write


def test_ssrf_15_to_18_answers_that_are_broken(arena: Arena) -> None:
    """Each is a good actor's document, told in a way that no honest server would."""
    made = 0

    def broken(form: str) -> int:
        nonlocal made
        made += 1
        ghost = Actor(arena.peer, f"casse{made}", "Organization", arena.peer.key)
        body = stub.encode(ghost.document())
        script = {
            "too short": OK + f"Content-Length: {len(body) + 9}\r\n\r\n".encode() + body,
            "cut": OK + f"Content-Length: {len(body) - 9}\r\n\r\n".encode() + body,
            "gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
            "gzip twice": OK
            + b"Content-Encoding: gzip, gzip\r\nContent-Length: 9\r\n\r\n123456789",
            "headers": OK + b"X: y\r\n" * 10_000 + b"Content-Length: %d\r\n\r\n" % len(body) + body,
            "long": OK + b"X: " + b"y" * 100_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
            "http/0.9": body,
            "switch": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + body,
            "informed": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000,
            "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}       ",
            "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
            "nothing": b"",
            "status": b"HTTP/1.1 999 What\r\n\r\n",
            "server error": b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
            "an array": OK + b"Content-Length: 2\r\n\r\n[]",
            "duplicate": OK + b'Content-Length: 15\r\n\r\n{"id":1,"id":2}',
        }[form]
        arena.peer.script(ghost.path, written_out(script))
        return arena.post(ghost, ghost.activity("Create", ghost.note("poison"))).status

    forms = (
        "too short", "cut", "gzip", "gzip twice", "headers", "long", "http/0.9", "switch",
        "informed", "two lengths", "chunks", "nothing", "status", "server error", "an array",
        "duplicate",
    )  # fmt: skip
    with arena.unmoved(fetches=2 * len(forms)):
        for form in forms:
            assert broken(form) in (400, 401, 413), form


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}", "https://127.0.0.1:{port}", "http://2130706433:{port}",
     "http://[::ffff:127.0.0.1]:{port}", "https://localhost", "file:///etc/passwd",
     "http://127.0.0.1:{port}@{peer}", "https://169.254.169.254"],
)  # fmt: skip
def test_ssrf_a_neighbour_that_is_added_by_hand_is_guarded_too(arena: Arena, url: str) -> None:
    url = url.format(port=arena.canary.port, peer=arena.peer.authority)
    before = arena.town.run("neighbour", "list")
    said = arena.town.run("neighbour", "add", url, status=1)
    assert said.startswith("echoppe: ")
    assert "Traceback" not in said
    assert arena.town.run("neighbour", "list") == before
    arena.hold()


@pytest.mark.parametrize("leak", ["redirect", "document", "actor"])
def test_ssrf_06_a_neighbour_that_points_elsewhere(arena: Arena, leak: str) -> None:
    """NodeInfo that redirects to, or names, something inside."""
    inside = f"http://127.0.0.1:{arena.canary.port}/x"
    schema = "http://nodeinfo.diaspora.software/ns/schema/2.1"
    info = {"version": "2.1", "software": {"name": "echoppe", "version": "1"}, "metadata": {}}
    other = arena.stranger
    told = other.serve("/nodeinfo/2.1", info, content_type="application/json")
    links = [
        {"rel": schema, "href": inside if leak == "document" else told},
        {"rel": "https://www.w3.org/ns/activitystreams#Application", "href": inside},
    ]
    other.serve("/.well-known/nodeinfo", {"links": links}, content_type="application/json")
    if leak == "redirect":
        other.redirect("/.well-known/nodeinfo", inside)
    said = arena.town.run("neighbour", "add", other.url, status=1)
    assert said.startswith("echoppe: ")
    arena.hold()


def test_dos_01_one_activity_costs_few_fetches(arena: Arena) -> None:
    shop, _ = arena.shop()
    far = [f"{arena.stranger.url}/users/{number}" for number in range(500)]
    near = [f"{arena.peer.url}/users/inconnu{number}" for number in range(500)]
    with arena.unmoved(fetches=5):
        for told in (
            shop.activity("Create", far),
            shop.activity("Create", near),
            shop.activity(
                "Create", [{"id": uri, "type": "Note", "attributedTo": uri} for uri in near]
            ),
            shop.activity("Announce", near),
            shop.activity("Create", {"id": f"{shop.uri}/x", "type": "Collection", "items": near}),
        ):
            assert arena.post(shop, {**told, "to": far, "cc": near, "target": far}).status < 500
        chain = shop.note(
            "poison", inReplyTo=near[0], tag=[{"type": "Mention", "href": u} for u in near]
        )
        assert arena.post(shop, shop.activity("Create", chain)).status < 500


def test_dos_05_a_link_in_a_listing_is_not_looked_at(arena: Arena) -> None:
    shop, _ = arena.shop()
    asked = arena.asked()
    links = "".join(f'<a href="{arena.stranger.url}/{n}">x</a>' for n in range(20))
    inside = f"http://127.0.0.1:{arena.canary.port}/"
    note = arena.tell(
        shop, "lampe liée", content=f'{links}<img src="{inside}">', url=inside, image=inside,
        attachment=[{"type": "Image", "url": inside, "mediaType": "image/png"}],
    )  # fmt: skip
    arena.settle()
    assert arena.asked() == asked
    # The address shown for it is on its own server, whatever it said.
    assert arena.found("lampe liée")[note["id"]][2].startswith(arena.peer.url)
    arena.hold()


def test_db_15_a_second_server_on_the_same_folder_is_refused(arena: Arena) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "node", "-C", str(arena.town.folder), "serve"],
        cwd=neighbours.ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "ready" not in done.stdout
    arena.settle()
    arena.hold()


def test_db_07_commands_and_deliveries_at_once(arena: Arena) -> None:
    """Nothing that was acknowledged on either side is lost, and nothing is "locked"."""
    shop, _ = arena.shop()
    notes = [shop.note(f"lustre en foule {number}") for number in range(60)]
    with ThreadPoolExecutor(8) as threads:
        commands = [
            threads.submit(
                arena.town.run, "listing", "add", "fleurs", f"--name=Tulipe {n}", "--price=2"
            )
            for n in range(4)
        ]
        answers = list(
            threads.map(lambda note: arena.post(shop, shop.activity("Create", note)).status, notes)
        )
        added = [command.result()["uri"] for command in commands]
    assert answers == [202] * len(notes)
    arena.settle()
    assert {note["id"] for note in notes} <= arena.found("lustre foule").keys()
    assert set(added) <= arena.found("tulipe").keys()
    arena.hold()
