"""Closed lists: what a file ends in, which capitalised words name nobody."""

from memd.text.words import listed

FILE_EXTENSIONS = listed("""
    py pyi pyx ipynb js mjs cjs jsx ts mts tsx rs go c h cc cpp cxx hpp hh cs java kt kts swift m mm rb php pl pm
    sh bash zsh fish ps1 bat cmd sql md mdx rst txt adoc tex htm html css scss less json json5 jsonl ndjson yml yaml
    toml ini cfg conf env lock xml csv tsv parquet db sqlite sqlite3 log proto graphql vue svelte lua r jl ex exs erl
    hs clj scala dart tf gradle cmake mk so dll dylib exe whl gz tgz tar zip bz2 xz pdf png jpg jpeg gif svg webp ico
    wasm onnx safetensors service plist patch diff bak tmp pem key crt sock pid
    """)
# Products that look like files.
NOT_FILES = listed("node.js vue.js next.js nuxt.js react.js three.js d3.js express.js ember.js p5.js asp.net")
BARE_FILES = listed(
    "makefile gnumakefile dockerfile containerfile justfile gemfile rakefile procfile jenkinsfile vagrantfile"
)
# First folders of a path without an extension; "and/or" and "input/output" aren't paths.
FOLDERS = listed("""
    src lib libs test tests doc docs script scripts cli bin etc usr var tmp home opt dev proc sys mnt cmd pkg internal
    app apps packages examples tools vendor node_modules build dist include config .github .git .vscode .config public
    static assets templates migrations crates
    """)
TOP_DOMAINS = listed("com org net edu gov io ai uk de fr jp nl eu")

INSTALLERS = listed("pip pip3 pipx uv npm npx yarn pnpm bun cargo brew apt apt-get dnf gem conda poetry")

CALENDAR_WORDS = listed("""
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
    spring summer autumn fall winter christmas easter thanksgiving halloween today yesterday tomorrow
    """)

# `feat(parser): …`: the type of a conventional commit, not a call.
COMMIT_TYPES = listed("feat fix docs chore refactor test perf ci build style revert")
# "mid-2020" is a time, not a name.
TIME_PREFIXES = listed("mid pre post early late since until") | CALENDAR_WORDS

# POSIX error names; other upper-case words that begin with E are words.
ERRNO = listed("""
    E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAGAIN EALREADY EBADF EBUSY ECANCELED ECHILD ECONNABORTED ECONNREFUSED
    ECONNRESET EDEADLK EDQUOT EEXIST EFAULT EFBIG EHOSTUNREACH EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP
    EMFILE EMLINK EMSGSIZE ENAMETOOLONG ENETDOWN ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT ENOEXEC ENOLCK ENOMEM
    ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTSOCK ENOTSUP ENOTTY ENXIO EOPNOTSUPP EOVERFLOW EPERM EPIPE EPROTO
    ERANGE EROFS ESPIPE ESRCH ESTALE ETIMEDOUT ETXTBSY EWOULDBLOCK EXDEV ERESOLVE EUSAGE ENOTFOUND
    SIGABRT SIGALRM SIGBUS SIGCHLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGKILL SIGPIPE SIGQUIT SIGSEGV SIGSTOP SIGSYS
    SIGTERM SIGTRAP SIGTSTP SIGUSR1 SIGUSR2 SIGWINCH
    """)

# Second halves of "end.Next", where the blank after a sentence was forgotten.
SENTENCE_WORDS = listed("""
    the a an i we it this that then and but so you he she they there is in on if what when how my our no yes not for
    to please also now or as at by of
    """)

# Capitalised words that begin sentences, headings, commit subjects and log lines, and name nobody.
STARTERS = listed("""
    i i'm i've i'll i'd im the a an this that these those there here it its it's he she they we you my our your his her
    their me us them him who what when where why how which whose whom
    is are was were am be been do does did done has have had can could will would shall should may might must
    and or but nor so yet for if then else also because since while although though unless until after before
    as at by in into of off on onto out over to from up with without about across against along around behind below
    beneath beside between beyond despite down during except inside like near outside per through throughout
    toward towards under upon via within
    yes no not now ok okay oh wow hey hi hello thanks thank please sorry sure well maybe perhaps great good nice cool
    awesome absolutely definitely totally really actually basically finally first second third next last later soon
    just only even still again already always never sometimes often usually once today's all any both each every few
    many more most much neither none one other others several some such two three four five six seven eight nine ten
    let's lets let that's what's who's where's here's there's how's he's she's don't doesn't didn't can't won't isn't
    aren't wasn't couldn't wouldn't shouldn't you're you've you'll you'd we're we've we'll we'd they're they've they'll
    add adds allow allows apply ask avoid bump build call change check clean close commit configure convert copy
    correct create cut decide define delete deprecate disable document don drop enable ensure expand explain export
    extract fetch find fix fixes follow format generate get give handle hide implement import improve include
    increase initial install introduce investigate keep limit link list load look mac make mark merge mention
    migrate move new note now open optimize parse pass pin port prefer prepare prevent print provide publish pull
    push put raise read rebuild record recreate reduce refactor reference release remove rename reorder replace report
    require reset resolve restore return revert review rewrite run save see send separate set setup show simplify
    skip sort split start stop store support switch sync take test tests tidy try turn tweak undo update updates
    upgrade use uses using validate verify wait warn wip work works workaround write
    error errors warning info debug trace fatal critical panic failed failure exception caused traceback
    todo fixme xxx hack nb tip important summary description context problem solution background goal goals result
    results example examples usage steps step expected actual question answer conclusion decision reason status
    input output user assistant system human file line version section chapter figure table part page appendix
    english american british european
    everyone everybody someone somebody anyone anybody nobody something anything everything nothing
    yeah yep yup nope nah bye goodbye congrats congratulations woah whoa aw aww haha lol gosh wow hmm hm huh ugh yay
    cheers welcome glad happy love morning evening afternoon night ran self true false null none optional
    mr mrs ms dr prof sir
    """)
