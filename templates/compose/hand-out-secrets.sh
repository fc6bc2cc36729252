#!/bin/sh
# Gives each service of Compose its secrets as files of its own, and nobody else's. Compose puts those of an environment file into a container by
# copying, which one with a read-only root refuses; this one has no network and ends at once. It is run by every `up`, so new values arrive.
set -eu
umask 077
missing=''
for name in postgres-password postgres-owner-password tappass-admin-api-key tappass-jwt-secret tappass-vault-key tappass-token-key tappass-checkpoint-key; do
  [ -s "/run/secrets/$name" ] || missing="$missing $(printf %s "$name" | tr a-z- A-Z_)"
done
[ -z "$missing" ] || {
  printf 'tappass: these have no value in the environment file:%s\n  next:  ./tappass secrets make --env .env.prod\n' "$missing" >&2
  exit 5
}
hand_out() { # SERVICE UID SECRET…
  folder=/secrets/$1 owner=$2
  shift 2
  for name; do
    cat "/run/secrets/$name" >"$folder/.new"
    chmod 0400 "$folder/.new"
    chown "$owner:$owner" "$folder/.new"
    mv "$folder/.new" "$folder/$name"
  done
}
hand_out postgres 70 postgres-password postgres-owner-password
hand_out migrate 65532 postgres-owner-password
hand_out gateway 65532 postgres-password tappass-admin-api-key tappass-jwt-secret tappass-vault-key tappass-token-key tappass-checkpoint-key \
  tappass-license openai-api-key anthropic-api-key
hand_out tunnel 65529 tunnel-token
# What Caddy keeps (keys of certificates) is nobody else's.
[ "$(stat -c %u /caddy)" = 65530 ] || {
  chmod 0700 /caddy
  chown 65530:65530 /caddy
}
