"""`python -m tests.fuzz NAME`: coverage-guided fuzzing of one target, with atheris.

Needs what `make soak` installs. Ends at the first input that breaks the target's promise, and
writes it into the working folder: a found input is then kept in `tests/fuzz/corpus/NAME`.
"""

import argparse
import importlib
import sys
from pathlib import Path

import atheris

from tests.fuzz import mutate

TARGETS = ("signature", "json_gate", "address", "sanitiser", "webfinger", "actor")
OF_JSON = frozenset({"webfinger", "actor"})
# The readers that a target compares with are followed too: much of what is tried is decided in C,
# where a fuzzer sees no branches, and they tell inputs apart by what is in them.
INSTRUMENTED = [
    "federation", "node.exchange", "tests.fuzz.targets", "html", "_markupbase", "urllib.parse",
    "ipaddress", "email", "rfc8785", "httpx2",
]  # fmt: skip
LONGEST = 4096  # bytes; what is longer is refused by its length, which other tests hold
HANG = 5  # seconds that no input may take


def main() -> None:
    """Reads the command line and fuzzes; libFuzzer ends the process."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", epilog="Example: python -m tests.fuzz address --inputs 100000"
    )
    parser.add_argument("name", choices=TARGETS)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True, help="for inputs that are found")
    asked = parser.parse_args()
    atheris.enabled_hooks.add("str")
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = importlib.import_module(f"tests.fuzz.targets.{asked.name}")
    corpus = asked.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.SEEDS):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = asked.folder / "words"
    words.write_text("\n".join(map(_written, target.WORDS)) + "\n")
    kept = Path(__file__).parent / "corpus" / asked.name
    folders = [corpus, kept] if kept.exists() else [corpus]
    arguments = [
        sys.argv[0], f"-runs={asked.inputs}", f"-seed={asked.seed}", f"-max_len={LONGEST}",
        f"-timeout={HANG}", f"-dict={words}", f"-artifact_prefix={asked.folder}/",
        "-rss_limit_mb=0", "-len_control=0", "-reduce_inputs=0", "-print_final_stats=1",
        *map(str, folders),
    ]  # fmt: skip
    options = {}
    if asked.name in OF_JSON:
        options["custom_mutator"] = _mutator
    atheris.Setup(arguments, target.one, **options)
    atheris.Fuzz()


def _mutator(data: bytes, most: int, seed: int) -> bytes:
    return mutate.mutated(data, seed, most, lambda old, size: bytes(atheris.Mutate(old, size)))


def _written(word: bytes) -> str:
    """A word as libFuzzer's dictionaries have it."""
    return '"' + "".join(
        chr(one) if 32 <= one < 127 and one not in b'"\\' else f"\\x{one:02X}" for one in word
    ) + '"'  # fmt: skip


if __name__ == "__main__":
    main()
