"""Small data in every format, invented here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TOPICS = (
    ("boiler", "The boiler in the cellar leaks when the pressure is above two bar."),
    ("piano", "A tuner comes for the piano every April, his name is Oskar."),
    ("bread", "Rye bread needs sixteen hours before it goes into the oven."),
    ("bicycle", "The red bicycle has a flat tyre and no bell."),
    ("tomatoes", "Tomatoes on the balcony want water twice a day in July."),
    ("passport", "Her passport expires in October, the photo is too old."),
    ("router", "The router restarts each night at three because of a faulty plug."),
    ("violin", "Nadia sold the violin and bought a cello from a shop in Gdansk."),
    ("library", "Books from the library are due on Fridays, novels after four weeks."),
    ("marathon", "He trains for the marathon on the path along the canal."),
    ("chimney", "The chimney sweep found a nest of jackdaws and left it there."),
    ("telescope", "Through the telescope the rings of Saturn looked like ears."),
)


def locomo(folder: Path) -> Path:
    """One conversation: a session a topic, three turns each, a question for every topic, two without evidence."""
    conversation: dict[str, Any] = {"speaker_a": "Ada", "speaker_b": "Ben"}
    questions = []
    for number, (topic, fact) in enumerate(TOPICS, start=1):
        conversation[f"session_{number}_date_time"] = f"{number}:05 pm on {number} March, 2031"
        conversation[f"session_{number}"] = [
            {"speaker": "Ada", "dia_id": f"D{number}:1", "text": f"Any news today, number {number}?"},
            {"speaker": "Ben", "dia_id": f"D{number}:2", "text": fact},
            {"speaker": "Ada", "dia_id": f"D{number}:3", "text": "Good to know.", "blip_caption": f"a sketch, {topic}"},
        ]
        questions.append(
            {"question": f"What about the {topic}?", "evidence": [f"D{number}:2"], "category": number % 5 + 1}
        )
    questions[1]["evidence"] = ["D2:2; D:3:2", "D99:1"]
    questions.append({"question": "Nobody said it?", "evidence": ["D99:7"], "category": 5})
    questions.append({"question": "Nothing at all?", "category": 5})
    conversation["session_40_date_time"] = "1:00 am on 1 April, 2031"
    return _written(folder / "talk.json", [{"sample_id": "talk-1", "conversation": conversation, "qa": questions}])


def commits(folder: Path) -> Path:
    """A history of the topics, the newest first in the file."""
    memories = [
        {"id": topic, "at": 1_700_000_000 + 3600 * place, "text": fact} for place, (topic, fact) in enumerate(TOPICS)
    ]
    queries = [{"q": f"something on the {topic}", "gold": [topic]} for topic, _ in TOPICS]
    return _written(folder / "history.json", {"memories": memories[::-1], "queries": queries})


def longmemeval(folder: Path) -> Path:
    """Three questions, each with three sessions; the last is one that its history doesn't answer."""
    return _written(
        folder / "memories.json",
        [
            _asked("q1", "single-session-user", "What leaks?", ["s-boiler"], "boiler"),
            _asked("q2", "multi-session", "When does the piano tuner come?", ["s-piano"], "piano"),
            _asked("q3_abs", "multi-session", "What is my sister called?", ["s-bread"], ""),
        ],
    )


def _asked(key: str, kind: str, question: str, answers: list[str], topic: str) -> dict[str, Any]:
    sessions = [
        [
            {"role": "user", "content": fact, **({"has_answer": True} if name == topic else {})},
            {"role": "assistant", "content": f"Noted, {name}."},
            {"role": "user", "content": "  "},
        ]
        for name, fact in TOPICS[:3]
    ]
    return {
        "question_id": key,
        "question_type": kind,
        "question": question,
        "answer": "…",
        "question_date": "2031/03/09 (Sun) 23:40",
        "haystack_dates": ["2031/03/01 (Sat) 08:00", "2031/03/02 (Sun) 09:30", "2031/03/03 (Mon) 10:00"],
        "haystack_session_ids": [f"s-{name}" for name, _ in TOPICS[:3]],
        "haystack_sessions": sessions,
        "answer_session_ids": answers,
    }


def beir(folder: Path) -> Path:
    """A corpus with titles, one document empty, one query that is itself a document, graded judgements."""
    root = folder / "house"
    (root / "qrels").mkdir(parents=True)
    documents = [{"_id": f"d{n}", "title": topic, "text": fact} for n, (topic, fact) in enumerate(TOPICS)]
    _lines(root / "corpus.jsonl", [*documents, {"_id": "empty", "title": "", "text": " "}])
    queries = [{"_id": "q1", "text": "leaking boiler"}, {"_id": "q2", "text": "unjudged"}]
    _lines(root / "queries.jsonl", [*queries, {"_id": "d1", "text": "piano tuner Oskar"}])
    (root / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td0\t2\nq1\td6\t1\nq1\td3\t0\nd1\td7\t1\n", encoding="utf-8"
    )
    (root / "qrels" / "dev.tsv").write_text("q2\td4\t1\n", encoding="utf-8")
    return root


def _written(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def _lines(path: Path, values: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
