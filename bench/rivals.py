"""Other engines on the same listings and queries: PostgreSQL's full text, and tantivy.

Both get the very words that our index holds, so that all look for the same. PostgreSQL (Debian's
package) puts what it finds in order of distance, which is the nearest it comes to the three rings
with an index of its own; tantivy (the library under several search servers) knows no places: it
gives the twenty best by BM25 from anywhere, which is less than was asked.
"""

import contextlib
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node import words
from node.store import database, listings, matches, search_texts
from node.store import search as index

if TYPE_CHECKING:
    from bench.search import Ask

FIRST = 20
_CLUSTER = {"shared_buffers": "1GB", "work_mem": "64MB", "fsync": "off", "max_wal_size": "4GB"}


@dataclass(frozen=True, slots=True)
class Rival:
    """What another engine took: to make its index, how large that is, and for each query."""

    made_s: float
    megabytes: float
    taken: list[tuple[str, list[float]]]


def all_of(documents: Path, asked: "Sequence[Ask]") -> Iterator[Rival]:
    """Those that are installed; says how to install what is not."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if binaries:
        yield _postgresql(binaries[-1], documents, asked)
    else:
        print("PostgreSQL is not installed: apt-get install postgresql", file=sys.stderr)
    yield _tantivy(documents, asked)


def write_documents(folder: Path, documents: Path) -> None:
    """Each listing's row number, title, words and point, for whoever reads them all."""
    with database.reading(folder) as db, documents.open("w") as written:
        points = {one.number: (one.latitude, one.longitude) for one in matches.blocks(db)}
        numbers = dict(db.execute("SELECT listing, id FROM search_rows").fetchall())
        after = ""
        while ids := listings.find_ids_after(db, after, 1000):
            for listing in listings.find(db, ids):
                number = numbers[index.key_of(listing.id)]
                title, text = search_texts.texts(listing)
                latitude, longitude = points[number >> index.ROW_BITS]
                written.write(f"{number}\t{title}\t{text}\t{latitude}\t{longitude}\n")
            after = ids[-1]


def read_documents(documents: Path) -> Iterator[tuple[int, str, str, float, float]]:
    """What was written."""
    with documents.open() as opened:
        for line in opened:
            number, title, text, latitude, longitude = line.rstrip("\n").split("\t")
            yield int(number), title, text, float(latitude), float(longitude)


def _terms(query: str) -> list[list[str]]:
    """For each thing asked for, the words of its first reading."""
    return [list(term.alternatives[0]) for term in words.read(query).terms]


def _timed(asked: "Sequence[Ask]", answer: "Callable[[Ask], object]") -> list[float]:
    taken = []
    for one in asked:
        begun = time.perf_counter()
        answer(one)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


# --- PostgreSQL ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _cluster(binaries: Path) -> Iterator[str]:
    """A server of its own in a folder of its own; gives what connects to it."""
    base = Path(tempfile.mkdtemp(prefix="echoppe-pg-"))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(base, "postgres")
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = base / "data"

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(binaries / program), *arguments],
            check=True, stdout=subprocess.DEVNULL, cwd=base, **user,
        )  # fmt: skip

    try:
        call("initdb", "-D", str(data), "-U", "bench", "--auth=trust", "-E", "UTF8", "--locale=C")
        options = " ".join(f"-c {name}={value}" for name, value in _CLUSTER.items())
        call("pg_ctl", "-D", str(data), "-w", "-l", str(base / "log"),
             "-o", f"-k {base} -c listen_addresses='' {options}", "start")  # fmt: skip
        try:
            yield f"host={base} user=bench dbname=postgres"
        finally:
            call("pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _postgresql(binaries: Path, documents: Path, asked: "Sequence[Ask]") -> Rival:
    import psycopg

    with _cluster(binaries) as where, psycopg.connect(where, autocommit=True) as db:
        db.execute(
            "CREATE TABLE listings (id bigint, said tsvector, latitude float8, longitude float8)"
        )
        begun = time.perf_counter()
        with db.cursor().copy("COPY listings FROM STDIN") as copying:
            for number, _, text, latitude, longitude in read_documents(documents):
                said = " ".join(f"'{word}'" for word in text.split())
                copying.write_row((number, said, latitude, longitude))
        db.execute("CREATE INDEX said ON listings USING gin (said)")
        db.execute("VACUUM ANALYZE listings")
        made = time.perf_counter() - begun
        size = db.execute("SELECT pg_relation_size('said') + pg_table_size('listings')").fetchone()
        assert size is not None

        def find(one: "Ask") -> object:
            query = " & ".join(f"'{word}'" for tokens in _terms(one.words) for word in tokens)
            latitude, longitude = one.place.latitude or 0.0, one.place.longitude or 0.0
            return db.execute(
                """
                SELECT id FROM listings WHERE said @@ %s::tsquery
                ORDER BY (latitude - %s) ^ 2 + ((longitude - %s) * %s) ^ 2 LIMIT %s
                """,
                (query, latitude, longitude, math.cos(math.radians(latitude)), FIRST),
            ).fetchall()

        _timed(asked, find)
        taken = _timed(asked, find)
        version = binaries.parent.name
        return Rival(made, size[0] / 1e6, [(f"PostgreSQL {version}, GIN, by distance", taken)])


# --- tantivy -------------------------------------------------------------------------------------


def _tantivy(documents: Path, asked: "Sequence[Ask]") -> Rival:
    import tantivy

    schema = tantivy.SchemaBuilder()
    schema.add_integer_field("id", stored=True)
    schema.add_text_field("said", tokenizer_name="whitespace", index_option="freq")
    with tempfile.TemporaryDirectory(prefix="echoppe-tantivy-") as where:
        begun = time.perf_counter()
        made_index = tantivy.Index(schema.build(), path=where)
        writer = made_index.writer(heap_size=512_000_000, num_threads=2)
        for number, _, text, _, _ in read_documents(documents):
            writer.add_document(tantivy.Document(id=number, said=text))
        writer.commit()
        writer.wait_merging_threads()
        made = time.perf_counter() - begun
        made_index.reload()
        searcher = made_index.searcher()

        def find(one: "Ask") -> object:
            wanted = [
                (
                    tantivy.Occur.Must,
                    tantivy.Query.term_query(made_index.schema, "said", word, "freq"),
                )
                for tokens in _terms(one.words)
                for word in tokens
            ]
            found = searcher.search(tantivy.Query.boolean_query(wanted), FIRST)
            return [searcher.doc(address)["id"] for _, address in found.hits]

        _timed(asked, find)
        taken = _timed(asked, find)
        size = sum(path.stat().st_size for path in Path(where).rglob("*") if path.is_file())
        return Rival(made, size / 1e6, [("tantivy, BM25, from anywhere", taken)])
