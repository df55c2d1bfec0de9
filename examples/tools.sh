# What every example's run.sh is written with. Source it, then: begin, step, show, expect, refuse, serve, figure.
#
#   source "$(dirname "$0")/../tools.sh"
#   begin object-store
#   free_port API CONSOLE
#   serve store "http://127.0.0.1:$API/minio/health/ready" "slipway store server $WORK/data --address :$API"
#   step "Make a bucket"
#   show 'mc mb myminio/models'
#   expect 'Bucket created successfully'
#
# An example stops at the first command that fails or answers something else, with that command's output in sight, and
# leaves no process and no file behind. KEEP=1 keeps its folder.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
EXAMPLE=$(cd "$(dirname "$0")" && pwd)
OUTPUT=""
SERVERS=()

if [ -t 1 ]; then BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' PLAIN=$'\e[0m'; else BOLD="" DIM="" RED="" PLAIN=""; fi

# begin NAME: a temp folder $WORK, a PATH with slipway, mc and kubectl, and a trap that ends and removes everything.
begin() {
    NAME=$1
    SLIPWAY=$(realpath "${SLIPWAY_BIN:-$ROOT/.build/release/slipway}")
    PYTHON=$ROOT/runtime/python/examples/bin/python
    [ -x "$SLIPWAY" ] || stop_here "no binary at $SLIPWAY: run make build, or name one with SLIPWAY_BIN"
    [ -x "$PYTHON" ] || stop_here "no Python environment for the examples: run scripts/setup examples"
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/slipway-$NAME.XXXXXX")
    trap finish EXIT
    trap 'exit 130' INT TERM
    mkdir -p "$WORK/bin" "$WORK/home"
    ln -s "$SLIPWAY" "$WORK/bin/slipway"
    ln -s "$SLIPWAY" "$WORK/bin/mc"
    export HOME=$WORK/home PATH="$WORK/bin:$(dirname "$PYTHON"):$PATH:$ROOT/runtime/bin"
    export NAME WORK ROOT EXAMPLE SLIPWAY PYTHON PYTHONDONTWRITEBYTECODE=1
    cd "$EXAMPLE"
    printf '%s%s%s\n' "$BOLD" "$NAME" "$PLAIN"
}

# step TITLE: a heading.
step() { printf '\n%s%s%s\n' "$BOLD" "$1" "$PLAIN"; }

# show COMMAND: prints it, runs it, prints and keeps its output in $OUTPUT; the example ends when it fails.
show() {
    local status=0
    run_command "$1" || status=$?
    [ "$status" = 0 ] || stop_here "the command ended with status $status"
}

# refuse COMMAND: as show, but the command must fail.
refuse() {
    local status=0
    run_command "$1" || status=$?
    [ "$status" != 0 ] || stop_here "the command should have been refused and was not"
}

# expect TEXT...: $OUTPUT contains each of them.
expect() {
    local text
    for text in "$@"; do
        grep -qF -- "$text" <<< "$OUTPUT" || stop_here "expected the output to contain: $text"
    done
}

# serve NAME READY_URL COMMAND: a server in the background, until READY_URL answers 2xx. Its log is $WORK/NAME.log and its
# process id $WORK/NAME.pid. The time to ready and the memory of its process tree are noted as figures.
serve() {
    local name=$1 url=$2 command=$3 started now tries=0
    printf '%s$ %s &%s\n' "$DIM" "$command" "$PLAIN"
    started=$(milliseconds)
    setsid bash -c "exec $command" > "$WORK/$name.log" 2>&1 &
    SERVERS+=($!)
    echo $! > "$WORK/$name.pid"
    until curl -ksf -o /dev/null --max-time 2 "$url"; do
        tries=$((tries + 1))
        kill -0 "$(cat "$WORK/$name.pid")" 2> /dev/null || { tail -20 "$WORK/$name.log"; stop_here "$name ended before it was ready"; }
        [ $tries -lt 1500 ] || { tail -20 "$WORK/$name.log"; stop_here "$name was not ready after 30 s at $url"; }
        sleep 0.02
    done
    now=$(milliseconds)
    printf '  %s ready after %s ms\n' "$name" $((now - started))
    figure "$name: start to ready" "$((now - started)) ms" "${4:--}"
}

# end NAME: stops the server that `serve` started under this name and waits for it.
end() {
    local process
    process=$(cat "$WORK/$1.pid")
    kill -TERM "$process" 2> /dev/null || true
    wait "$process" 2> /dev/null || true
}

# memory NAME ["the document's stack"]: notes the resident memory of a server's processes as a figure, and apart from it that
# of its pods with the models, servers and programs in them. Pods have sessions of their own; their launchers stand in the
# folders of the steps.
memory() {
    local process folder launchers own all
    process=$(cat "$WORK/$1.pid")
    folder=$(tr '\0' '\n' < "/proc/$process/cmdline" | grep -x -A 1 -e --data | tail -1 || true)
    launchers=$([ -z "$folder" ] || find "$folder/cluster" -name launcher -exec cut -d ' ' -f 1 {} + 2> /dev/null || true)
    own=$(ps -o pid= --sid "$process")
    own=$(resident "$own" "$launchers")
    all=$(resident "$(ps -o pid= --sid "$process")
$launchers" "")
    figure "$1: resident memory of its own processes" "$((own / 1024)) MiB" "${2:--}"
    [ "$all" -le "$own" ] || figure "$1: resident memory of its pods" "$(((all - own) / 1024)) MiB"
}

# resident ROOTS WITHOUT: kilobytes of the processes of ROOTS and all that they started, those of WITHOUT left out.
resident() {
    ps -e -o pid=,ppid=,rss= | awk -v roots="$1" -v without="$2" '
        BEGIN { split(roots, r); for (i in r) counted[r[i]] = 1; split(without, w); for (i in w) left[w[i]] = 1 }
        { parent[$1] = $2; rss[$1] = $3 }
        END {
            for (process in rss)
                for (each = process; each > 1; each = parent[each]) {
                    if (each in left) break
                    if (each in counted) { sum += rss[process]; break }
                }
            print sum + 0
        }'
}

# figure WHAT VALUE [THE-DOCUMENTS-STACK]: a line of the table that examples/run prints at the end.
figure() { printf '%s\t%s\t%s\t%s\n' "$NAME" "$1" "$2" "${3:--}" >> "${EXAMPLES_FIGURES:-$WORK/figures.tsv}"; }

# latency WHAT CURL_ARGUMENT...: notes the median and the slowest of 50 requests, one after the other on one connection.
latency() {
    local what=$1 request=() times
    shift
    for _ in $(seq 50); do request+=(--next -sS --fail-with-body -o "$WORK/answer" -w '%{time_total}\n' "$@"); done
    times=$(curl "${request[@]:1}") || stop_here "$what: a request failed: $(cat "$WORK/answer")"
    figure "$what" "$(sort -n <<< "$times" | awk '{ t[NR] = $1 * 1000 } END { printf "median %.1f ms, slowest of %d %.1f ms", t[int((NR + 1) / 2)], NR, t[NR] }')"
}

# free_port NAME...: sets each variable to a free TCP port.
free_port() {
    local ports name
    ports=$(python3 - "$#" << 'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))
PYTHON
    )
    for name in "$@"; do
        export "$name=${ports%% *}"
        ports=${ports#* }
    done
}

milliseconds() { date +%s%3N; }

run_command() {
    local status=0
    printf '%s$ %s%s\n' "$DIM" "$1" "$PLAIN"
    bash -o pipefail -c "$1" > "$WORK/output" 2>&1 || status=$?
    awk '{ print "  " $0 }' "$WORK/output"
    OUTPUT=$(tr -d '\000' < "$WORK/output")
    return $status
}

stop_here() {
    printf '%s%s: %s%s\n' "$RED" "${NAME:-example}" "$1" "$PLAIN" >&2
    exit 1
}

finish() {
    local status=$? process
    trap - EXIT INT TERM
    for process in "${SERVERS[@]}"; do kill -TERM -- "-$process" 2> /dev/null || true; done
    for process in "${SERVERS[@]}"; do wait "$process" 2> /dev/null || true; done
    for process in "${SERVERS[@]}"; do kill -KILL -- "-$process" 2> /dev/null || true; done
    if [ "$status" != 0 ] && [ -n "${WORK:-}" ]; then
        for log in "$WORK"/*.log; do [ -f "$log" ] && { printf -- '--- %s\n' "${log##*/}"; tail -15 "$log"; } >&2; done
    fi
    if [ -n "${WORK:-}" ] && [ "${KEEP:-0}" = 0 ]; then rm -rf "$WORK"; fi
    exit "$status"
}
