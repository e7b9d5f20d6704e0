#!/bin/sh
# Makes the two databases of the Temporal server on PostgreSQL, or brings their tables to the version of the server.
# Every step does nothing when it was done before, so it runs before each start, and after an upgrade.
# Reads the same variables as server.yaml; the user must be allowed to make databases, unless they are there.
set -eu

endpoint=${POSTGRES_HOST:-127.0.0.1}
port=${POSTGRES_PORT:-5432}
user=${POSTGRES_USER:-temporal}
# Not as an argument, where every user of the machine could read it.
export SQL_PASSWORD="${POSTGRES_PASSWORD:-}"

tool() {
  database=$1
  shift
  temporal-sql-tool --plugin postgres12 --endpoint "$endpoint" --port "$port" --user "$user" --database "$database" "$@"
}

set_up() {
  tool "$1" create-database
  tool "$1" setup-schema --version 0.0
  tool "$1" update-schema --schema-name "postgresql/v12/$2"
}

set_up "${POSTGRES_DATABASE:-temporal}" temporal
set_up "${POSTGRES_VISIBILITY_DATABASE:-temporal_visibility}" visibility
