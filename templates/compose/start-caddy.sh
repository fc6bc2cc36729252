#!/bin/sh
# Becomes Caddy with the Caddyfile of a server: brings the settings of the environment file into the form that it reads, as the role `ingress` does on a server.
set -eu
refuse() {
  printf 'tappass: Caddy is not started: %s\n  next:  %s\n' "$1" "$2" >&2
  exit 5
}
again='in the environment file; then docker compose --env-file .env.prod up --detach --wait'
case "$TAPPASS_DOMAIN$TAPPASS_NAMES$TAPPASS_ACME_DIRECTORY" in
  *[!]A-Za-z0-9._:/,[\ -]*) refuse 'TAPPASS_DOMAIN, TAPPASS_NAMES or TAPPASS_ACME_DIRECTORY has a character that no name has' "correct it $again" ;;
esac
# Without a domain it answers to every name, and has certificates for these only.
if [ -n "$TAPPASS_DOMAIN" ]; then
  [ -z "$TAPPASS_NAMES" ] || refuse 'TAPPASS_NAMES is for gateways without a TAPPASS_DOMAIN' "leave one of them out $again"
  site="https://$TAPPASS_DOMAIN" others=refused name=$TAPPASS_DOMAIN
else
  site='https://localhost, https://127.0.0.1' others=served name=localhost
  for each in $(printf %s "$TAPPASS_NAMES" | tr , ' '); do
    # Who comes by address names none, and the address is not the container's own: it gets the certificate of the first one.
    [ "$name" != localhost ] || name=$each
    site="$site, https://$each"
  done
  site="$site, https://"
fi
case "${TAPPASS_TLS:-${TAPPASS_DOMAIN:+public}}" in
  '' | internal)
    tls=internal
    [ -z "$TAPPASS_ACME_DIRECTORY" ] || refuse 'TAPPASS_ACME_DIRECTORY needs TAPPASS_TLS=public' "set both $again"
    ;;
  public)
    tls=${TAPPASS_ACME_DIRECTORY:+acme}
    tls=${tls:-public}
    [ -n "$TAPPASS_DOMAIN" ] || refuse 'TAPPASS_TLS=public needs a TAPPASS_DOMAIN' "set it $again"
    ;;
  *) refuse "TAPPASS_TLS is neither internal nor public" "correct it $again" ;;
esac
[ "$PUBLIC_HTTPS_PORT" = 443 ] || export TAPPASS_REDIRECT_PORT=":$PUBLIC_HTTPS_PORT"
# Without HTTP/3: it would name the port that is open in the container only.
export TAPPASS_SITE="$site" TAPPASS_OTHER_NAMES="$others" TAPPASS_NAME="$name" TAPPASS_TLS="$tls" TAPPASS_PROTOCOLS='h1 h2' TAPPASS_UPSTREAM=gateway:9620
export TAPPASS_HTTP_PORT=8080 TAPPASS_HTTPS_PORT=8443 HOME=/data XDG_DATA_HOME=/data XDG_CONFIG_HOME=/tmp TMPDIR=/tmp
exec caddy run --config /tappass/Caddyfile --adapter caddyfile
