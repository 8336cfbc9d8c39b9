#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# A private PostgreSQL cluster for tests, which lives as long as standard input is open.
#
# usage: postgres.sh PORT
# Prints one line, the URL of a database in which the role may create others, or
# "failed: reason", and then nothing more. The role is no superuser: row-level security
# holds for it, as it does in production. No write is synced to the disk.
set -u
port=$1
here=$(dirname -- "$0")

fail() {
  echo "failed: $1"
  if [ -n "${folder:-}" ]; then
    [ -f "$folder/log" ] && tail -n 20 "$folder/log" >&2
    rm -rf -- "$folder"
  fi
  exit 1
}

bin=
for candidate in /usr/lib/postgresql/*/bin; do
  [ -x "$candidate/initdb" ] && bin=$candidate
done
[ -n "$bin" ] || fail "no PostgreSQL server programs below /usr/lib/postgresql"

# In memory where there is room for all that a run makes: hundreds of databases come and go, each of six hundred files.
place=${TMPDIR:-/tmp}
room=$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)
free=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo 2>/dev/null)
[ "${room:-0}" -gt 12000000 ] && [ "${free:-0}" -gt 16000000 ] && place=/dev/shm
folder=$(mktemp -d "$place/belofte-postgres.XXXXXX") || fail "no temporary folder"
cd "$folder" || fail "no temporary folder"

# PostgreSQL refuses to run as root.
as=
if [ "$(id -u)" = 0 ]; then
  account=nobody
  id postgres >/dev/null 2>&1 && account=postgres
  chown "$account" "$folder" || fail "cannot give the folder to $account"
  as="setpriv --reuid=$account --regid=$(id -g "$account") --clear-groups"
fi

$as "$bin/initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C \
  -D "$folder/data" >"$folder/log" 2>&1 || fail "initdb"

# Each database begins in another region of the disk: ext4 passes over every inode that was freed
# within five minutes, and databases come and go here all the time (chattr(1), attribute T).
chattr +T "$folder/data/base" 2>/dev/null

# A background command would otherwise read from nothing, and stop at once.
exec 3>&1 4<&0 >>"$folder/log" 2>&1
sh "$here/guard.sh" "$folder" INT $as "$bin/postgres" -D "$folder/data" \
  -c port="$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$folder" \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off \
  -c max_connections=300 -c shared_buffers=64MB -c jit=off -c log_min_messages=fatal \
  <&4 3>&- 4<&- &
guard=$!
exec 4<&- </dev/null

tries=0
until "$bin/psql" -qX -h "$folder" -p "$port" -U postgres -d postgres \
  -c 'CREATE ROLE belofte LOGIN CREATEDB' 2>/dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -gt 150 ] || ! kill -0 "$guard"; then
    exec >&3
    fail "the server does not answer"
  fi
  sleep 0.1
done
echo "postgres://belofte@127.0.0.1:$port/postgres" >&3
exec 3>&-
wait "$guard"
