#!/usr/bin/env bash
# Installs the system packages that the build, the tests and the figures need; nothing that is
# there already, and without touching the package manager when all of it is.
set -euo pipefail

missing=()
need() { # need PACKAGE TEST...
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}

# True when the C compiler finds a header.
header() {
  local compiler
  compiler=$(command -v clang || command -v cc || command -v gcc) || return 1
  echo "#include <$1>" | "$compiler" -fsyntax-only -x c -
}

need libdnnl-dev header oneapi/dnnl/dnnl.h
need libsqlite3-dev header sqlite3.h
need gnuplot-nox gnuplot --version
need binutils readelf --version
# Only for the test that opens a report.
need chromium chromium --version
# Any Python that can make a virtual environment will do: see make-python.sh.
venv() {
  local python
  for python in ${PYTHON:-} python3 /usr/bin/python3; do
    if "$python" -c "import ensurepip, venv"; then return; fi
  done
  return 1
}
need python3-venv venv

if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

fail() {
  echo "install-system-packages: $*" >&2
  echo "missing here (Debian's names): ${missing[*]}" >&2
  echo "then give the command again" >&2
  exit 1
}

command -v apt-get >/dev/null ||
  fail "this system has no apt-get: install the packages with its own package manager"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    fail "neither root nor sudo: ask an administrator to install the packages with" \
      "'apt-get update && apt-get install --no-install-recommends ${missing[*]}'"
  as_root=(sudo)
fi

install() {
  # The variable keeps package scripts from asking questions.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${missing[@]}"
}

echo "Installing ${missing[*]}"
# Package lists may be absent or old: the second try has fresh ones.
install || { "${as_root[@]}" apt-get update && install; } || fail "apt-get did not succeed"
