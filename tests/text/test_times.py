"""Time expressions: what fires and what it means, what must not fire, and what holds for any text."""

import contextlib
import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.errors import BadInput
from memd.text.times import TimeSpan, asks_for_time, parse, parse_moment

NOW = datetime(2024, 5, 15, 14, 30, tzinfo=UTC)  # a Wednesday


def shown(span: TimeSpan) -> str:
    """`2024-05-14..2024-05-15`, with times of day where they aren't midnight."""
    return "..".join(
        f"{moment:%Y-%m-%d}" + (f" {moment:%H:%M}" if moment.hour or moment.minute else "") for moment in span[:2]
    )


# (text, [(expression, period)]): the expression is what the span covers.
MEANT = [
    # dates
    ("see 2023-05-07 in the log", [("2023-05-07", "2023-05-07..2023-05-08")]),
    ("crashed at 2023-05-07T10:30:00Z", [("2023-05-07T10:30:00Z", "2023-05-07 10:30..2023-05-07 11:30")]),
    ("crashed at 2023-05-07 10:30:00,123 ERROR", [("2023-05-07 10:30:00,123", "2023-05-07 10:30..2023-05-07 11:30")]),
    ("at 2023-05-07T23:30:00-02:00", [("2023-05-07T23:30:00-02:00", "2023-05-08 01:30..2023-05-08 02:30")]),
    ("[07/May/2023:10:22:01 +0000] GET /", [("07/May/2023:10:22:01 +0000", "2023-05-07 10:22..2023-05-07 11:22")]),
    ("Date:   Sun May  7 10:22:01 2023 +0200", [("Sun May  7 10:22:01 2023", "2023-05-07 10:22..2023-05-07 11:22")]),
    ("Tue, 07 May 2024 10:22:01 +0000", [("Tue, 07 May 2024", "2024-05-07..2024-05-08")]),
    ("what did we ship on 7 May 2023?", [("7 May 2023", "2023-05-07..2023-05-08")]),
    ("the 7th of May, 2023", [("7th of May, 2023", "2023-05-07..2023-05-08")]),
    ("May 7, 2023 release", [("May 7, 2023", "2023-05-07..2023-05-08")]),
    ("may 7 2023 release", [("may 7 2023", "2023-05-07..2023-05-08")]),
    ("on May 7th", [("May 7th", "2024-05-07..2024-05-08")]),
    ("Sept. 3 outage", [("Sept. 3", "2023-09-03..2023-09-04")]),
    ("on Feb 29 we met", [("Feb 29", "2024-02-29..2024-03-01")]),
    ("tagged 7-May-2023 by hand", [("7-May-2023", "2023-05-07..2023-05-08")]),
    ("from 2023/05/07", [("from 2023/05/07", "2023-05-07..2023-05-08")]),
    ("due 3/4/2023", [("3/4/2023", "2023-03-04..2023-03-05")]),
    ("due 23/4/2023", [("23/4/2023", "2023-04-23..2023-04-24")]),
    ("due 3.4.2023", [("3.4.2023", "2023-04-03..2023-04-04")]),
    ("on the 5th", [("5th", "2024-05-05..2024-05-06")]),
    ("since the 31st", [("since the 31st", "2024-03-31..2024-05-16")]),
    # months, quarters, seasons, years
    ("the crash in March 2024", [("March 2024", "2024-03-01..2024-04-01")]),
    ("in May 2023", [("May 2023", "2023-05-01..2023-06-01")]),
    ("in May '23", [("May '23", "2023-05-01..2023-06-01")]),
    ("what did we do in may?", [("may", "2024-05-01..2024-06-01")]),
    ("in June", [("June", "2023-06-01..2023-07-01")]),
    ("the february incident", [("february", "2024-02-01..2024-03-01")]),
    ("in Aug", [("Aug", "2023-08-01..2023-09-01")]),
    ("2023-05 report", [("2023-05", "2023-05-01..2023-06-01")]),
    ("the March meeting", [("March", "2024-03-01..2024-04-01")]),
    ("our May release", [("May", "2024-05-01..2024-06-01")]),
    ("last May", [("last May", "2023-05-01..2023-06-01")]),
    ("this April", [("this April", "2024-04-01..2024-05-01")]),
    ("next March", [("next March", "2025-03-01..2025-04-01")]),
    ("the Q3 2023 plan", [("Q3 2023", "2023-07-01..2023-10-01")]),
    ("2023Q3 plan", [("2023Q3", "2023-07-01..2023-10-01")]),
    ("the Q1 roadmap", [("Q1", "2024-01-01..2024-04-01")]),
    ("second quarter of 2023", [("second quarter of 2023", "2023-04-01..2023-07-01")]),
    ("the last quarter of 2023", [("last quarter of 2023", "2023-10-01..2024-01-01")]),
    ("H1 2023 goals", [("H1 2023", "2023-01-01..2023-07-01")]),
    ("summer 2022", [("summer 2022", "2022-06-01..2022-09-01")]),
    ("in the summer of 2022", [("summer of 2022", "2022-06-01..2022-09-01")]),
    ("Winter 2022", [("Winter 2022", "2022-12-01..2023-03-01")]),
    ("last summer", [("last summer", "2023-06-01..2023-09-01")]),
    ("in the spring", [("spring", "2024-03-01..2024-06-01")]),
    ("over the summer", [("summer", "2023-06-01..2023-09-01")]),
    ("this winter", [("this winter", "2023-12-01..2024-03-01")]),
    ("this summer", [("this summer", "2024-06-01..2024-09-01")]),
    ("two summers ago", [("two summers ago", "2022-06-01..2022-09-01")]),
    ("what changed in 2022?", [("2022", "2022-01-01..2023-01-01")]),
    ("2022", [("2022", "2022-01-01..2023-01-01")]),
    ("the 2022 roadmap", [("2022", "2022-01-01..2023-01-01")]),
    ("in the 2010s", [("2010s", "2010-01-01..2020-01-01")]),
    ("in the 90s", [("90s", "1990-01-01..2000-01-01")]),
    ("for Christmas 2022", [("Christmas 2022", "2022-12-25..2022-12-26")]),
    ("last Thanksgiving", [("last Thanksgiving", "2023-11-23..2023-11-24")]),
    ("at Easter", [("Easter", "2024-03-31..2024-04-01")]),
    ("on New Year's Eve", [("New Year's Eve", "2023-12-31..2024-01-01")]),
    # relative
    ("what did we decide last Tuesday about the retry policy?", [("last Tuesday", "2024-05-14..2024-05-15")]),
    ("last Wednesday", [("last Wednesday", "2024-05-08..2024-05-09")]),
    ("this Friday", [("this Friday", "2024-05-17..2024-05-18")]),
    ("next Monday", [("next Monday", "2024-05-20..2024-05-21")]),
    ("on Tuesday", [("Tuesday", "2024-05-14..2024-05-15")]),
    ("friday's standup", [("friday's", "2024-05-10..2024-05-11")]),
    ("Tuesday last week", [("Tuesday last week", "2024-05-07..2024-05-08")]),
    ("last week on Tuesday", [("last week on Tuesday", "2024-05-07..2024-05-08")]),
    ("on Monday two weeks ago", [("Monday two weeks ago", "2024-04-29..2024-04-30")]),
    ("last Tuesday night", [("last Tuesday night", "2024-05-14 18:00..2024-05-15 05:00")]),
    ("two Tuesdays ago", [("two Tuesdays ago", "2024-05-07..2024-05-08")]),
    ("last week", [("last week", "2024-05-06..2024-05-13")]),
    ("last week's outage", [("last week's", "2024-05-06..2024-05-13")]),
    ("over the last week", [("last week", "2024-05-08..2024-05-16")]),
    ("the week before last", [("week before last", "2024-04-29..2024-05-06")]),
    ("this month", [("this month", "2024-05-01..2024-06-01")]),
    ("earlier this month", [("earlier this month", "2024-05-01..2024-05-15 14:30")]),
    ("last quarter", [("last quarter", "2024-01-01..2024-04-01")]),
    ("last year", [("last year", "2023-01-01..2024-01-01")]),
    ("May last year", [("May last year", "2023-05-01..2023-06-01")]),
    ("in September of last year", [("September of last year", "2023-09-01..2023-10-01")]),
    ("last year in May", [("last year in May", "2023-05-01..2023-06-01")]),
    ("5 May last year", [("5 May last year", "2023-05-05..2023-05-06")]),
    ("yesterday", [("yesterday", "2024-05-14..2024-05-15")]),
    ("yesterday morning", [("yesterday morning", "2024-05-14 05:00..2024-05-14 12:00")]),
    ("yesterday at 3pm", [("yesterday at 3pm", "2024-05-14 15:00..2024-05-14 16:00")]),
    ("the day before yesterday", [("day before yesterday", "2024-05-13..2024-05-14")]),
    ("today's plan", [("today's", "2024-05-15..2024-05-16")]),
    ("this morning", [("this morning", "2024-05-15 05:00..2024-05-15 12:00")]),
    ("last night", [("last night", "2024-05-14 18:00..2024-05-15 05:00")]),
    ("three days ago", [("three days ago", "2024-05-12..2024-05-13")]),
    ("3 days ago", [("3 days ago", "2024-05-12..2024-05-13")]),
    ("3d ago", [("3d ago", "2024-05-12..2024-05-13")]),
    ("a week ago", [("a week ago", "2024-05-05..2024-05-12")]),
    ("a couple of weeks ago", [("a couple of weeks ago", "2024-04-28..2024-05-05")]),
    ("a few days ago", [("a few days ago", "2024-05-10..2024-05-14")]),
    ("two months ago", [("two months ago", "2024-03-01..2024-04-01")]),
    ("a year and a half ago", [("a year and a half ago", "2022-11-01..2022-12-01")]),
    ("half a year ago", [("half a year ago", "2023-11-01..2023-12-01")]),
    ("two years ago", [("two years ago", "2022-01-01..2023-01-01")]),
    ("two hours ago", [("two hours ago", "2024-05-15 12:00..2024-05-15 13:00")]),
    ("two weekends ago", [("two weekends ago", "2024-05-04..2024-05-06")]),
    ("last weekend", [("last weekend", "2024-05-11..2024-05-13")]),
    ("over the weekend", [("weekend", "2024-05-11..2024-05-13")]),
    ("this weekend", [("this weekend", "2024-05-18..2024-05-20")]),
    ("in the last three months", [("last three months", "2024-02-15..2024-05-16")]),
    ("in the past 2 weeks", [("past 2 weeks", "2024-05-01..2024-05-16")]),
    ("in the last hour", [("last hour", "2024-05-15 13:30..2024-05-15 14:31")]),
    ("at the beginning of the year", [("beginning of the year", "2024-01-01..2024-05-02")]),
    # parts
    ("early June", [("early June", "2023-06-01..2023-06-11")]),
    ("mid-June 2023", [("mid-June 2023", "2023-06-11..2023-06-21")]),
    ("late 2022", [("late 2022", "2022-09-01..2023-01-01")]),
    ("the end of last month", [("end of last month", "2024-04-21..2024-05-01")]),
    ("the first half of 2023", [("first half of 2023", "2023-01-01..2023-07-02")]),
    ("the first week of May", [("first week of May", "2024-05-01..2024-05-08")]),
    ("the last week of April", [("last week of April", "2024-04-24..2024-05-01")]),
    ("the week of May 9", [("week of May 9", "2024-05-06..2024-05-13")]),
    # prepositions
    ("since March", [("since March", "2024-03-01..2024-05-16")]),
    ("since yesterday", [("since yesterday", "2024-05-14..2024-05-16")]),
    ("everything before 2020", [("before 2020", "1000-01-01..2020-01-01")]),
    ("pre-2020 code", [("pre-2020", "1000-01-01..2020-01-01")]),
    ("after 7 May 2024", [("after 7 May 2024", "2024-05-08..2024-05-16")]),
    ("until last Friday", [("until last Friday", "1000-01-01..2024-05-11")]),
    ("two days after 7 May 2024", [("two days after 7 May 2024", "2024-05-09..2024-05-10")]),
    ("the week before Christmas 2023", [("the week before Christmas 2023", "2023-12-18..2023-12-25")]),
    # ranges
    ("between March and June", [("between March and June", "2023-03-01..2023-07-01")]),
    ("between March and June 2022", [("between March and June 2022", "2022-03-01..2022-07-01")]),
    ("from December 2022 to February", [("from December 2022 to February", "2022-12-01..2023-03-01")]),
    ("from May to July 2022", [("from May to July 2022", "2022-05-01..2022-08-01")]),
    ("3-5 May", [("3-5 May", "2024-05-03..2024-05-06")]),
    ("May 3-5, 2023", [("May 3-5, 2023", "2023-05-03..2023-05-06")]),
    ("May 3 - June 2, 2023", [("May 3 - June 2, 2023", "2023-05-03..2023-06-03")]),
    ("March/April 2023", [("March/April 2023", "2023-03-01..2023-05-01")]),
    ("from 2019 to 2021", [("from 2019 to 2021", "2019-01-01..2022-01-01")]),
    ("2019\N{EN DASH}2021", [("2019\N{EN DASH}2021", "2019-01-01..2022-01-01")]),
    ("from Monday to Wednesday", [("from Monday to Wednesday", "2024-05-06..2024-05-09")]),
    ("between last Monday and yesterday", [("between last Monday and yesterday", "2024-05-13..2024-05-15")]),
    ("since May 2024 - now", [("since May 2024 - now", "2024-05-01..2024-05-16")]),
    ("May 10th to 12th", [("May 10th to 12th", "2024-05-10..2024-05-13")]),
    ("from 10 to 12 May", [("from 10 to 12 May", "2024-05-10..2024-05-13")]),
    ("in winter 2021/22", [("winter 2021/22", "2021-12-01..2022-03-01")]),
    # one in another
    ("the Sunday before Christmas", [("Sunday before Christmas", "2023-12-24..2023-12-25")]),
    ("the Friday after 7 May 2024", [("Friday after 7 May 2024", "2024-05-10..2024-05-11")]),
    ("the second Tuesday of March", [("Tuesday of March", "2024-03-12..2024-03-13")]),
    ("the last Friday of April 2024", [("Friday of April 2024", "2024-04-26..2024-04-27")]),
    ("the 15th of this month", [("15th of this month", "2024-05-15..2024-05-16")]),
    # several
    ("in March or April", [("March", "2024-03-01..2024-04-01"), ("April", "2024-04-01..2024-05-01")]),
    ("on Mon and Tue", [("Mon", "2024-05-13..2024-05-14"), ("Tue", "2024-05-14..2024-05-15")]),
    (
        "was it yesterday or in March 2023?",
        [("yesterday", "2024-05-14..2024-05-15"), ("March 2023", "2023-03-01..2023-04-01")],
    ),
]  # fmt: skip

# Texts that speak of no time.
SILENT = [
    "you may see it march on",
    "this may break on Windows",
    "what may fail in the past may fail again",
    "5 of 7 may fail",
    "May I ask why?",
    "May: can you review this?",
    "ask April or June about it",
    "the message of June",
    "March forward",
    "the army will march 3 miles",
    "he sat on the sun",
    "the second one, one moment",
    "wed the two branches",
    "spring is a framework",
    "upgrade in Spring Boot",
    "how do beans work in Spring?",
    "fall back to the default",
    "the tests fall through in fall through cases",
    "version 2022.1",
    "bump to v2022.5.7",
    "bump to v5.5.2024, version 1.5.2024",
    "ES2015 in Node",
    "the March of time",
    "on the second Tuesday",
    "django 3.4.2021.dev",
    "PyCharm 2023.1",
    "port 2022 is taken",
    "it took 2022 ms",
    "2022 rows were inserted",
    "in 2000 steps",
    "after 2000 retries",
    "lines 2000-2010",
    "between 2000 and 2010 bytes",
    "grew from 1990 to 2022 tokens",
    "issue #2022",
    "GH-2022 and PROJ-2023",
    "HTTP/2 and 3-5 items",
    "exit code 2019",
    "see log-2022-05-01.txt",
    "open notes/2022-05-01.md",
    "data/2022/05/01/x.csv",
    "https://example.org/2022/05/01/post",
    "call may() or march(2022)",
    "june_report.py",
    "last_week = 3",
    "test_2022",
    "UTF-8, ISO-8601, RFC 2822",
    "0.5 days ago",
    "the last day of the trip",
    "the next day",
    "the last week of training",
    "the last commit",
    "last but not least",
    "the previous day it worked",
    "in two weeks' worth of data",
    "for three weeks",
    "on Fridays we deploy",
    "Black Friday sale",
    "Q1: what is it?",
    "the 90 s timeout took 90s",
    "on the 5th floor",
    "the 3rd attempt",
    "at 3pm sharp",
    "a day in the life",
    "one hour of work",
    "now",
    "in the past",
    "+2023",
    "3/4",
    "10:30",
    "2023-13-45",
    "31/31/2023",
    "99999999999999999999 days ago",
    "",
]


@pytest.mark.parametrize(("text", "meant"), MEANT, ids=lambda value: value if isinstance(value, str) else "")
def test_it_reads(text: str, meant: list[tuple[str, str]]) -> None:
    assert [(text[span.begin : span.stop], shown(span)) for span in parse(text, NOW)] == meant


@pytest.mark.parametrize("text", SILENT)
def test_it_stays_silent(text: str) -> None:
    assert [text[span.begin : span.stop] for span in parse(text, NOW)] == []


@pytest.mark.parametrize(
    ("text", "grain", "relative", "partial"),
    [
        ("on 7 May 2023", "day", False, False),
        ("in May 2023", "month", False, False),
        ("in May", "month", False, True),
        ("last May", "month", True, False),
        ("on Tuesday", "day", True, True),
        ("last week", "week", True, False),
        ("summer 2022", "season", False, False),
        ("Q3 2022", "quarter", False, False),
        ("in 2022", "year", False, False),
        ("the 2010s", "decade", False, False),
        ("since last week", "range", True, False),
    ],
)
def test_it_says_how_fine_and_how_sure(text: str, grain: str, relative: bool, partial: bool) -> None:
    (span,) = parse(text, NOW)
    assert (span.grain, span.relative, span.partial) == (grain, relative, partial)


def test_days_are_those_of_the_askers_zone() -> None:
    zone = timezone(timedelta(hours=9))
    (span,) = parse("yesterday", datetime(2024, 5, 15, 1, 0, tzinfo=zone))
    assert span.start == datetime(2024, 5, 14, 0, 0, tzinfo=zone)
    (stamp,) = parse("at 2024-05-14T20:00:00Z", datetime(2024, 5, 15, 1, 0, tzinfo=zone))
    assert stamp.start == datetime(2024, 5, 14, 20, 0, tzinfo=UTC)
    assert stamp.start.tzinfo == zone


def test_a_now_without_a_zone_is_utc() -> None:
    assert parse("yesterday", NOW.replace(tzinfo=None)) == parse("yesterday", NOW)


PHRASES = st.sampled_from([text for text, _ in MEANT] + SILENT)
WORDS = """
    a an the of in on since until before after between and to from last this next past week weekend month year day days
    ago early mid late May may march June sun sat Tuesday friday 2022 1999 3 5th 12 7, - – / : . , ' 's at 3pm 10:30
    2023-05-07 T10:30Z summer fall Christmas Q3 quarter first half second yesterday morning night couple few 29 Feb 31
    9999 0
"""
PIECES = st.sampled_from(WORDS.split())
TEXTS = st.one_of(
    st.text(), PHRASES, st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES, max_size=12).map("".join)
)
MOMENTS = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=14))]),
)


@given(TEXTS, MOMENTS)
@settings(max_examples=600)
def test_any_text_at_any_moment(text: str, now: datetime) -> None:
    spans = parse(text, now)
    assert spans == parse(text, now)
    end = 0
    for span in spans:
        assert end <= span.begin < span.stop <= len(text)
        assert span.start < span.end
        assert span.start.astimezone(UTC) < span.end.astimezone(UTC)
        end = span.stop


@given(PHRASES, st.text(alphabet="xyz ,.", max_size=20))
def test_an_expression_means_the_same_with_words_after_it(text: str, after: str) -> None:
    meant = [span[:2] for span in parse(f"We met. {text}", NOW)]
    assert [span[:2] for span in parse(f"We met. {text} | {after}", NOW)] == meant


@given(
    st.sampled_from(
        [
            "yesterday",
            "today",
            "three days ago",
            "two weeks ago",
            "last Tuesday",
            "next Friday",
            "two weekends ago",
            "since last Monday",
            "in the last 3 weeks",
        ]
    ),
    st.integers(1, 200),
)
def test_relative_expressions_move_with_now(text: str, weeks: int) -> None:
    (here,), (later,) = parse(text, NOW), parse(text, NOW + timedelta(weeks=weeks))
    assert later.start - here.start == later.end - here.end == timedelta(weeks=weeks)


@given(st.sampled_from([text for text, _ in MEANT]), st.datetimes(datetime(2030, 1, 1), datetime(2090, 1, 1)))
def test_what_is_not_relative_or_partial_stays(text: str, now: datetime) -> None:
    spans = parse(text, NOW)
    open_ended = ("since", "after", "starting")
    if spans and not any(span.relative or span.partial or text[span.begin :].startswith(open_ended) for span in spans):
        assert [span[:2] for span in parse(text, now)] == [span[:2] for span in spans]


@given(st.dates(date(1971, 1, 1), date(2098, 1, 1)))
def test_every_way_to_write_a_date_means_that_day(day: date) -> None:
    for form in ("%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%d %b %Y", "%A, %d %B %Y", "%b %d %Y"):
        text = day.strftime(form)
        (span,) = parse(f"on {text} we met", NOW)
        assert span.start.date() == day, text
        assert span.end - span.start == timedelta(days=1), text


@pytest.mark.parametrize(
    "unit", ["may ", "last ", "2022-", "2022 ", "in the ", "a week ", "3/", "between May and ", " ", "\n", "1", "- "]
)
def test_the_work_grows_with_the_length_alone(unit: str) -> None:
    """Ten times the text may take ten times the time; forty leaves room for a busy machine, a square wouldn't fit."""

    def best(text: str) -> float:
        spent = []
        for _ in range(3):
            start = time.process_time()
            parse(text, NOW)
            spent.append(time.process_time() - start)
        return min(spent)

    short = unit * (4_000 // len(unit))
    assert best(short * 10) < 40 * best(short) + 0.01


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("2023-05-07", datetime(2023, 5, 7, tzinfo=UTC)),
        ("2023-05-07T10:30", datetime(2023, 5, 7, 10, 30, tzinfo=UTC)),
        ("2023-05-07 10:30:15", datetime(2023, 5, 7, 10, 30, 15, tzinfo=UTC)),
        ("2023-05-07T10:30:00+02:00", datetime(2023, 5, 7, 8, 30, tzinfo=UTC)),
        ("2023-05-07T10:30:00Z", datetime(2023, 5, 7, 10, 30, tzinfo=UTC)),
        ("3d", NOW - timedelta(days=3)),
        ("12h", NOW - timedelta(hours=12)),
        ("90min", NOW - timedelta(minutes=90)),
        ("2w ago", NOW - timedelta(weeks=2)),
        ("1mo", datetime(2024, 4, 15, 14, 30, tzinfo=UTC)),
        ("1y", datetime(2023, 5, 15, 14, 30, tzinfo=UTC)),
        ("yesterday", datetime(2024, 5, 14, tzinfo=UTC)),
        ("last week", datetime(2024, 5, 6, tzinfo=UTC)),
        ("3 days ago", datetime(2024, 5, 12, tzinfo=UTC)),
        ("May", datetime(2024, 5, 1, tzinfo=UTC)),
        ("in May 2023", datetime(2023, 5, 1, tzinfo=UTC)),
        ("the 5th", datetime(2024, 5, 5, tzinfo=UTC)),
        ("Christmas", datetime(2023, 12, 25, tzinfo=UTC)),
        ("2022", datetime(2022, 1, 1, tzinfo=UTC)),
        (" friday ", datetime(2024, 5, 10, tzinfo=UTC)),
    ],
)
def test_a_moment(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "2023-13-01", "yesterday or so", "not May", "99999y", "3 apples", "\x00", "5", "before"]
)
def test_what_is_no_moment_says_what_to_give(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_moment(text, NOW)
    assert "2023-05-07" in caught.value.hint


@given(TEXTS, MOMENTS)
def test_a_moment_or_bad_input(text: str, now: datetime) -> None:
    with contextlib.suppress(BadInput):
        assert parse_moment(text, now).tzinfo is not None


@pytest.mark.parametrize(
    "question",
    [
        "When did we deploy?", "when was the key rotated", "Since when is CI green?", "In which year did it start?",
        "what date is the release", "So, when's lunch?", "Do you remember when we moved?", "tell me when it broke",
        "How long ago was that", "When exactly did it fail?", "when didn't it work?",
    ],
)  # fmt: skip
def test_it_asks_for_a_time(question: str) -> None:
    assert asks_for_time(question)


@pytest.mark.parametrize(
    "question",
    [
        "", "When it fails, what do we do?", "what did he say when we met", "When I run the tests they hang",
        "what timeout is set", "what time-out do we use", "how long does it take", "Whenever it rains",
        "what is the release date", "which days-off policy",
    ],
)  # fmt: skip
def test_it_asks_for_something_else(question: str) -> None:
    assert not asks_for_time(question)


@given(st.text(max_size=500))
def test_any_question_can_be_read(text: str) -> None:
    assert isinstance(asks_for_time(text), bool)
