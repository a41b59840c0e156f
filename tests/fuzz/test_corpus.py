"""Every seed of the fuzz targets, and every input that fuzzing has found, in every `make test`.

The fuzzing itself is `make soak` (tests/fuzz/test_soak.py).
"""

import importlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

TARGETS = ("signature", "json_gate", "address", "sanitiser", "webfinger", "actor")
CORPUS = Path(__file__).parent / "corpus"


def target(name: str) -> Any:
    """The module of a target."""
    return importlib.import_module(f"tests.fuzz.targets.{name}")


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_once_is_found_no_more(name: str) -> None:
    module = target(name)
    found = sorted((CORPUS / name).glob("*")) if (CORPUS / name).exists() else []
    for data in (*module.SEEDS, *(path.read_bytes() for path in found)):
        module.one(data)


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_and_any_mixture_of_its_words(name: str) -> None:
    """A small share of the fuzzing for every run: words of the grammar between random bytes."""
    module = target(name)
    pieces = st.one_of(st.sampled_from([*module.SEEDS, *module.WORDS]), st.binary(max_size=8))

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(st.lists(pieces, max_size=12))
    def holds(parts: list[bytes]) -> None:
        module.one(b"".join(parts))

    holds()


def test_sound_inputs_are_accepted() -> None:
    """The targets look where they should: good seeds pass, so that a way around would show."""
    signature = target("signature")
    for seed in signature.SEEDS:
        request = signature.read(seed)
        claim = signature.signatures.check(request, signature.NOW)
        signature.signatures.verify(claim, signature.PUBLIC)
    webfinger = target("webfinger")
    handle, _, answers = webfinger.SEEDS[1].partition(b"\n")
    web = webfinger._Client(webfinger.json.loads(answers))
    with pytest.raises(StopIteration) as ended:
        webfinger.webfinger.lookup(web, handle.decode()).send(None)
    assert ended.value.value == "https://social.example/users/fleurs"
    actor = target("actor")
    for seed in actor.SEEDS[:4]:
        given_ = actor.json.loads(seed)
        resolver = actor.actors.ActorResolver(
            actor._Web(given_["documents"]), actor._Nothing(), None, lambda: actor.NOW
        )
        with pytest.raises(StopIteration):
            resolver.key(given_["key"]).send(None)
