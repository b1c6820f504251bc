#!/bin/sh
# Import a clickstream as events into the house in MILLRACE_HOME:
#   docs/examples/clickstream.sh ecom.csv.gz
# Every column that no field takes (platform, acquisition channel, cohort …) is kept as a property of its event.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 FILE [more words for millrace import]" >&2; exit 2; }
file=$1
shift
exec "$(dirname "$0")/../../.venv/bin/millrace" import events "$file" --source clickstream \
    --map event=event at=timestamp user=user_id session=session_id "$@"
