#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, which is gone afterwards:
#   bash runs/with_postgres.sh pytest -m postgres
# The server listens on this machine alone, on a free port; the command finds it in UNTWIST_TEST_POSTGRES.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin # runuser is there, and not every account looks there
bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -n 1 || true)
bin=${bin:-$(dirname "$(command -v initdb || true)")}
[ -x "$bin/initdb" ] || { echo "no PostgreSQL server here: apt-get install postgresql" >&2; exit 1; }
home=$(mktemp -d)
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then # initdb refuses to run as root
    chown postgres "$home"
    as() { runuser -u postgres -- "$@"; }
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
trap 'as "$bin/pg_ctl" -D "$home/data" -m immediate stop > /dev/null 2>&1 || true; rm -rf "$home"' EXIT
cd "$home"
as "$bin/initdb" -D "$home/data" -U untwist --auth=trust > /dev/null
as "$bin/pg_ctl" -D "$home/data" -l "$home/log" -o "-p $port -h 127.0.0.1 -k $home" -w start > /dev/null
cd "$OLDPWD"
export UNTWIST_TEST_POSTGRES="postgresql+psycopg://untwist@127.0.0.1:$port/postgres"
"$@"
