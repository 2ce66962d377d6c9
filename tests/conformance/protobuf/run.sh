#!/usr/bin/env bash
# Round trips of Protobuf messages against Google's Python classes made by protoc: run.sh [CASES [SEED]]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${CONFORMANCE_HOME:-$here/../../../target/conformance}
mkdir -p "$home"
[ -x "$home/protobuf/bin/python" ] || {
  python3 -m venv "$home/protobuf"
  "$home/protobuf/bin/pip" -q install grpcio-tools==1.85.1 protobuf==7.36.2
}
peer=${PROTOBUF_PEER:-${CARGO_TARGET_DIR:-$here/../../../target}/debug/examples/protobuf_peer}
[ -x "$peer" ] || (cd "$here" && cargo build --locked --quiet -p ottla-schema --example protobuf_peer)
"$home/protobuf/bin/python" "$here/peer.py" "$peer" "${1:-2000}" "${2:-1}"
