"""`python -m tests.hostile.budgets`: every bound, its value, and the test that holds it, as the
table in SECURITY.md has them. Why each is what it is stands beside it in the code."""

import re
from types import ModuleType

from federation import limits
from node.exchange import backlog, sync
from node.web import middleware, protocol
from tests.hostile import cases

# By module: what a bound is of, and a test that fails without it.
HELD: dict[ModuleType, dict[str, tuple[str, str]]] = {
    limits: {
        "INBOX_BODY": ("an activity", "test_jsn_09_a_body_too_large"),
        "ACTOR": ("an actor or a key that is fetched", "test_sig_43_an_actor_longer_than_any"),
        "DOCUMENT": ("an object or a page that is fetched", "test_ssrf_15_an_answer_without_end"),
        "DISCOVERY": ("WebFinger, NodeInfo", "test_what_is_told_is_bounded"),
        "ANSWER": ("what is read of an answer to a delivery", "test_dlv_14_an_answer"),
        "MEDIA": ("a photo of a neighbour's", "test_med_13_a_photo_that_is_none"),
        "HEADER_BLOCK": ("all headers, in and out", "test_dos_42_headers_are_bounded"),
        "JSON_DEPTH": ("levels of JSON", "test_jsn_03_depth_limit"),
        "JSON_CONTAINERS": (
            "objects and lists in a JSON document",
            "test_jsn_08_objects_and_lists",
        ),
        "JSON_INTEGER": ("the largest integer", "test_jsn_04_40_numbers"),
        "URL": ("characters of an id or address", "test_a_long_url_is_refused"),
        "KEY_ID": ("characters of a key id", "test_sig_23_a_key_id_that_is_no_address"),
        "SIGNATURE_HEADER": (
            "characters of a signature header",
            "test_headers_that_sign_are_short",
        ),
        "PEM": ("characters of a key", "test_sig_20_what_is_no_public_rsa_key"),
        "TOTAL_TIME": ("a request of ours, all in all", "test_ssrf_14_the_deadline_covers"),
        "CONNECT_TIME": ("of it, to connect", "test_a_host_that_takes_no_connection"),
        "REDIRECTS": ("hops of a redirect", "test_ssrf_13_redirects_that_never_end"),
        "FETCHES_PER_ACTIVITY": ("fetches for one activity", "test_dos_01_one_activity"),
        "KEY_FETCHES": ("keys asked for at once", "test_dos_45_few_keys_are_asked_for"),
        "KEY_FETCHES_OF_HOST": ("of them, of one host", "test_dos_45_few_keys_are_asked_for"),
        "NAME_LOOKUPS": ("names looked up at once", "test_few_names_are_looked_up_at_once"),
        "DIAL_ATTEMPTS": ("addresses tried of a name", "test_the_next_address_is_tried"),
        "CONNECTED_HOSTS": ("hosts kept connected", "test_few_hosts_are_kept_connected"),
        "CONNECTIONS_PER_HOST": ("connections to one", "test_few_connections_to_one_host"),
        "KEEPALIVE_TIME": ("an idle connection of ours", "test_idle_hosts_are_let_go"),
        "RETRY_AFTER_LEAST": ("the soonest that others may ask for", "test_retry_after"),
        "RETRY_AFTER_MOST": ("the latest", "test_retry_after"),
        "KEY_REFETCH_INTERVAL": ("between two askings for a key", "test_sig_26_a_new_key"),
        "NEGATIVE_KEY_TIME": ("a key that was not to be had", "test_sig_24_a_key_that_cannot"),
        "NEGATIVE_HOST_TIME": ("an address that failed", "test_an_address_that_failed"),
        "HOST_FAILURES": ("failures of a host in a row", "test_sig_24_a_host_that_fails"),
        "HOST_HELD": ("a host that is left alone", "test_sig_24_a_host_that_fails"),
        "MISSES_AT_HOST": ("failures at a host in a minute", "test_too_many_misses_at_a_host"),
        "SIGNATURE_AGE": ("the age of a signature", "test_sig_09_an_old_signature"),
        "SIGNATURE_AHEAD_CAVAGE": ("a Date ahead of ours", "test_sig_10_a_signature_from"),
        "SIGNATURE_AHEAD_RFC9421": ("`created` ahead of ours", "test_sig_10_a_signature_from"),
        "RSA_BITS_LEAST": ("bits of an RSA key, at least", "test_sig_19_sizes"),
        "RSA_BITS_MOST": ("at most", "test_sig_19_sizes"),
        "FAILURES_OF_HOST": ("failures of a host from an address", "test_dos_06_who_fails"),
        "FAILURES_OF_HOST_PER_SECOND": ("then, a second", "test_dos_06_who_fails"),
        "FAILURES_OF_ADDRESS": ("failures from an address", "test_dos_45_another_name"),
        "FAILURES_OF_ADDRESS_PER_SECOND": ("then, a second", "test_dos_45_another_name"),
        "FAILURES_OF_STRANGERS": ("failures of all strangers", "test_dos_45_strangers"),
        "FAILURES_OF_STRANGERS_PER_SECOND": ("then, a second", "test_dos_45_strangers"),
        "PENALISED": ("whose failures are remembered", "test_what_is_remembered_is_bounded"),
        "PROVED_HOSTS": ("hosts known to be true", "test_what_is_remembered_is_bounded"),
        "BUSY_TIME": ("what a busy node asks for", "test_dos_06_a_full_queue_is_said"),
    },
    backlog: {
        "QUEUE_MOST": ("activities that wait", "test_dos_06_a_queue_has_an_end"),
        "QUEUE_BYTES_MOST": ("their bytes", "test_dos_06_a_queue_has_an_end"),
        "OF_HOST_MOST": ("activities of one host that wait", "test_dos_06_a_queue_has_an_end"),
        "SLOW_MOST": ("of them, waiting for the network", "test_dos_06_slow_work_has_few_places"),
        "SLOW_OF_HOST": ("and of one host", "test_dos_06_slow_work_has_few_places"),
    },
    sync: {
        "PAGES_IN_ONE_READING": ("pages of a neighbour at once", "test_dos_02_a_sequence_of_pages"),
        "ITEMS_IN_PAGE": ("changes on one; fetches for it", "test_a_page_without_end"),
    },
    protocol: {
        "HEAD_TIME": ("a request's head", "test_dos_07_a_head_or_a_pause"),
        "SKIP_TIME": ("a body that nobody reads", "test_dos_06_a_body_that_is_passed_over"),
        "WRITE_TIME": ("an answer that nobody takes", "test_dos_43_an_answer_that_nobody"),
        "HEADERS_MOST": ("headers of a request", "test_dos_42_headers_are_bounded"),
        "FRAMING_MOST": ("what is around a body", "test_dos_41_and_sig_41_trailers"),
        "PIPELINED_MOST": ("requests sent ahead", "test_dos_40_pipelining_is_bounded"),
    },
    middleware: {"BODY_TIME": ("a body", "test_a_body_that_drips")},
}
_BYTES = frozenset(
    {"INBOX_BODY", "ACTOR", "DOCUMENT", "DISCOVERY", "MEDIA", "ANSWER", "HEADER_BLOCK", "PEM",
     "QUEUE_BYTES_MOST", "FRAMING_MOST"}
)  # fmt: skip
_SECONDS = re.compile(r"_TIME$|_HELD$|_INTERVAL$|_AGE$|_AHEAD_|^RETRY_AFTER")


def written(name: str, value: float) -> str:
    """A value with its unit, as people write it."""
    if name in _BYTES:
        for unit, size in (("MiB", 1024 * 1024), ("KiB", 1024)):
            if value % size == 0:
                return f"{value / size:,.0f} {unit}"
    return f"{value:,g} s" if _SECONDS.search(name) else f"{value:,.16g}"


def table() -> str:
    """The table of SECURITY.md. A test is named by the beginning of its name."""
    lines = ["| bound | value | of what | held by |", "|---|---|---|---|"]
    for module, bounds in HELD.items():
        for name, (what, test) in bounds.items():
            value = written(name, getattr(module, name))
            lines.append(f"| `{name}` | {value} | {what} | `{test}…` |")
    return "\n".join(lines)


def tests() -> set[str]:
    """The names of all tests."""
    names = set()
    for path in cases.ROOT.rglob("test_*.py"):
        names |= set(re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8")))
    return names


if __name__ == "__main__":
    print(table())
