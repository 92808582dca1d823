"""What people are notified of: once when it stands, and once more when it is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.status.attention import Matter, matters
from precoro_daemon.status.notices import Standing, compare, digest, message
from tests.status.snapshots import troubled

REVIEW = Matter(
    "review to_precoro", "2 payments to Precoro need your decision", "Each says why.", ("payments review",)
)
STOPPED = Matter("kill switch", "The kill switch is on", "Payments are held back.", weight="urgent")
KEY = Matter("key", "Precoro refuses the key", "See check.", weight="urgent")


def titles(rounds: Iterable[Iterable[Matter]], *, at_once: bool = False) -> list[str]:
    """What each comparison sends, as titles of messages; "" for nothing."""
    standing: Mapping[str, Standing] = {}
    sent = []
    for now, found in enumerate(rounds):
        seen = compare(standing, found, 300.0 * now, at_once=at_once)
        standing = seen.sent
        text = message("acme", seen.notice, 300.0 * now)
        sent.append(text.title if text else "")
    return sent


def test_a_matter_is_sent_at_its_second_comparison_and_once() -> None:
    assert titles([[REVIEW], [REVIEW], [REVIEW]]) == ["", f"acme: 1 thing needs you: {REVIEW.title}", ""]


def test_nobody_hears_of_what_mends_itself_between_two() -> None:
    assert titles([[KEY], [], [KEY], []]) == ["", "", "", ""]


def test_a_run_that_ends_sends_at_once() -> None:
    assert titles([[KEY], [KEY], []], at_once=True) == [
        f"acme: 1 thing needs you: {KEY.title}",
        "",
        f"acme: mended: {KEY.title}",
    ]


def test_other_words_for_the_same_matter_are_no_news() -> None:
    more = Matter(REVIEW.subject, "5 payments to Precoro need your decision", "Other words.")
    assert titles([[REVIEW], [REVIEW], [more], [more]])[2:] == ["", ""]


def test_one_message_says_what_is_new_and_what_is_mended() -> None:
    first = compare({}, [REVIEW], 0.0, at_once=True)
    second = compare(first.sent, [STOPPED, KEY], 7200.0, at_once=True)
    text = message("acme", second.notice, 7200.0)
    assert text is not None
    assert (text.title, text.kind) == (f"acme: 2 things need you: {STOPPED.title}", "failure")
    assert text.body.split("\n\n") == [
        "The kill switch is on\nPayments are held back.",
        "Precoro refuses the key\nSee check.",
        f"Mended after 2 h: {REVIEW.title}",
    ]


def test_a_message_says_what_to_type() -> None:
    text = message("acme", compare({}, [REVIEW], 0.0, at_once=True).notice, 0.0)
    assert text is not None
    assert "    payments review" in text.body.splitlines()
    assert text.kind == "warning"


def test_what_could_not_be_sent_is_sent_at_the_next_comparison() -> None:
    first = compare({}, [KEY], 0.0, at_once=True)
    again = compare(first.unsent, [KEY], 300.0)
    assert again.notice.fresh == [KEY]
    gone = compare(again.sent, [], 600.0)
    assert [one.title for one in compare(gone.unsent, [], 900.0).notice.mended] == [KEY.title]


def test_a_digest_says_everything_or_that_nothing_is_the_matter() -> None:
    assert digest("acme", []).title == "acme: all is well"
    text = digest("acme", [REVIEW, KEY])
    assert text.title == "acme: 2 things need you"
    assert REVIEW.title in text.body
    assert KEY.title in text.body


def test_foreign_text_forges_no_line_of_a_message() -> None:
    forged = Matter("x", "A\nBcc: all@example.com", "one\n\nMended after 2 h: payments\x1b[2J")
    text = message("acme", compare({}, [forged], 0.0, at_once=True).notice, 0.0)
    assert text is not None
    assert "\n" not in text.title
    assert text.body.split("\n") == ["A\\nBcc: all@example.com", "one\\n\\nMended after 2 h: payments\\u001b[2J"]


def test_every_matter_of_a_snapshot_has_a_subject_of_its_own() -> None:
    subjects = [matter.subject for matter in matters(troubled())]
    assert len(subjects) > 5
    assert len(set(subjects)) == len(subjects)


@given(st.lists(st.sets(st.sampled_from([REVIEW.subject, STOPPED.subject, KEY.subject])), max_size=12), st.data())
def test_nothing_is_told_twice_and_nothing_is_forgotten(rounds: list[set[str]], data: st.DataObject) -> None:
    """Whatever is sent and whatever fails: between two messages about a matter one says that it is mended, and what
    stands in two comparisons after the last failure was sent."""
    all_of = {one.subject: one for one in (REVIEW, STOPPED, KEY)}
    standing: Mapping[str, Standing] = {}
    open_matters: set[str] = set()
    before: set[str] = set()
    for now, present in enumerate(rounds):
        seen = compare(standing, [all_of[subject] for subject in sorted(present)], 300.0 * now)
        if data.draw(st.booleans()):
            standing = seen.sent
            fresh = {matter.subject for matter in seen.notice.fresh}
            mended = {one.title for one in seen.notice.mended}
            gone = {subject for subject in open_matters if all_of[subject].title in mended}
            assert not fresh & open_matters
            assert len(mended) == len(gone)
            open_matters = (open_matters | fresh) - gone
            assert before & present <= open_matters
            assert open_matters <= present
        else:
            standing = seen.unsent
        before = present
