#!/bin/sh
set -e
echo "starting in $PWD" >&2
exec "$@"
