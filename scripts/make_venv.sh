#!/bin/sh
# Make a virtual environment with the first suitable Python: $PYTHON if set, else python3, else python3.14 to python3.11.
# A name on the PATH proves nothing (it may be a shim for a version that is not there), so each one is run.
set -eu

venv=$1
wanted='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if "$python" -c "$wanted" >/dev/null 2>&1; then
        echo "making $venv with $("$python" --version) ($(command -v "$python"))"
        exec "$python" -m venv --clear "$venv"
    fi
done

cat >&2 <<END
error: no suitable Python was found (looked for: ${PYTHON:-python3, python3.11 to python3.14}).
memd needs Python 3.11 or newer with its venv module (on Debian and Ubuntu: the package python3-venv).
Install one, or name it: make PYTHON=/path/to/python setup
END
exit 1
