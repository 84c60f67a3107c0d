"""Words: cut and folded as the real full-text index does it."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite

from memd.text.words import STOP_WORDS, terms


def indexed(text: str) -> list[str]:
    """The words that FTS5 itself makes of the text, in order."""
    db = sqlite.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5 (x, tokenize='unicode61 remove_diacritics 2')")
    db.execute("CREATE VIRTUAL TABLE v USING fts5vocab (t, instance)")
    db.execute("INSERT INTO t VALUES (?)", (text,))
    words = [row[0] for row in db.execute("SELECT term FROM v ORDER BY offset")]
    db.close()
    return list(dict.fromkeys(words))


ODD = "\x00\u01e0\u01e1"  # SQLite keeps the accents of this one letter
# Letters of the scripts that SQLite's tables and this Python's agree on; newer code points may be cut apart.
ALPHABET = st.characters(
    codec="utf-8",
    exclude_characters=ODD,
    exclude_categories=("Cs", "Cn", "Co", "Lm", "No", "Nl", "Lo", "Mn", "Mc", "Me"),
).filter(lambda c: ord(c) < 0x500)


@given(st.text(ALPHABET))
def test_terms_are_those_of_the_index(text: str) -> None:
    assert terms(text) == indexed(text)


@given(
    st.text(
        st.one_of(st.characters(max_codepoint=0x24F, exclude_characters=ODD), st.sampled_from("\u0301\u0308\u0327"))
    )
)
def test_accents_written_either_way_are_one_word(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert [word for word in terms(composed) if word.isascii()] == [
        word for word in indexed(composed) if word.isascii()
    ]


def test_order_and_first_appearance() -> None:
    assert terms("Retry the retry_policy: RETRY!") == ["retry", "the", "policy"]
    assert terms("Caf\u00e9 cafe\u0301 CAFE") == ["cafe"]
    assert terms("don't") == ["don", "t"]
    assert terms("\u4e16\u754c 3.14") == ["\u4e16\u754c", "3", "14"]
    assert terms("") == []


def test_stop_words_are_terms() -> None:
    """What `terms` never makes could never be dropped."""
    assert all(terms(word) == [word] for word in STOP_WORDS)
    assert {"the", "what", "did", "we", "t", "s"} <= STOP_WORDS
    assert not {"error", "table", "file", "test", "class", "last", "first", "time", "work"} & STOP_WORDS


@given(st.text())
def test_any_text(text: str) -> None:
    words = terms(text)
    assert len(set(words)) == len(words)
    assert all(words)
    assert terms(" ".join(words)) == words or not text.isascii()
