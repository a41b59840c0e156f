"""Every case that is known has a test, and every id that a test names is known."""

from tests.hostile import cases


def test_every_case_has_a_test() -> None:
    known = {one for group in cases.known().values() for one in group}
    held = cases.held()
    assert known - held.keys() == set()
    unheard_of = held.keys() - known
    # `ssrf_01_to_05` names numbers in between that were never given out.
    assert unheard_of <= {"SSRF-03"}, {one: held[one] for one in unheard_of}


def test_ids_are_read_from_names() -> None:
    assert list(cases.of_name("test_sig_06_07_08_what")) == ["SIG-06", "SIG-07", "SIG-08"]
    assert list(cases.of_name("test_ssrf_01_to_03_and_20_x")) == [
        "SSRF-01", "SSRF-02", "SSRF-03", "SSRF-20",
    ]  # fmt: skip
    assert list(cases.of_name("test_utf_8_and_rfc_9421")) == []
