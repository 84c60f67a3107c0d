"""What credentials look like: the forms their makers give them, and the names people give them.

detect-secrets knows the older forms; those here are newer than its last release, or wider than a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

_EDGE = r"(?<![A-Za-z0-9_\-])"
_END = r"(?![A-Za-z0-9_])"


class Form(NamedTuple):
    """How a kind of credential is written.

    Attributes:
        kind: what it is called when it is taken out.
        clues: a text without any of these has none; looking for them is cheaper than for the form.
        form: its group `secret`, or else all of it, is what goes.
    """

    kind: str
    clues: tuple[str, ...]
    form: re.Pattern[str]


def _prefixed(kind: str, clues: str, form: str) -> Form:
    return Form(kind, tuple(clues.split()), re.compile(_EDGE + f"(?:{form})" + _END))


# By the prefixes that their makers give them, and by their place.
FORMS: tuple[Form, ...] = (
    Form(
        "private key",
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
            r"(?=(?:\s++|(?:\\[nr])++|[A-Za-z\-]++: [^\n]*+\n){0,24}+[A-Za-z0-9+/]{16})"
            r"[^\0]*?(?:-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----|\Z)"
        ),
    ),
    Form(
        "password in a URL",
        ("://",),
        re.compile(
            r"[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s/:@\"'<>]{0,60}:(?P<secret>(?![\"'$<{\[%*])[^\s/@\"'<>]{3,200})@[\w\[]"
        ),
    ),
    Form(
        "webhook",
        ("hooks.slack.com/",),
        re.compile(r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9/_]{20,})"),
    ),
    Form("webhook", ("/api/webhooks/",), re.compile(r"discord(?:app)?\.com/api/webhooks/\d+/(?P<secret>[\w\-]{40,})")),
    Form(
        "storage key",
        ("AccountKey=", "SharedAccessKey="),
        re.compile(r"(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,}={0,2})"),
    ),
    Form(
        "signature in a URL",
        ("sig=", "Signature="),
        re.compile(r"[?&](?:sig|X-Amz-Signature|X-Goog-Signature)=(?P<secret>[A-Za-z0-9%+/]{40,}=*)"),
    ),
    _prefixed("aws access key", "AKIA ASIA AGPA AIDA AROA ANPA ANVA ABIA ACCA", r"A[A-Z]{2}A[A-Z0-9]{16}"),
    _prefixed("github token", "gh github_pat_", r"gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{36,255}"),
    _prefixed("gitlab token", "gl", r"gl(?:pat|dt|ptt|rt|cbt|ft|soat|agent|imt|oas)-[A-Za-z0-9_\-.]{20,}"),
    _prefixed("anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_\-]{20,}"),
    _prefixed("openai key", "sk-", r"sk-(?:(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_\-]{20,}|[A-Za-z0-9]{32,})"),
    _prefixed(
        "google key",
        "AIza ya29. GOCSPX-",
        r"AIza[0-9A-Za-z_\-]{35}|ya29\.[0-9A-Za-z_\-]{20,}|GOCSPX-[A-Za-z0-9_\-]{24,}",
    ),
    _prefixed(
        "slack token",
        "xox xapp-",
        r"xox[abeoprs]-(?:[A-Za-z0-9]+-)*[A-Za-z0-9]{10,}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{20,}",
    ),
    _prefixed(
        "stripe key",
        "_live_ _test_ whsec_",
        r"(?:sk|rk|pk)_(?:live|test)_[0-9a-zA-Z]{16,}|whsec_[A-Za-z0-9+/]{24,}={0,2}",
    ),
    _prefixed("npm token", "npm_", r"npm_[A-Za-z0-9]{30,}"),
    _prefixed("pypi token", "pypi-", r"pypi-[A-Za-z0-9_\-]{40,}"),
    _prefixed("hugging face token", "hf_", r"hf_[A-Za-z0-9]{30,}"),
    _prefixed("docker token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{20,}"),
    _prefixed("digitalocean token", "_v1_", r"do[opr]_v1_[0-9a-f]{40,}"),
    _prefixed("shopify token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _prefixed("vault token", "hv", r"hv[sbr]\.[A-Za-z0-9_\-]{24,}"),
    _prefixed("databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _prefixed("sendgrid key", "SG.", r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
    _prefixed("mailgun key", "key-", r"key-[0-9a-f]{32}"),
    _prefixed("linear key", "lin_", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    _prefixed("supabase key", "sbp_ sb_secret_", r"sb(?:p|_secret)_[A-Za-z0-9_]{24,}"),
    _prefixed("sentry token", "sntry", r"sntry[su]_[A-Za-z0-9+/=_\-]{40,}"),
    _prefixed("grafana token", "glsa_ glc_", r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/=]{32,}"),
    _prefixed("age key", "AGE-SECRET", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    _prefixed("rubygems key", "rubygems_", r"rubygems_[0-9a-f]{40,}"),
    _prefixed("postman key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _prefixed("atlassian token", "ATATT3", r"ATATT3[A-Za-z0-9_\-=]{40,}"),
    _prefixed("new relic key", "NRAK-", r"NRAK-[A-Z0-9]{27}"),
    _prefixed("twilio key", "SK", r"SK[0-9a-f]{32}"),
    _prefixed("telegram token", ":AA", r"\d{8,10}:AA[A-Za-z0-9_\-]{32,35}"),
    _prefixed("json web token", "eyJ", r"eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}"),
)

# Values that stand for a secret that isn't there.
PLACEHOLDER = re.compile(
    r"""(?xi) ^(?: [<${\[\#@].* | %.*% | x{3,}.* | \*{2,}.* | \.{2,}.* | …+ | [-_=]+ | your.*
    | (?:my|the|some|any|insert|enter|put|add|use)[-_\s].*
    | .*(?:placeholder|change[-_]?me|redacted|dummy|foobar).* | examples?[-_]?\w*
    | none | null | nil | undefined | true | false | todo | tbd | test(?:ing)?[-_]?(?:password|token|secret|key)?
    | (?:my)?pass(?:word|wd|phrase)?\d{0,3} | pwd | secret | token | key | string | str | bytes | text
    | user(?:name)? | admin | root | guest | required | optional | default | hidden | empty | blank | value
    )$"""
)

_CODE = re.compile(
    r"""(?x) .*[()\[\]].* | .*\b(?:env|environ|process|self|this|config|settings|secrets|vars|args|os)\..*
    | [A-Za-z_]+(?:\.[A-Za-z_]\w*)+ | [A-Za-z_]+(?:->|::)\S* | [A-Z][A-Z_]+ | [~./]\S* | \w+://\S*
    | \S*\.(?:json|ya?ml|toml|env|pem|txt|py|js|ts|md|key|crt) | v?\d+(?:\.\d+)*\S{0,3}"""
)


class Named(NamedTuple):
    """A rule for what stands behind a name.

    Attributes:
        kind: what it is called when it is taken out.
        clues: a text without any of these, in lower case, has none.
        form: the name, and in the group `secret` the value; a group `quote` where it is quoted.
        holds: whether a value, quoted or not, is a secret rather than a word, a reference or a piece of code.
    """

    kind: str
    clues: tuple[str, ...]
    form: re.Pattern[str]
    holds: Callable[[str, bool], bool]


def _behind(names: str) -> re.Pattern[str]:
    """A value behind one of the names: in a setting, a dictionary, an option or a sentence."""
    return re.compile(
        rf"(?i)(?:{names})[\"'`\]]{{0,2}}"
        r"(?:(?:\s?:\s?[A-Za-z.<>\[\]]{2,30})?\s{0,4}(?:=>|:=|==?)\s{0,4}|\s{0,4}:\s{0,4}"
        r"|\s(?:is|was|to|changed to|set to)\s{1,2}(?:now\s)?|\s)"
        r"(?:(?P<quote>[\"'`])(?=[^\"'`\n]{4,300}[\"'`]))?"
        r"(?P<secret>(?(quote)[^\"'`\n]{4,300}|[^\s\"'`,;)}\]]{3,299}[^\s\"'`,;)}\].:!?]))"
    )


def _is_password(value: str, quoted: bool) -> bool:
    if PLACEHOLDER.match(value) or _CODE.fullmatch(value) or len(value) < 6 or " " in value:
        return False
    return any(map(str.isdigit, value)) or any(not each.isalnum() and each not in "_-./:" for each in value)


def _is_token(value: str, quoted: bool) -> bool:
    if PLACEHOLDER.match(value) or _CODE.fullmatch(value) or " " in value or len(value) < (8 if quoted else 12):
        return False
    digits, letters = sum(map(str.isdigit, value)), sum(map(str.isalpha, value))
    return bool(digits) and letters + digits >= len(value) * 0.7 and len(set(value)) >= 6 and letters > 0


NAMED: tuple[Named, ...] = (
    Named(
        "credential in a header",
        ("authorization", "bearer", "api-key"),
        re.compile(
            # No run of spaces is taken twice (++): long ones took the square of their length.
            r"(?i)(?:authorization|bearer|x-api-key|api-key)\b[\"']?\s*+[:=]?\s*+[\"']?"
            r"(?:(?:bearer|basic|token|digest)\s++)?"
            r"(?P<secret>[A-Za-z0-9._~+/\-]{12,}=*)"
        ),
        _is_token,
    ),
    Named(
        "password",
        ("pass", "pwd", "pw", "pin"),
        _behind(
            r"passwords?|passwd|passphrase|pwd|requirepass|(?<![a-z])pw|(?<![a-z])pass(?=\s{0,4}[=:])|(?<![a-z])pin(?=\s{0,4}[=:])"
        ),
        _is_password,
    ),
    Named(
        "token",
        ("key", "token", "secret", "credential", "auth"),
        _behind(
            r"api[_\- ]?(?:key|token|secret)|access[_\- ]?(?:key(?:[_\- ]id)?|token)"
            r"|secret(?:[_\- ]?(?:access)?[_\- ]?key)?"
            r"|(?:app|consumer|shared|webhook|signing|jwt|session|cookie|private|encryption|license|master|account|storage"
            r"|service|subscription)[_\- ]?key|token|credentials?|auth(?=\"?\s{0,4}[=:])"
        ),
        _is_token,
    ),
    Named(
        "password",
        ("curl", "sshpass", "mysql"),
        re.compile(
            r"(?:curl\b[^\n]{0,200}?\s(?:-u|--user)\s{1,2}[\"']?[^\s:\"']{1,60}:|sshpass\s+-p\s{0,2}[\"']?"
            r"|mysql\b[^\n]{0,100}?\s-p)(?P<secret>[^\s\"']{4,100})"
        ),
        _is_password,
    ),
)


# Parts of detect-secrets' forms that take the square of a line's length, or worse, on lines made for it; and what takes
# their place. The first of each is as its release has it: tests/fuzz/test_growth.py finds those that it changes.
_BOUNDED = (
    ("(?: *)(?:=|:|:=|=>| +|::)(?: *)", "(?: {0,4}(?:=>|:=|::|=|:) {0,4}| {1,4})"),
    (r"eyJ[A-Za-z0-9-_=]+\.", r"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]+={0,2}\."),
    (r"\/\/.+\/:_authToken=", r"\/:_authToken="),
    (r"sk-[A-Za-z0-9-_]*[A-Za-z0-9]{20}T3", r"(?<![A-Za-z0-9_\-])sk-[A-Za-z0-9_\-]*[A-Za-z0-9]{20}T3"),
)


def _bounded(form: re.Pattern[str]) -> re.Pattern[str]:
    written = form.pattern
    for part, instead in _BOUNDED:
        written = written.replace(part, instead)
    return form if written == form.pattern else re.compile(written, form.flags)


@cache
def known_forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """detect-secrets' forms, each with its kind. Its checks against the credentials' makers are left alone."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    detectors: Iterable[Any] = get_mapping_from_secret_type_to_class().values()
    ours = ("IPPublicDetector", "PrivateKeyDetector", "BasicAuthDetector")  # no secret; wider than a line; above
    return tuple(
        (detector.secret_type.lower(), _bounded(form))
        for detector in detectors
        if issubclass(detector, RegexBasedDetector) and detector.__name__ not in ours
        for form in detector.denylist
    )
