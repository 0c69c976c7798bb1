#!/bin/bash
# Starts the release command on the quick start, with data of its own; arguments are handed on.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
configuration=examples/quickstart.yaml

# Lifeguard refuses a configuration that others could write (whoever writes it decides what runs).
# Where the creation mask is 002, as on Ubuntu, a fresh clone is writable by its owner's group.
for path in . examples "$configuration"; do
  if [ -O "$path" ] && [ -n "$(find "$path" -maxdepth 0 -perm /022)" ]; then
    chmod go-w "$path"
  fi
done

if [ -n "${LIFEGUARD_QUICKSTART_DATA:-}" ]; then
  data=$LIFEGUARD_QUICKSTART_DATA
elif [ "$(id -u)" = 0 ]; then
  data=/var/lib/lifeguard-quickstart
else
  data=${XDG_STATE_HOME:-$HOME/.local/state}/lifeguard-quickstart
fi
(umask 077 && mkdir -p "$data")
# Messages go to the log while no other receiver is named; here the lines on standard output tell the
# same, shorter.
exec .build-release/lifeguard run --config "$configuration" --data "$data" "$@" \
  2> >(exec grep --line-buffered -v ' notice Announcement ' >&2)
