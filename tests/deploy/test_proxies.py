"""The configurations of deploy/, run in the real programs, with TLS of a local authority."""

import contextlib
import datetime
import getpass
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import neighbours
from tests.neighbours import ROOT, Town, echoppe, eventually
from tests.skipping import missing

DEPLOY = ROOT / "deploy"
NAME = "boutiques.example.fr"


def certificate(folder: Path) -> tuple[Path, Path, Path]:
    """A local authority and what it signed for localhost: its certificate, that one, its key."""
    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local authority")])
    paths = folder / "ca.pem", folder / "site.pem", folder / "site.key"

    authority = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())

    def signed(name: x509.Name, public: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.Certificate:
        """All that RFC 5280 wants to be there: Python looks closely since 3.13."""
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=60))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority),
                critical=False,
            )
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not ca,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=ca,
                    crl_sign=ca,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .sign(ca_key, hashes.SHA256())
        )

    site = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    pem = serialization.Encoding.PEM
    paths[0].write_bytes(signed(ca_name, ca_key.public_key(), ca=True).public_bytes(pem))
    paths[1].write_bytes(signed(site, key.public_key(), ca=False).public_bytes(pem))
    paths[2].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def caddy(folder: Path, public: int, inner: int, site: Path, key: Path) -> list[str]:
    text = (DEPLOY / "Caddyfile").read_text()
    text = text.replace("{\n\tservers", "{\n\tadmin off\n\tauto_https off\n\tservers", 1)
    text = text.replace(f"{NAME} {{", f"https://localhost:{public} {{\n\ttls {site} {key}")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{inner}")
    (folder / "Caddyfile").write_text(text)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def nginx(folder: Path, public: int, inner: int, site: Path, key: Path) -> list[str]:
    text = (DEPLOY / "nginx.conf").read_text()
    text = text[text.rindex("server {") :]
    text = text.replace("listen 443", f"listen {public}").replace("[::]:443", f"[::1]:{public}")
    text = re.sub(r"ssl_certificate .*;", f"ssl_certificate {site};", text)
    text = re.sub(r"ssl_certificate_key .*;", f"ssl_certificate_key {key};", text)
    text = text.replace(NAME, "localhost").replace("127.0.0.1:8000", f"127.0.0.1:{inner}")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\nuser {getpass.getuser()};\npid {folder}/pid;\n"
        f"error_log stderr;\nevents {{}}\n"
        f"http {{\n{temporary}{text}\n}}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


@pytest.fixture(params=[caddy, nginx], ids=["caddy", "nginx"])
def proxied(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[httpx2.Client, Town, Path]]:
    """A node behind a proxy: a client that trusts the authority, the node, the authority."""
    program = request.param.__name__
    if shutil.which(program) is None and not Path(f"/usr/sbin/{program}").exists():
        missing("front proxies", f"{program} is not installed: apt-get install {program}")
    authority, site, key = certificate(tmp_path)
    public, inner = neighbours.free_ports(2)
    folder = tmp_path / "node"
    echoppe(
        "init", str(folder), "--url", f"https://localhost:{public}",
        "--listen", f"127.0.0.1:{inner}", "--name", "B", "--commune", "Bordeaux",
        "--private-peer", "127.0.0.1:9",
    )  # fmt: skip
    settings = folder / "instance.toml"
    settings.write_text(
        settings.read_text().replace("[server]\n", '[server]\ntrusted_proxies = ["127.0.0.1"]\n')
    )
    town = Town(folder, inner)
    log = (tmp_path / "proxy.log").open("wb")
    with contextlib.ExitStack() as stack:
        stack.callback(log.close)
        server = subprocess.Popen(
            [sys.executable, "-m", "node", "-C", str(folder), "serve"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        stack.callback(server.wait, neighbours.PATIENCE)
        stack.callback(server.kill)
        assert server.stdout is not None
        stack.callback(server.stdout.close)
        assert server.stdout.readline().startswith(b"ready https://localhost")
        front = subprocess.Popen(
            request.param(tmp_path, public, inner, site, key),
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(tmp_path), "PATH": f"{os.environ['PATH']}:/usr/sbin"},
        )
        stack.callback(front.wait, neighbours.PATIENCE)
        stack.callback(front.terminate)
        client = stack.enter_context(
            httpx2.Client(
                base_url=f"https://localhost:{public}",
                verify=ssl.create_default_context(cafile=str(authority)),
                timeout=neighbours.PATIENCE,
                trust_env=False,
            )
        )

        def answers() -> bool:
            with contextlib.suppress(httpx2.HTTPError):
                return client.get("/livez").status_code == 200
            assert front.poll() is None, (tmp_path / "proxy.log").read_text()
            return False

        eventually(answers)
        yield client, town, authority


def test_a_node_behind_a_proxy(proxied: tuple[httpx2.Client, Town, Path]) -> None:
    client, town, authority = proxied
    home = client.get("/")
    assert home.status_code == 200
    assert home.headers["strict-transport-security"] == "max-age=31536000"
    assert home.headers["content-encoding"] == "gzip"
    assert client.get("/users/instance").json()["type"] == "Application"
    # Only who asks the node itself, on its machine, sees its numbers.
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": ""}).status_code == 404
    assert (
        httpx2.get(f"http://127.0.0.1:{town.port}/metrics", timeout=neighbours.PATIENCE).status_code
        == 200
    )
    # A photo of a phone is not too large for the proxy. (The node answers before it has read it
    # all and hangs up, which Caddy, still sending, may call a bad gateway.)
    assert client.post("/", content=b"x" * 15_000_000).status_code in (405, 502)
    # A visitor cannot have somebody else shut out (after 50 failures): whom they claim to be does
    # not reach the node, for which that address has not failed yet.
    claimed = {"X-Forwarded-For": "203.0.113.7", "Content-Type": "application/activity+json"}
    for _ in range(40):
        assert client.post("/inbox", content=b"{}", headers=claimed).status_code == 401
    claimed["Host"] = client.base_url.netloc.decode()
    with httpx2.Client(
        base_url=f"http://127.0.0.1:{town.port}", timeout=neighbours.PATIENCE
    ) as inside:
        for _ in range(40):
            assert inside.post("/inbox", content=b"{}", headers=claimed).status_code == 401
    # The doctor agrees, certificate and all.
    done = subprocess.run(
        [sys.executable, "-m", "node", "-C", str(town.folder), "check", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3 * neighbours.PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SSL_CERT_FILE": str(authority)},
    )
    codes = {one["code"] for one in json.loads(done.stdout)["findings"]}
    assert codes - {"sqlite-wal-reset", "no-mail", "no-contact"} == {
        "no-backup",
        "guard-open",
    }


def test_the_unit_is_hardened() -> None:
    """The score that the operator's guide states."""
    if shutil.which("systemd-analyze") is None:
        missing("the systemd unit", "no systemd-analyze: apt-get install systemd")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(DEPLOY / "echoppe.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    score = re.search(r"exposure level for echoppe.service: ([0-9.]+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert float(score[1]) <= 1.5
