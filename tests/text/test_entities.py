"""Entities: what counts as a name, which spellings meet, what must stay silent, and what holds for any text."""

import time
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memd.text.entities import extract


def named(text: str) -> set[tuple[str, str]]:
    return {(entity.kind, entity.name) for entity in extract(text)}


# (text, what it must name at least)
NAMED = [
    # identifiers
    ("rename fetch_rows to something better", {("identifier", "fetchrows")}),
    ("fetchRows is slow", {("identifier", "fetchrows")}),
    ("the FetchRows class", {("identifier", "fetchrows")}),
    ("raise MAX_RETRIES to 5", {("identifier", "maxretries")}),
    ("call flush() first", {("identifier", "flush")}),
    ("`flush` is never called", {("identifier", "flush")}),
    ("see store.writer.flush()", {("identifier", "store.writer.flush"), ("identifier", "flush")}),
    ("self.pool leaks", {("identifier", "pool")}),
    ("std::vec::Vec grows", {("identifier", "std.vec.vec"), ("identifier", "vec")}),
    ("node->next is null", {("identifier", "node.next"), ("identifier", "next")}),
    ("Cursor.close hangs", {("identifier", "cursor.close"), ("identifier", "cursor"), ("identifier", "close")}),
    ("pass strict=True", {("identifier", "strict")}),
    ("the `strict=` argument", {("identifier", "strict")}),
    ("__init__ grew too long", {("identifier", "__init__")}),
    ("_private helper", {("identifier", "private")}),
    ("set $CACHE_DIR or ${CACHE_DIR}", {("identifier", "cachedir")}),
    ("FTS5 and utf8", {("identifier", "fts5"), ("identifier", "utf8")}),
    ("run `tool show-all --raw`", {("identifier", "showall"), ("flag", "--raw")}),
    ("@pytest.fixture on top", {("identifier", "pytest.fixture"), ("identifier", "fixture")}),
    ("@cache(maxsize=2)", {("identifier", "cache"), ("identifier", "maxsize")}),
    ("    @property\n    def x(self): ...", {("identifier", "property")}),
    ("from http.client import HTTPConnection", {("identifier", "http.client"), ("identifier", "httpconnection")}),
    ("import msgspec", {("identifier", "msgspec")}),
    ("No module named 'yaml'", {("identifier", "yaml")}),
    ("no such table: notes", {("identifier", "notes")}),
    ("gpt-4o answers", {("identifier", "gpt4o")}),
    ("550e8400-e29b-41d4-a716-446655440000", {("identifier", "550e8400-e29b-41d4-a716-446655440000")}),
    ("in C++ and C#", {("identifier", "c++"), ("identifier", "c#")}),
    # paths
    ("see README.md", {("path", "readme.md")}),
    ("in ./src/app/main.py:42:7", {("path", "src/app/main.py"), ("path", "main.py")}),
    ("tests/store/test_open.py::test_it fails", {("path", "tests/store/test_open.py")}),
    ("edit ~/.config/tool/config.toml", {("path", "~/.config/tool/config.toml"), ("path", "config.toml")}),
    ("mounted at /var/lib/data", {("path", "/var/lib/data")}),
    ("C:\\work\\notes\\todo.txt", {("path", "c:/work/notes/todo.txt"), ("path", "todo.txt")}),
    ("the Makefile", {("path", "makefile")}),
    ("src/parser is a mess", {("path", "src/parser")}),
    (
        'File "/app/jobs/run.py", line 12, in start_all',
        {("path", "/app/jobs/run.py"), ("path", "run.py"), ("identifier", "startall")},
    ),
    ('  File "run.py", line 3, in start\n', {("identifier", "start")}),
    # errors
    ("sqlite3.OperationalError: locked", {("error", "operationalerror")}),
    ("got a TimeoutException", {("error", "timeoutexception")}),
    ("error[E0308]: mismatched types", {("error", "e0308")}),
    ("TS2345 again", {("error", "ts2345")}),
    ("E501 line too long", {("error", "e501")}),
    ("ERR_MODULE_NOT_FOUND", {("error", "err_module_not_found")}),
    ("SQLITE_BUSY", {("error", "sqlite_busy")}),
    ("failed with ENOENT", {("error", "enoent")}),
    ("[Errno 13] Permission denied", {("error", "errno 13")}),
    ("HTTP 404", {("error", "http 404")}),
    ("HTTP/1.1 502 Bad Gateway", {("error", "http 502")}),
    ("status code: 500", {("error", "http 500")}),
    ("exited with code 137", {("error", "exit 137")}),
    ("killed by SIGSEGV", {("error", "sigsegv")}),
    ("CVE-2021-44228", {("error", "cve-2021-44228")}),
    # packages and versions
    ("pin numpy==2.4.1", {("package", "numpy"), ("version", "2.4.1"), ("identifier", "numpy")}),
    ("httpx[http2]>=0.27", {("package", "httpx"), ("version", "0.27")}),
    ("npm i @types/node@20.1.0", {("package", "@types/node"), ("version", "20.1.0")}),
    ("lodash@4.17.21", {("package", "lodash"), ("version", "4.17.21")}),
    ("pip install -q rich-click 'pluggy>=1'", {("package", "rich-click"), ("package", "pluggy")}),
    ("cargo add serde", {("package", "serde")}),
    ("Python 3.11 only", {("package", "python"), ("version", "3.11")}),
    ("in v1.2.3", {("version", "1.2.3")}),
    ("version 3.36 broke it", {("version", "3.36")}),
    ("node.js", {("package", "node.js")}),
    ("Bump lodash from 4.17.20 to 4.17.21", {("package", "lodash"), ("version", "4.17.21")}),
    # links
    ("see https://www.Example.com/a/b?c=1).", {("url", "example.com/a/b?c=1")}),
    ("see example.com", {("url", "example.com")}),
    # tickets
    ("fixes #123", {("ticket", "#123")}),
    ("closes GH-123", {("ticket", "#123")}),
    ("owner/name#123", {("ticket", "#123")}),
    ("PROJ-12: retry", {("ticket", "PROJ-12")}),
    # flags
    ("run with --max-retries=3", {("flag", "--max-retries"), ("identifier", "maxretries")}),
    ("pass -v twice", {("flag", "-v")}),
    # commits
    ("reverts 3f2a91bc", {("commit", "3f2a91b")}),
    ("3f2a91bc0d7e4f5a6b7c8d9e0f1a2b3c4d5e6f70", {("commit", "3f2a91b")}),
    # people
    ("Olga: the build is red", {("person", "olga")}),
    ("[10:22] Olga Petrova: red again", {("person", "olga petrova"), ("person", "olga"), ("person", "petrova")}),
    ("**Olga:** the build is red", {("person", "olga")}),
    ("we asked Olga about it", {("person", "olga")}),
    ("a talk by Jean-Luc O'Brien", {("person", "jean-luc o'brien"), ("person", "o'brien")}),
    ("what does Olga's branch do?", {("person", "olga")}),
    ("Olga's branch is green", {("person", "olga")}),
    ("Olga left. We miss Olga.", {("person", "olga")}),
    ("she moved to New York", {("person", "new york")}),
    ("Dr. Smith agreed", {("person", "smith")}),
    ("cc @olga-p", {("person", "olga-p")}),
    ("write to olga@example.com", {("person", "olga@example.com")}),
    ("thanks, Zoë", {("person", "zoë")}),
]

# Texts that name nothing.
SILENT = [
    "the quick brown fox",
    "and/or, he/she, input/output, 24/7, 1/2, km/h, TCP/IP",
    "e.g. this, i.e. that, etc. at 5 p.m. in the U.S.",
    "it works.Then it fails",
    "no space after.we go on",
    "file(s) and class(es)",
    "a well-known, long-term trade-off",
    "3.5 seconds, 1,000 rows, 99.9 %",
    "Fix the build",
    "Add tests and docs",
    "Added Windows support",
    "When did it break? Why? The cache was cold.",
    "I think I'm right. It's fine, isn't it?",
    "on Monday, in March, last Christmas",
    "- Note: read this\n- Warning: and this\n",
    "TODO: later",
    "Error: it broke",
    "Yeah! Wow. Congrats!",
    "STOP SHOUTING AT ME",
    "deadbeef, defaced, 1234567",
    "-- a dash - and another -",
    "a == b, x = 1, 2 > 1",
    "#hashtag and # heading",
    "&#123; entity",
    "1st, 2nd, 10am, 5x",
    "(see above) [and below]",
    "version two point three",
    "feat(parser): accept commas",
    "mid-2020 and pre-2021",
    "",
]


@pytest.mark.parametrize(("text", "names"), NAMED, ids=lambda value: value if isinstance(value, str) else "")
def test_it_names(text: str, names: set[tuple[str, str]]) -> None:
    assert names <= named(text)


@pytest.mark.parametrize("text", SILENT)
def test_it_stays_silent(text: str) -> None:
    assert named(text) == set()


@pytest.mark.parametrize(
    "spellings",
    [
        ("`fetch_rows`", "fetchRows", "FetchRows", "FETCH_ROWS", "fetch_rows()", "db.fetch_rows()", "--fetch-rows"),
        ("`table`", "table()", "db.table()", "self.table(", "--table"),
        ("./src/app.py", "src/app.py", "src/app.py:10", "app.py", "(src/app.py)"),
        ("KeyError", "builtins.KeyError", "KeyError: 'x'", "`KeyError`"),
        ("#7", "GH-7", "(#7)", "owner/name#7"),
        ("click==8.1.0", "Click 8.1", "pip install click", "`click`"),
        ("HTTP 503", "http status 503", "status=503"),
        ("https://example.com/a/", "http://www.example.com/a"),
        ("ask Olga", "Olga: hi", "by Olga Petrova", "thanks, Olga!", "at Olga's desk"),
        ("abc1234", "abc1234567890"),
    ],
)  # fmt: skip
def test_spellings_meet(spellings: tuple[str, ...]) -> None:
    names = [{name for _, name in named(text)} for text in spellings]
    assert set.intersection(*names), names


@pytest.mark.parametrize(
    ("text", "kind", "mention"),
    [
        ("see (https://example.com/a).", "url", "https://example.com/a"),
        ("in src/app.py:10, maybe", "path", "src/app.py"),
        ("call db.table() now", "identifier", "db.table"),
        ("by Olga Petrova, then", "person", "Olga Petrova"),
        ("got HTTP 404 there", "error", "HTTP 404"),
        ("use --dry-run, please", "flag", "--dry-run"),
    ],
)
def test_the_span_is_the_mention(text: str, kind: str, mention: str) -> None:
    assert mention in {text[entity.begin : entity.stop] for entity in extract(text) if entity.kind == kind}


def test_each_name_once_where_it_is_first_said() -> None:
    entities = extract("retry_policy, then retry_policy again, and RetryPolicy")
    assert [(entity.name, entity.begin) for entity in entities] == [("retrypolicy", 0)]


def test_a_line_without_blanks_is_read_piece_by_piece() -> None:
    line = '{"file":"src/app.py","error":"KeyError","in":"load_rows"},' * 100
    assert {("path", "src/app.py"), ("error", "keyerror"), ("identifier", "loadrows")} <= named(line)
    assert named(b64encode(bytes(range(256)) * 10).decode()) == set()


MENTIONS = """
    a_b aB A.b A::B a() `x` `a b` #1 GH-2 AB-3 -v --x-y v1.2 1.2.3 a==1 @a @a/b @a.b( a@b.co http://x.y/z /a/b ./c
    a/b.py C:\\x HTTP 404 exit code 1 Errno pip install x import Olga Petrova Olga's Dr. ENOENT KeyError E0308 abc1234
    ( ) [ ] { } " ' . , : ; ! ? ` ` = ->
"""
PIECES = st.sampled_from([*MENTIONS.split(), "\u00e9", "\u4e16", "e\u0301", "\U0001f600", " "])
DRESSES = st.sampled_from(["{}", "`{}`", "{}()", "({})", "{},", '"{}"', "x.{}"])
TEXTS = st.one_of(
    st.text(),
    st.lists(PIECES, max_size=15).map(" ".join),
    st.lists(PIECES, max_size=15).map("".join),
    st.lists(PIECES, max_size=15).map("\n".join),
)


@given(TEXTS)
@settings(max_examples=600)
def test_any_text(text: str) -> None:
    entities = extract(text)
    assert entities == extract(text)
    assert len({(entity.kind, entity.name) for entity in entities}) == len(entities)
    assert [entity.begin for entity in entities] == sorted(entity.begin for entity in entities)
    for entity in entities:
        assert 0 <= entity.begin < entity.stop <= len(text)
        assert entity.name.strip() and "\n" not in text[entity.begin : entity.stop]
        said = "".join(filter(str.isalnum, text[entity.begin : entity.stop].lower()))
        assert any(character in said for character in entity.name.lower() if character.isalnum())


@given(
    st.from_regex(r"[a-z]{2,8}(_[a-z]{2,8}){1,3}", fullmatch=True),
    DRESSES,
)
def test_an_identifier_is_found_however_it_is_dressed(name: str, dress: str) -> None:
    assert ("identifier", name.replace("_", "")) in named("then " + dress.format(name) + " failed")


UNITS = (
    "a|a |A|Aa |A_b |a.|a/|/|`|`a|@|a@|-|--a|#|::|a->|0|f0|http://|[|(|pip install |pip install a |HTTP |exit |error "
)
UNITS += "|A: |**A|\n| |import a.|a-|1.|'|\N{RIGHT SINGLE QUOTATION MARK}a"


@pytest.mark.parametrize("unit", UNITS.split("|"))
def test_the_work_grows_with_the_length_alone(unit: str) -> None:
    """Ten times the text may take ten times the time; forty leaves room for a busy machine, a square wouldn't fit."""

    def best(text: str) -> float:
        spent = []
        for _ in range(3):
            start = time.process_time()
            extract(text)
            spent.append(time.process_time() - start)
        return min(spent)

    short = unit * (4_000 // len(unit))
    assert best(short * 10) < 40 * best(short) + 0.01
