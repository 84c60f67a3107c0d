"""The words that the rules on conflicts go by: English, as notes on software are written. Stems where it says so."""

from __future__ import annotations

from memd.text.words import listed

STOP = listed("""
    a an the this that these those it its our your their my his her we you they i he she us them there here of
    and or to in on at by for from with via into onto over under as than then so also just only still already
    even very quite be is are was were been being am has have had having do does did done will would shall
    should can could may might must need needs ought let lets now currently today nowadays presently again
    always really simply all every each any some which who whom whose what where how per about up out both
    either please
""")

# Verbs that say little: a thing that listens on a port has it, as one that runs on it. Stems.
LIGHT = listed("""
    us run listen live lie sit stand go keep stor locat find set configur happen call nam mak put plac exist
    bind resid take get com start do point serv host perform carri done stay remain
""")

# Names beside these add up rather than exclude each other ("supports CSV", "supports JSON"). Stems.
MANY = listed("""
    support includ hav contain provid offer handl accept need requir depend import export expos hold list read
    parse cover log emit ship know understand test check catch valid cach report pars return mean load send show
    print track collect allow let giv work add us link refer mention
""")

# What happened once: two such are two events. Stems.
EVENT = listed("""
    fix add merg refactor releas report measur implement introduc found discover notic debug investigat crash
    broke fail ran met discuss attend finish complet publish announc learn saw tri revert clean improv document
""")

# Words by which a speaker greets, thanks or cheers: what begins so states nothing.
CHATTER = listed("""
    hey hi hello bye goodbye thanks thank thx cheers wow woah whoa woo woohoo yay yeah yep yes yup no nope nah ok okay
    sure definitely absolutely totally exactly agreed agree congrats congratulations awesome great nice cool amazing
    lovely sweet sorry aww aw haha lol oh ah hmm well good same me see sounds looks welcome gotcha right true
""")

# What follows "to" where that says what for, not whereto. As written.
AIMS = listed("""
    reflect use support match include avoid make show allow handle fix work be add cover test explain say mention
    clarify document demonstrate ensure help keep prevent reduce improve return accept take get have run
""")

OWNING = listed("own maintain lead manag review administer head run sponsor")

# Words that a subject may have or not have. Stems.
GENERIC = listed("""
    server servic project app applic repo repositori system codebas cod default current valu number version nam
    fil team program tool set option configur modul new old actual latest curr exact exactli offici main_ site
    softwar platform product_ packag_ directori folder path locat time period durat
""")

NEGATIONS = listed("""
    not no never without cannot neither nor nobody nothing none isn't aren't wasn't weren't don't doesn't didn't
    won't can't couldn't shouldn't wouldn't mustn't hasn't haven't hadn't needn't ain't longer stop stopped
    stops cease ceased avoid avoids dont doesnt cant wont
""")

# The second is the first, denied. Stems.
OPPOSITES = {
    "disabl": "enabl",
    "deactivat": "enabl",
    "activat": "enabl",
    "option": "requir",
    "mandatori": "requir",
    "forbidden": "allow",
    "forbid": "allow",
    "prohibit": "allow",
    "disallow": "allow",
    "ban": "allow",
    "block": "allow",
    "permit": "allow",
    "deni": "allow",
    "fals": "true",
    "false": "true",
    "privat": "public",
    "unsupport": "support",
    "fail": "pass",
    "broken": "work",
    "unsaf": "saf",
    "insecur": "secur",
    "close": "open",
    "immut": "mutabl",
    "unus": "us",
    "unavail": "avail",
    "invalid": "valid",
    "asynchron": "synchron",
    "async": "synchron",
    "sync": "synchron",
    "manual": "automat",
    "manually": "automat",
    "automatically": "automat",
    "exclud": "includ",
    "incompat": "compat",
    "unstabl": "stabl",
    "nullabl": "requir",
    "insensitiv": "sensitiv",
    "case-insensitive": "case-sensitive",
    "unlimit": "limit",
    "encrypt": "encrypt",
    "unencrypt": "encrypt",
    "reject": "accept",
    "ignor": "respect",
    "descend": "ascend",
    "slow": "fast",
    "inactiv": "activ",
    "unlock": "lock",
    "unsign": "sign",
    "untest": "test",
    "unmaintain": "maintain",
}
POSITIVE = frozenset({"activat", "mandatori", "permit", "sync", "automatically", "encrypt"})  # same sense, other word

# Where or for whom: two places may differ without a contradiction. Stems.
PLACES = listed("""
    stag product prod dev development test qa uat preview sandbox demo local locali remot ci linux macos mac window
    darwin ubuntu debian alpin android ios web mobil desktop client frontend backend browser chrom firefox
    safari arm x86 arm64 amd64 eu apac europ asia america night weekend
""")

# What makes a statement hold only then. As written.
CONDITIONS = listed("""
    if when whenever unless until before after during while except otherwise else once since besides because
    although though whereas
""")

MOVING = listed("""
    mov migrat switch chang port renam upgrad updat bump downgrad rais lower increas decreas reduc extend
    shorten relocat transfer convert cut grow grew went shift bump_ doubl
""")
REMOVING = listed("remov delet drop retir decommission sunset abandon eliminat discontinu scrap deprecat")
REPLACING = listed("replac swap substitut supersed exchang")

SAME = {
    "maximum": "max",
    "minimum": "min",
    "megabyt": "mb",
    "databas": "db",
    "repositori": "repo",
    "config": "configur",
    "configuration": "configur",
    "directori": "dir",
    "folder": "dir",
    "authent": "auth",
    "authentication": "auth",
    "environment": "env",
    "javascript": "js",
    "typescript": "ts",
    "postgresql": "postgr",
    "postgre": "postgr",
    "kubernet": "k8s",
    "deployment": "deploy",
    "documentation": "doc",
    "docu": "doc",
    "production": "prod",
    "product": "prod",
    "indentation": "indent",
    "built": "build",
    "kept": "keep",
    "ran": "run",
    "written": "writ",
    "wrote": "writ",
    "held": "hold",
    "made": "mak",
    "sent": "send",
    "stored": "stor",
    "chosen": "choos",
    "chose": "choos",
    "driven": "driv",
    "drawn": "draw",
    "shown": "show",
    "hidden": "hid",
    "required": "requir",
    "optional": "option",
    "mandatory": "mandatori",
    "use": "us",
    "uses": "us",
    "used": "us",
    "using": "us",
    "has": "hav",
    "had": "hav",
    "have": "hav",
    "need": "need",
    "true": "true",
    "live": "live",
    "lives": "live",
    "living": "live",
    "timed": "time",
    "timeout": "timeout",
    "installation": "install",
    "license": "licens",
    "took": "take",
    "taken": "take",
    "lasts": "last_",
    "said": "say",
}

UNITS = {
    "ms": ("time", 0.001), "millisecond": ("time", 0.001), "s": ("time", 1), "sec": ("time", 1), "second": ("time", 1),
    "m": ("time", 60), "min": ("time", 60), "minute": ("time", 60), "h": ("time", 3600), "hr": ("time", 3600),
    "hour": ("time", 3600), "d": ("time", 86400), "day": ("time", 86400), "week": ("time", 604800),
    "month": ("time", 2592000), "year": ("time", 31536000),
    "b": ("size", 1), "byte": ("size", 1), "kb": ("size", 1e3), "kib": ("size", 1024), "kilobyte": ("size", 1e3),
    "mb": ("size", 1e6), "mib": ("size", 1048576), "megabyte": ("size", 1e6), "gb": ("size", 1e9),
    "gib": ("size", 2**30), "gigabyte": ("size", 1e9), "tb": ("size", 1e12), "terabyte": ("size", 1e12),
    "%": ("share", 1), "percent": ("share", 1),
}  # fmt: skip

NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12,
}  # fmt: skip
DAYS = listed("monday tuesday wednesday thursday friday saturday sunday")
MONTHS = listed("january february march april may june july august september october november december")

PREPOSITIONS = listed("in on at by for from with via into onto to under over through as using behind against")
VERBS = listed("""
    us run listen live go keep stor find set happen call nam mak put plac exist bind resid take get start point
    serv host deploy build writ requir need support own lead manag expir hash handl return hold hav retri retry
    commit contain provid mov switch renam upgrad replac migrat chang drop remov work fail pass expos read send
    log ship depend import allow accept last wait consist pin publish releas format lint sit store connect talk
    report generat produc emit cach authent sign encrypt back rely choos pick prefer adopt limit default cost
    weigh mean maintain review cover test load parse pars time sleep rotat scale bump rais lower increas deliver
    trigger render sort order index poll flush sync backup shard target compil bundl minifi pack transpil instal
    cut merg squash rebas tag branch track measur count charg bill queri fetch pull push join link map open clos
    ignor validat check reject block print show display notifi alert page escalat stay belong fall apply apply_
    grant expect assum know fit begin end stop add fix
""")
