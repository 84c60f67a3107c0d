"""The words of made memories: what people write beside their code. Most used first, as Zipf's law wants them."""

from __future__ import annotations


def ordered(words: str) -> tuple[str, ...]:
    """The words of `words` in their order."""
    return tuple(words.split())


NOUNS = ordered("""
    test file server build error user request cache config branch table query index release job token client queue
    function log database deploy version key page worker module service script schema field folder path migration
    package timeout thread session record endpoint header loop button commit parser response list event column
    container backup variable option driver buffer cluster pipeline report template socket handler password form
    plugin lock image certificate tag host retry batch digest stream counter threshold limit region bucket snapshot
    replica partition cursor view row transaction trigger fixture mock assertion coverage benchmark profile trace
    metric alert dashboard incident outage runbook ticket review milestone sprint estimate deadline meeting customer
    invoice payment refund order cart price currency account address contract supplier shipment warehouse stock
    catalogue discount coupon receipt tax ledger balance exchange rate quote portfolio tenant role permission policy
    scope secret credential cookie redirect proxy gateway firewall router subnet domain record zone resolver packet
    latency throughput bandwidth memory disk core kernel process signal descriptor pipe daemon timer schedule
    interval calendar reminder notification mail inbox attachment archive checksum signature cipher salt hash seed
    sample outlier histogram percentile average median variance model weight gradient layer tensor epoch feature label
    dataset corpus tokenizer embedding vector distance cosine neighbour graph node edge tree leaf root heap stack
    array slice pointer closure iterator generator decorator annotation interface protocol adapter wrapper factory
    registry observer singleton visitor grammar lexer compiler linker binary symbol section segment page offset
    alignment padding register opcode instruction interrupt scheduler mutex semaphore barrier deadlock race leak crash
    dump core patch diff merge conflict rebase remote fork submodule hook linter formatter style guide convention
    document paragraph heading footnote glossary diagram figure caption margin font colour palette icon layout grid
    sidebar tooltip modal dialog slider toggle checkbox dropdown carousel viewport breakpoint shader texture mesh
    sprite camera light shadow frame animation keyboard mouse gamepad screen printer scanner sensor battery charger
    antenna valve pump motor bearing spindle gauge probe kettle lamp window carpet shelf garden bicycle train ferry
    harbour airport passport luggage hotel museum concert novel recipe flour butter onion lemon pepper kitchen oven
""")

VERBS = ordered("""
    fails runs needs uses returns breaks changes takes writes reads keeps drops misses blocks loads sends closes opens
    updates checks skips waits shows holds removes creates starts stops ignores rejects accepts stores moves copies
    parses renders compiles deploys retries expires leaks crashes hangs restarts rotates truncates overwrites locks
    flushes splits merges sorts counts caches encodes decodes validates escapes quotes wraps prints hides maps joins
    filters groups samples throttles queues schedules cancels resumes migrates replicates mirrors archives signs
    verifies encrypts compresses streams buffers polls subscribes publishes notifies redirects forwards resolves
""")

ADJECTIVES = ordered("""
    new old slow empty wrong missing large small stale broken local remote main last first default full public private
    nightly shared unused duplicate invalid temporary read-only nested flaky optional required internal external
    parallel sequential idle busy early late silent verbose strict lazy eager cold warm hot raw plain signed unsigned
    sparse dense partial whole narrow wide deep shallow heavy light fragile robust obsolete legacy modern portable
""")

SYLLABLES = ordered("""
    ka lo mi ra te no vi sa pe du ri ta ne ko la mo si be fa go hu ja ke li ma nu po ro su ti va we xa yo za bri cla dre
    flo gri pla sto tri vel zor quin thal mer nor dal fen bar sil tor ven
""")

# How a memory is said. Braces name what is put in: noun, verb, adjective, name (a person's), or a rare word of a kind.
SENTENCES = (
    "the {adjective} {noun} {verb} when the {noun} is {adjective}",
    "{noun} {verb} the {noun} before the {noun} {verb}, so keep the {noun} {adjective}",
    "we decided to move the {noun} out of {path} because the {noun} {verb}",
    "fixed in {version}: {identifier} {verb} the {adjective} {noun} instead of the {noun}",
    "{name} says that the {noun} for the {adjective} {noun} is in {path}",
    "use {flag} with the {noun} {noun}, or the {noun} {verb} and nobody notices",
    "{identifier} returns None for a {adjective} {noun}; callers of {identifier} have to check",
    "the {noun} {noun} {verb} with {error} after the {noun} was {adjective}",
    "{ticket}: the {adjective} {noun} {verb} on the {noun} {noun} but not on the {noun}",
    "ask {name} about the {noun}, {name} wrote the {adjective} {noun} last year",
    "to release, run {command} and wait until the {noun} {verb}; then tag the {noun}",
    "why {identifier}: the {noun} {verb} twice as fast and the {adjective} {noun} stays small",
    "don't {verb_bare} the {noun} by hand, {command} does it and {verb} the {noun} too",
    "the {noun} limit is {number} per {noun}; above it the {noun} {verb}",
    "{name} prefers {adjective} {noun} names, no abbreviations, and one {noun} a file",
    "measured today: {number} ms for the {adjective} {noun}, {number} ms once the {noun} {verb}",
    "renamed {identifier} to {identifier}, the {noun} in {path} still has the {adjective} name",
    "set {variable} before the {noun} {verb}; the {noun} reads it once",
    "it is the {noun} that {verb}, not the {noun}: {error} comes from the {adjective} {noun}",
    "next: a {noun} for the {adjective} {noun}, then ask {name} whether the {noun} {verb}",
    "the {noun} of the {noun} has a {adjective} {noun} and {number} {noun} entries",
    "after the upgrade to {version} the {adjective} {noun} {verb} unless {variable} is set",
)

QUESTIONS = (
    "what do we know about {words}",
    "why does the {words} fail",
    "how do we handle {words}",
    "{words}",
    "where is {words}",
    "did we decide anything on {words}",
    "which {words} did we change last month",
    "who knows about {words}",
    "{words} error",
)

COMMANDS = ordered("make cargo npm git docker pytest terraform systemctl")
SUFFIXES = ordered("py rs ts go toml yaml md sql sh json")
ERRORS = ordered(
    "TypeError KeyError TimeoutError ConnectionResetError PermissionError OverflowError UnicodeDecodeError"
)
