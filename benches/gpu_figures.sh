#!/bin/sh
# All figures of a GPU in one go: compares and times every backend, lets CuPy and PyTorch do the same job, and
# writes benches/record/<date>-gpu-<device>.md with the plot beside it.
#
#   benches/gpu_figures.sh [options of `widetape compare`]     # --up-to 1900000000 unless said: the whole grid
#
# WIDETAPE: the built command (target/release/widetape, built if it is not there). PYTHON: a Python with NumPy and
# the peers (python3). PEERS: which (cupy,torch). RECORD: the folder written to (benches/record).
# A software device is refused unless SOFTWARE=1.
set -eu
cd "$(dirname "$0")/.."
widetape=${WIDETAPE:-target/release/widetape}
python=${PYTHON:-python3}
record=${RECORD:-benches/record}
[ -x "$widetape" ] || cargo build --release
[ $# -gt 0 ] || set -- --up-to 1900000000

graphics=$("$widetape" doctor | grep '^gpu')
echo "$graphics" >&2
case $graphics in
*hardware*) ;;
*)
    if [ "${SOFTWARE:-0}" != 1 ]; then
        echo "no GPU but software: its figures would say nothing (SOFTWARE=1 tries the script out)" >&2
        exit 1
    fi
    ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$widetape" compare "$@" --json "$work/report.json" --plot "$work/plot.svg" --columns "$work/columns" >"$work/table.txt"
"$python" benches/gpu_peers.py "$work/report.json" "$work/columns" --peers "${PEERS:-cupy,torch}" >"$work/peers.md"

device=$("$python" -c '
import json, re, sys
adapter = json.load(open(sys.argv[1]))["adapter"] or {"name": "none"}
print(re.sub("[^a-z0-9]+", "-", adapter["name"].lower()).strip("-"))
' "$work/report.json")
name=$(date -u +%Y-%m-%d)-gpu-$device
mkdir -p "$record"
cp "$work/plot.svg" "$record/$name.svg"
{
    echo "# $(date -u +%Y-%m-%d): $(echo "$graphics" | head -1 | sed 's/^gpu *//')"
    echo
    echo "Commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown); $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(uname -sr)."
    echo
    echo '```'
    cat "$work/table.txt"
    echo '```'
    echo
    echo "![times over windows]($name.svg)"
    echo
    echo "## The last size against CuPy and PyTorch"
    echo
    cat "$work/peers.md"
} >"$record/$name.md"
echo "$record/$name.md"
