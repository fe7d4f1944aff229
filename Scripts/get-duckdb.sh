#!/usr/bin/env bash
# Puts DuckDB's C library into .deps/duckdb/lib, once; later runs need no network.
#
# The library comes out of the PyPI wheel, which exports the whole C API, pinned by SHA-256.
# The wheel's library also holds Python bindings: a stub gives the symbols that these need, so
# that no Python is loaded. `-lduckdb` finds a two-line linker script that names both.
#
# To use an official libduckdb instead, set DUCKDB_LIB to the folder that holds libduckdb.so;
# then this script does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2.0.0
sha256_x86_64=5a3601121c7cc50d0b70412995634682fafcb58a0156d5d663dfd0b3bbe30a33
sha256_aarch64=bcdf10dfbc2c1a6bdc5b2a94bba5b15481e552c5745c2af1994617b0eb6bc750

fail() { echo "get-duckdb: $*" >&2; exit 1; }

if [ -n "${DUCKDB_LIB:-}" ]; then
  for name in libduckdb.so libduckdb.dylib; do
    if [ -e "$DUCKDB_LIB/$name" ]; then exit 0; fi
  done
  fail "DUCKDB_LIB is $DUCKDB_LIB, but there is no libduckdb.so in it"
fi

machine=$(uname -m)
case "$(uname -s)-$machine" in
  Linux-x86_64) sha256=$sha256_x86_64 ;;
  Linux-aarch64) sha256=$sha256_aarch64 ;;
  *) fail "no pinned library for $(uname -s) on $machine: install the official libduckdb" \
    "$version and set DUCKDB_LIB to its folder" ;;
esac

# The stamp is written last and the folder is moved into place whole: it is there or it is not.
target=.deps/duckdb
stamp="duckdb $version $sha256 layout 1"
if [ "$(cat $target/stamp 2>/dev/null)" = "$stamp" ]; then exit 0; fi

for tool in python3 readelf; do
  command -v $tool >/dev/null || fail "$tool is missing"
done
compiler=$(command -v cc || command -v clang || command -v gcc) || fail "no C compiler (cc)"

mkdir -p .deps
work=$(mktemp -d .deps/duckdb.partial.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

python=python3
if ! $python -m pip --version >/dev/null 2>&1; then
  python3 -m venv "$work/venv" >/dev/null 2>&1 ||
    fail "python3 has neither pip nor venv: install python3-pip"
  python="$work/venv/bin/python3"
fi
echo "duckdb==$version --hash=sha256:$sha256" >"$work/requirements.txt"
$python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --python-version 3.11 --implementation cp --platform "manylinux_2_28_$machine" \
  --require-hashes --requirement "$work/requirements.txt" --dest "$work" >&2 ||
  fail "could not download DuckDB $version (or its hash differs from the pinned one)"
$python -m zipfile -e "$work"/duckdb-*.whl "$work/wheel"

mkdir -p "$work/duckdb/lib"
lib="$work/duckdb/lib"
cp "$work"/wheel/_duckdb.*.so "$lib/libduckdb_engine.so"
# Data symbols that the bindings refer to, and functions that nobody calls.
readelf -rW "$lib/libduckdb_engine.so" | awk '
  $5 ~ /^_?Py/ {
    jump = ($3 ~ /JUMP_SLO/); name = $5; sub(/@.*/, "", name)
    if (!(name in data) || !jump) data[name] = !jump
  }
  END {
    for (name in data)
      if (data[name]) print "__attribute__((visibility(\"default\"))) char " name "[512];"
      else print "__attribute__((visibility(\"default\"))) void " name "(void) { __builtin_trap(); }"
  }' | sort >"$work/stub.c"
"$compiler" -shared -fPIC -Wl,-soname,libduckdb_pystub.so -o "$lib/libduckdb_pystub.so" "$work/stub.c"
echo "/* GNU ld script */ INPUT(-lduckdb_engine -lduckdb_pystub)" >"$lib/libduckdb.so"

cat >"$work/check.c" <<'PROBE'
const char *duckdb_library_version(void);
int main(void) { return duckdb_library_version()[0] != 'v'; }
PROBE
"$compiler" -o "$work/check" "$work/check.c" -L"$lib" -Wl,--no-as-needed -lduckdb \
  -Wl,-rpath,"$PWD/$lib" && "$work/check" || fail "the library does not load"

echo "$stamp" >"$work/duckdb/stamp"
rm -rf "$target"
mv "$work/duckdb" "$target"
echo "DuckDB $version is in $target"
