#!/usr/bin/env bash
# All tests of this repository: installs what they need, runs them, and fails if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_INCREMENTAL=0

say() { printf '\n== %s\n' "$*"; }
missing=()
command -v cc > /dev/null || missing+=(gcc)
command -v kcat > /dev/null || missing+=(kcat)
command -v curl > /dev/null || missing+=(curl)
command -v python3 > /dev/null || missing+=(python3)
python3 -m venv --help > /dev/null 2>&1 || missing+=(python3-venv)
command -v javac > /dev/null || missing+=(openjdk-17-jdk-headless)
command -v mvn > /dev/null || missing+=(maven)
command -v unzip > /dev/null || missing+=(unzip)
command -v go > /dev/null || missing+=(golang)
command -v npm > /dev/null || missing+=(nodejs npm)
command -v make > /dev/null || missing+=(make)
command -v c++ > /dev/null || missing+=(g++)
[ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${missing[@]}" > /dev/null
fi

say "format"; cargo fmt --all --check
say "lints";  cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
say "house";  cargo xtask tidy
say "tests";  cargo test --workspace --locked --quiet
say "binary"; cargo build --locked --quiet --package ottla-server
say "docs"; tests/docs.sh "${CARGO_TARGET_DIR:-target}/debug/ottla"
if command -v mdbook > /dev/null; then mdbook build docs; fi
say "command line"; tests/cli.py "${CARGO_TARGET_DIR:-target}/debug/ottla"
say "Protobuf beside protoc"; tests/conformance/protobuf/run.sh 500
say "real clients"
tests/conformance/run.sh "${CARGO_TARGET_DIR:-target}/debug/ottla"
