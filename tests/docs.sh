#!/usr/bin/env bash
# Runs what the pages of docs/SUMMARY.md tell people to type: docs.sh OTTLA [PAGE...]
#
# Blocks marked ```sh run in order, in one shell a page, which stops at the first failure; ```sh skip is for people. A
# block that names a file (```ini ottla.service) is that file, in the folder where the commands run. Each page has a
# root, a home and a node of its own. Places of the system (/etc, /var/lib, /var/backups) lie in that root; sudo,
# useradd and systemctl are stand-ins, of which systemctl really starts and stops the node; kafka-1:9092 is a second
# node, or the Apache Kafka at DOCS_KAFKA (host:port). After a page `check` looks at what its commands were for.
set -euo pipefail
ottla=$(cd "$(dirname "$1")" && pwd)/$(basename "$1"); shift
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
port=${DOCS_PORT:-19292}
http=$((port + 352))
old=${DOCS_KAFKA:-127.0.0.1:$((port + 1))}
cleanup() {
  local file
  for file in "$work"/*/pid "$work"/*/old.pid; do [ -e "$file" ] && kill "$(cat "$file")" 2> /dev/null; done
  rm -rf "$work"
}
trap 'cleanup || true' EXIT
mkdir "$work/bin"
ln -s "$ottla" "$work/bin/ottla"
printf '#!/bin/sh\nexec "$@"\n' > "$work/bin/sudo"
printf '#!/bin/sh\n' > "$work/bin/useradd"
cat > "$work/bin/systemctl" << 'STUB'
#!/usr/bin/env bash
# systemctl start|stop|restart|enable --now for the one unit there is, or for a node as the page on services has it.
set -euo pipefail
stop() {
  [ -e "$root/pid" ] || return 0
  kill -TERM "$(cat "$root/pid")"
  while kill -0 "$(cat "$root/pid")" 2> /dev/null; do sleep 0.02; done
  rm "$root/pid"
}
start() {
  local unit=$root/etc/systemd/system/ottla.service command
  command="ottla start --data $root/var/lib/ottla --set listeners=PLAINTEXT://127.0.0.1:$port"
  [ -e "$unit" ] && command=$(sed -n 's/^ExecStart=//p' "$unit")
  : > "$root/ready"
  setsid $command >> "$root/ready" 2>> "$root/log" < /dev/null &
  echo $! > "$root/pid"
  for _ in $(seq 300); do grep -q '^ottla ready' "$root/ready" && return 0; sleep 0.05; done
  cat "$root/log" >&2; exit 1
}
case " $* " in
  *" stop "*) stop ;;
  *" restart "*) stop; start ;;
  *" start "* | *" --now "*) start ;;
esac
STUB
chmod +x "$work"/bin/*

# A page with the places and addresses of this run.
here_and_now() {
  sed -e "s#/var/lib#$root/var/lib#g; s#/var/backups#$root/var/backups#g; s#/etc/#$root/etc/#g" \
    -e "s#/usr/local/bin#$work/bin#g; s#kafka-[12]:9092#$old#g" \
    -e "s#127\.0\.0\.1:9092#127.0.0.1:$port#g; s#127\.0\.0\.1:9644#127.0.0.1:$http#g" "$1"
}
# The blocks of a kind, or every file that a block is.
commands() { here_and_now "$1" | awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on'; }
files() {
  here_and_now "$1" | awk -v folder="$root/work" '
    /^```[a-z]+ [a-z.]+[.](service|toml|yml)$/ { file = folder "/" $2; next } /^```/ { file = "" } file { print > file }'
}
orders() {
  "$work/bin/ottla" topic create orders -p 3 -b "$1" > /dev/null
  seq 300 | sed 's/.*/customer-&:{"order": &}/' | "$work/bin/ottla" produce orders -k : -b "$1" > /dev/null
  "$work/bin/ottla" consume orders --group billing -c 100 -b "$1" > /dev/null
}
records() { "$work/bin/ottla" consume "$1" -o jsonl -b "$2" | sed 's/"offset":[0-9]*,//; s/"topic":"[a-z-]*"/T/' | sort | md5sum; }
fail() { echo "$page: $*"; exit 1; }

before() {
  case $page in
    how-to/backup.md | how-to/monitor.md) orders "127.0.0.1:$port"; records orders "127.0.0.1:$port" > "$root/before" ;;
    how-to/from-kafka.md)
      if [ -z "${DOCS_KAFKA:-}" ]; then
        "$ottla" start --data "$root/old" --set "listeners=PLAINTEXT://$old" --set ottla.http.listeners= \
          > "$root/old.ready" 2> "$root/old.log" &
        echo $! > "$root/old.pid"
        for _ in $(seq 300); do grep -q '^ottla ready' "$root/old.ready" && break; sleep 0.05; done
      fi
      orders "$old" ;;
  esac
}
check() {
  case $page in
    how-to/backup.md)
      [ "$(records orders "127.0.0.1:$port")" = "$(cat "$root/before")" ] || fail "what was restored differs"
      [ "$(records orders-restored "127.0.0.1:$port")" = "$(cat "$root/before")" ] || fail "the copy of a topic differs"
      [ -n "$(find "$root/var/backups/segments/orders-0" -name '*.log' -size +0)" ] || fail "no segments were written" ;;
    how-to/from-kafka.md)
      [ "$(records orders "127.0.0.1:$port")" = "$(records orders "$old")" ] || fail "the copy differs" ;;
    how-to/service.md)
      grep -q "data=$root/var/lib/ottla" "$root/ready" || fail "the settings of the page were not used"
      if command -v systemd-analyze > /dev/null; then
        systemd-analyze verify "$root/work/ottla.service" > "$root/verified" 2>&1 || { cat "$root/verified"; fail "the unit"; }
      fi ;;
    how-to/monitor.md)
      curl --silent --fail "http://127.0.0.1:$http/metrics" > "$root/metrics"
      grep -oE '\b(ottla|process)_[a-z_]+' "$here/docs/$page" | sort -u | while read -r name; do
        grep -q "^$name" "$root/metrics" || grep -q "^# TYPE ${name%_bucket} " "$root/metrics" || fail "there is no metric $name"
      done ;;
    how-to/command-line.md) grep -q __complete "$root/home/.local/share/bash-completion/completions/ottla" ;;
  esac
}

run_page() {
  root=$work/${page//\//-}
  mkdir -p "$root"/{work,home,var/lib,var/backups,etc/systemd/system}
  export root port HOME=$root/home PATH=$work/bin:$PATH
  export OTTLA_BOOTSTRAP=127.0.0.1:$port OTTLA_OTTLA_HTTP_LISTENERS=http://127.0.0.1:$http
  unset XDG_CONFIG_HOME OTTLA_PROFILE OTTLA_OUTPUT
  commands "$here/docs/$page" > "$root/commands"
  files "$here/docs/$page"
  [ "$page" = how-to/service.md ] || systemctl start ottla
  before
  if ! (cd "$root/work" && timeout 180 bash -euo pipefail "$root/commands" > "$root/out" 2>&1 < /dev/null); then
    cat "$root/out" "$root/log"; fail "a command failed"
  fi
  check
  systemctl stop ottla
  [ ! -e "$root/old.pid" ] || { kill "$(cat "$root/old.pid")"; rm "$root/old.pid"; }
  echo "$page: $(grep -c . "$root/commands") lines of commands, all run"
}

pages=("$@")
[ ${#pages[@]} -gt 0 ] || mapfile -t pages < <(grep -o '([a-z-]*/*[a-z-]*\.md)' "$here/docs/SUMMARY.md" | tr -d '()')
for page in "${pages[@]}"; do
  grep -q '^```sh$' "$here/docs/$page" || continue
  (run_page)
done
