#!/bin/sh
# The official image answers other containers without a password: it is built without protected mode.
if [ "$1" = redis-server ]; then
  shift
  set -- redis-server --protected-mode no "$@"
fi
exec "$@"
