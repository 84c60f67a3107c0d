"""The rules by which a sentence counts as a decision, preference, convention or cause: tables to read and argue with.

A sentence is a lesson if nothing in `BLOCKS` and something in the table of its speaker matches. The first match
decides the kind. What is missed costs little: the turn itself is a memory all the same. What is wrongly taken for a
convention costs trust in all of them; so each rule asks for the plain form of such a statement, and leaves the rest.
"""

from __future__ import annotations

import re

USER_TABLE: list[tuple[str, re.Pattern[str]]] = []
ASSISTANT_TABLE: list[tuple[str, re.Pattern[str]]] = []
BLOCKS: list[re.Pattern[str]] = []
LASTING = ("convention", "preference")  # kinds that claim to hold beyond the moment
# Said of a moment, or of what was just pointed at: it may be true, but it doesn't last.
PASSING = re.compile(
    r"\b(?:today|yesterday|tonight|tomorrow|(?<!from )(?<!\.)now(?! on\b)(?!\()|at the moment|currently|"
    r"this (?:morning|afternoon|evening|week|month|time|once)|"
    r"last (?:night|time|week|month|year|summer|autumn|winter|spring|\w+day)|"
    r"(?:an?|\w+) (?:minute|hour|day|week|month|year)s? ago)\b|"
    r"(?:\b(?:that|this|these|those)|\b(?:for|in|of|with|on|about|hate|dislike|like|love|stand) it)"
    r"(?:\W+(?:please|thanks|though|ok))*\W*$",
    re.IGNORECASE,
)
TAKEN_BACK = re.compile(
    r"\W*(?:(?:no|oh|hm+|ok|actually|wait|sorry)\W+)*(?:scratch that|never ?mind (?:that|what)|forget (?:that|"
    r"what i)|"
    r"ignore (?:that|what i)|i take that back|i was wrong|disregard)\b",
    re.IGNORECASE,
)
REJECTED = re.compile(
    r"\W*(?:no|nope|nah|wrong|stop|don'?t|that'?s (?:not|wrong)|that is(?:n't| not)|"
    r"that wasn'?t)\b(?! (?:problem|worries))",
    re.IGNORECASE,
)
REFUTED = re.compile(
    r"\W*(?:(?:hm+|ok|actually)\W+)*(?:that (?:wasn'?t|was not|didn'?t|did not) |still (?:fail|broken|the same)|"
    r"it still fails|"
    r"no luck|so that'?s not|i was wrong)",
    re.IGNORECASE,
)
# A sentence that says what it stands for only with the one before.
LEANING = re.compile(r"(?:it|that|this|they|these|those|which|so|both)\b", re.IGNORECASE)
# A statement with a question hung on: the statement is kept.
HUNG_ON = re.compile(
    r"^(.{12,}?)\s*[,;–—-]+\s*(?:and |so |but |just so i know,? )*(?:can|could|would|will|did|do|does|should|"
    r"shall|is|are|"
    r"how|what|why|when|who|where|which|any|ok|right)\b[^,;]*\?\W*$",
    re.IGNORECASE | re.DOTALL,
)

_LEAD = (
    r"^(?:(?:and|also|but|so|then|ok|okay|yes|yeah|no|good|great|fine|perfect|thanks|please|for us|"
    r"instead)\b[\s,:;-]*)*"
)


def _add(table: list[tuple[str, re.Pattern[str]]], kind: str, *patterns: str) -> None:
    table.extend((kind, re.compile(pattern, re.IGNORECASE)) for pattern in patterns)


BLOCKS += [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # asked
        r"\?\W*$",
        _LEAD + r"(?:should|could|would|can|shall|do|does|did|is|are|was|has|have|why|how|what|which) "
        r"(?:we|you|i|it|the|this|that|there|they)\b",
        # supposed, or unsure
        _LEAD + r"(?:if|suppose|supposing|imagine|assuming|unless|whether|what if|in case)\b",
        r"\b(?:might|maybe|perhaps|possibly|probably|presumably|apparently|hopefully|ideally|not sure|unsure|"
        r"seems? to)\b",
        r"\bi (?:think|guess|suspect|believe|suppose|wonder|assume|suggest|propose|recommend)\b",
        r"(?<!\bi )\b(?:would|could)\b|\b(?:may|can) (?:also |want|be|have|exist|prefer|need)\b|\bone option\b",
        # said by others, or of another time or place
        r"\b(?:says|said|claims|claimed|according to|told (?:me|us)|was told|were told|i(?:'ve)? read (?:that|"
        r"somewhere))\b",
        r"\b(?:he|she|they|people|somebody|someone|everyone|(?:my|the|our|their) (?:colleague|boss|client|"
        r"customer|vendor|"
        r"intern|team|user|docs?|guide|manual|article|linter|spec|readme)s?) "
        r"(?:say|think|want|decide|prefer|agree|suggest|recommend|insist|like)(?:s|d|ed)?\b",
        r"\b(?:used to|back then|in the old|previously|formerly|at my (?:last|old|previous))\b",
        # in jest, or of the people's own day
        r"\b(?:lol|haha+|tbh|lunch|dinner|breakfast|beers?)\b",
        # not settled, or still to be done
        r"\b(?:haven't|hasn't|have not|has not|never|not yet|didn't|did not|undecided|yet to)\b(?: \w+){0,2} "
        r"(?:decide|decided|agree|agreed|settled|chosen)\b|\b(?:decided?|agreed) (?:nothing|later|tomorrow)\b",
        r"\b(?:need|have|has|want) to (?:decide|agree|choose|settle|talk|discuss)\b|\bwe (?:should|ought|"
        r"need to|have to)\b",
        _LEAD + r"(?:todo|fixme|next)\b",
    )
]

_add(
    USER_TABLE,
    "decision",
    _LEAD + r"decision\s*:",
    r"\b(?:we|i)(?:'ve|’ve| have)?(?: all| now| finally| already| just)? (?:decided|chose|chosen|picked|agreed|settled|"
    r"opted)\b",
    r"\b(?:we|i)(?:'re|’re| are|'m| am) (?:going with|sticking (?:with|to)|keeping|dropping|switching to|moving to|"
    r"staying with|standardi[sz]ing on)\b",
    r"\blet(?:'|’)?s (?:go with|stick (?:with|to)|stay with|settle on|switch to|not use|"
    r"use (?!(?:the (?:time|day|morning|afternoon|rest|break|moment)|whatever|whichever|(?:that|this|the \w+) one|"
    r"it|that|this|them|one)\b)|keep (?!going|in mind|it\b)|"
    r"drop (?!by|in|off|it\b))",
    r"\bwe(?:'ll|’ll| will| won't| will not) (?:only |not )?(?:keep|use|stay|stick|support|ship|drop|go with|adopt) "
    r"(?!(?:it|that|this|them)\b)",
    r"\bwe (?:stay|stick|go) with\b|\bwe (?:no longer|don't) support\b|\bwe no longer (?:use|ship|build|need)\b",
    _LEAD + r"go with (?!it\b|that\b)",
    r"\b(?:our|the|my) (?:decision|choice) (?:is|was)\b",
)
_add(
    USER_TABLE,
    "preference",
    r"\bi(?:'d|’d| would)?(?: really| strongly| much| always| usually| generally)? prefer\b(?! not to)",
    r"\bi(?:'d|’d| would)(?: much)? rather\b(?!.*\bfirst\W*$)",
    r"\bi(?: really| absolutely)? (?:hate|dislike|loathe|can't stand|cannot stand)\b",
    r"\bi(?: really)? (?:don't|dont|do not) (?:like|want) (?:it )?(?:when|if|you to|to see|seeing)\b",
    r"\bi(?: really)? (?:like|love|appreciate) it (?:when|if)\b(?! it\b| it's)",
    r"\bi want you to (?:always|never)\b|\bi (?:always|never) want\b",
    r"\bmy preference (?:is|goes)\b",
    _LEAD + r"(?:always|never|don't ever) (?:answer|reply|respond|explain|speak|ask)\b",
    _LEAD + r"(?:always|never|don't ever) (?:\S+ ){1,7}(?:me|asking)\b",
)
_add(
    USER_TABLE,
    "fact",
    _LEAD
    + r"(?:remember|keep in mind|bear in mind|don't forget|note|for the record|for (?:future|later) reference|fyi)"
    r"(?: that\b|[,:])",
)
_add(
    USER_TABLE,
    "convention",
    # a participle tells what was ("never tried that"), the plain verb what is to be
    _LEAD
    + r"(?:always|never) (?!(?:mind|again|a|an|the|been|had|was|were|did|done|gone|got|gotten|knew|known|heard|seen|"
    r"made|met|found|felt|taken|thought|written|ran|saw|went|came|took|gave|told|lost|\w+(?<!e)(?<!emb)ed)\b)\w+",
    _LEAD + r"(?:don't|dont|do not) ever \w+",
    r"\bwe (?:always|never) (?!\w+ed\b|had|was|were|did|got|knew|thought|saw|went|came|ran|wrote|made)\w+",
    r"\b(?:from now on|going forward|by convention|as a rule|house style|(?:our|the) (?:convention|rule|"
    r"policy)(?: here)? is)\b",
    r"\bin (?:this|our) (?:repo(?:sitory)?|project|code ?base|house)\b.*\b(?:are|is|gets?|must|goes?|lives?|"
    r"always|never|"
    r"uses?|needs?|starts?|follows?)\b|\b(?:are|is|gets?|must|goes?|lives?|always|never|uses?|follows?)\b.*"
    r"\bin (?:this|our) (?:repo(?:sitory)?|project|code ?base)\b",
    _LEAD + r"(?:all|every|each|any)\b(?!.*\b(?:pass|passes|passed|green|done|fixed|works?|fails?|failed)\b)"
    r"(?: \S+){1,6}? (?:must|has to|have to|needs? to|gets?|goes?|lives?|are|is|carr(?:y|ies)|starts?|ends?|uses?)\b",
    _LEAD
    + r"(?!(?:it|there|that|this|you|they|he|she|something)\b)\w+(?: \w+){0,2} must (?:always|never|not|be|have|carry|"
    r"go|live|start|end|use)\b",
    r"^(?:our )(?:\w+ ){1,3}(?:are|is) always\b",
    _LEAD + r"(?!(?:it|that|this|the|he|she|they|you|i|nobody|everything)\b)\w+(?: \w+)?s (?:always|never) "
    r"(?!\w+ed\b|fail|break|crash|work|hang)\w+",
    _LEAD + r"we (?!(?:keep|put) \w+ing\b)(?:name|put|keep|write|format|prefix|pin|squash|rebase|tag|deploy|release|"
    r"store|indent|document|wrap|commit)\b",
    r"\bwe use (?!(?:it|that|this|them|up)\b)[^;]*\b(?:not|instead of|rather than|everywhere|only)\b",
)

_TROUBLE = (
    r"(?:fail(?:s|ed|ure|ing)?|broke(?:n)?|breaks?|crash\w*|hangs?|hung|slow|errors?|bugs?|leak\w*|problems?|wrong|"
    r"missing|time(?:s|d)? ?outs?|flak\w+|regression|deadlock\w*|exceptions?|\w+Error|panic\w*)"
)
_CAUSE = (
    rf"\b{_TROUBLE}\b.*\b(?:because|caused by|due to|came from|comes from)\b",
    rf"\bbecause\b.*\b{_TROUBLE}\b",
    r"\b(?:the|its) (?:root |real |actual )?cause (?:of [^,;:]{1,60} )?(?:was|is)\b|"
    r"\b(?:was|were) caused by (?:an?|the) |\bthe culprit (?:was|is)\b|\broot cause\s*:",
)
_add(USER_TABLE, "cause", *_CAUSE)
_add(ASSISTANT_TABLE, "cause", *_CAUSE[:1], *_CAUSE[2:])
