"""Whether a question asks for a time."""

import re

_READ = 400  # characters: what a text asks shows at its beginning
_AT = r"(?:(?:by|since|until|till|from|in|on|at|around|about)\s+)?"
_LEAD = (
    r"(?:(?:so|and|but|hey|hi|ok|okay|well|please|also)\b[\s,]*)*"
    r"(?P<indirect>(?:(?:do|can|could) you (?:know|remember|recall|tell me)|(?:tell|remind) me"
    r"|i (?:wonder|forgot))\s+)?"
)
_DOES = (
    "did|do|does|was|were|is|are|am|has|have|had|will|would|should|shall|can|could|may|might|must|"
    "didn't|don't|doesn't|wasn't|weren't|isn't|aren't|hasn't|haven't|won't"
)
_ASKED = re.compile(
    rf"\W*{_LEAD}{_AT}"
    rf"(?:when(?:['’]s\b|\s+(?:exactly\s+)?(?:{_DOES})\b|(?(indirect)\s+\w|(?!)))"
    r"|(?:what|which)\s+(?:exact\s+)?(?:date|day|year|month|week|season|time)\b(?!-)"
    r"|how\s+(?:long\s+ago|recently)\b)",
    re.IGNORECASE,
)


def asks_for_time(text: str) -> bool:
    """Whether `text` begins as a question after a time: "when did …", "since when is …", "which year", "how long ago".

    "When it fails, …" is none. O(1).
    """
    return _ASKED.match(text[:_READ]) is not None
