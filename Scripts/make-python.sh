#!/usr/bin/env bash
# Makes .deps/python, the virtual environment with the packages that tests use as oracles, once;
# later runs need no network. PYTHON may name the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "make-python: $*" >&2; exit 1; }

target=.deps/python
stamp="$(cksum <Scripts/requirements.txt) $PWD"
if [ "$(cat $target/stamp 2>/dev/null)" = "$stamp" ] && $target/bin/python3 -c "" 2>/dev/null; then exit 0; fi

suitable="import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
for python in ${PYTHON:-} python3 /usr/bin/python3 ""; do
  [ -n "$python" ] || fail "found no Python 3.11 or later with venv; PYTHON may name one"
  if "$python" -c "$suitable" 2>/dev/null; then break; fi
done

# A virtual environment knows its own path, so it is made in place; the stamp is written last.
rm -rf "$target"
mkdir -p .deps
"$python" -m venv "$target" || fail "$python cannot make a virtual environment"
"$target/bin/python3" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
  --require-hashes --requirement Scripts/requirements.txt ||
  fail "could not install the packages of Scripts/requirements.txt"
echo "$stamp" >"$target/stamp"
