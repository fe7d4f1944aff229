#!/usr/bin/env bash
# Makes .deps/python, the virtual environment with the packages that tests use as oracles, once;
# later runs need no network. PYTHON names another interpreter than python3.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "make-python: $*" >&2; exit 1; }

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$python must be Python 3.11 or later"

target=.deps/python
stamp="$(cksum <Scripts/requirements.txt) $PWD"
if [ "$(cat $target/stamp 2>/dev/null)" = "$stamp" ] && $target/bin/python3 -c ""; then exit 0; fi

# A virtual environment knows its own path, so it is made in place; the stamp is written last.
rm -rf "$target"
mkdir -p .deps
"$python" -m venv "$target" || fail "$python cannot make a virtual environment"
"$target/bin/python3" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
  --require-hashes --requirement Scripts/requirements.txt ||
  fail "could not install the packages of Scripts/requirements.txt"
echo "$stamp" >"$target/stamp"
