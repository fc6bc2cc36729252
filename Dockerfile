# Two images: the gateway (its sources, its production packages, and Node), and `--target opa` (OPA's static program and the signed policy).
# No shell, no package manager, no build tool. What they are built from is named by digest; the arguments are for a registry of one's own.
ARG NODE_IMAGE=node:26.10.0-trixie-slim@sha256:ec7758ee051e457b468b32bde57b0879010b325bb9862718e9615225ce4aaae1
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs26-debian13:nonroot@sha256:afc6657a4b662f9cb69ca892b0596e55d6ef81a10e83ee8887b13f602877df89

FROM ${NODE_IMAGE} AS packages
WORKDIR /opt/tappass
COPY package.json package-lock.json ./
# No script of a package runs: none of them needs one.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf /root/.npm

# Which key signs the policy is decided here and forgotten with this step: nobody can sign another one that this image takes.
FROM packages AS opa-files
COPY contract contract
COPY scripts scripts
COPY server/policy server/policy
COPY templates/opa templates/opa
COPY versions.yaml ./
ARG OPA_DOWNLOAD=
ARG OPA_SHA256=
RUN NODE_USE_ENV_PROXY=1 node scripts/artifacts/opa-image.ts /image "$OPA_DOWNLOAD" "$OPA_SHA256" && mkdir /volumes && mkdir -m 0750 /volumes/opa

FROM scratch AS opa
COPY --from=opa-files /image /
# Who gets into this folder can ask it: OPA, and the group of the gateway.
COPY --from=opa-files --chown=65531:65532 /volumes /run
USER 65531:65531
ENTRYPOINT ["/opa"]
CMD ["run", "--server", "--config-file", "/policy/opa.yaml", "--addr", "unix:///run/opa/opa.sock", "--unix-socket-perm", "777", "--skip-version-check", "--log-level", "error", "--shutdown-grace-period", "5"]

FROM packages AS build
COPY contract contract
COPY migrations migrations
COPY server server
COPY LICENSE versions.yaml ./
# The folder of signed checkpoints: a new volume takes its owner from it.
RUN mkdir -p /volumes/checkpoints

FROM ${RUNTIME_IMAGE} AS gateway
WORKDIR /opt/tappass
COPY --from=build /opt/tappass ./
COPY --from=build --chown=65532:65532 /volumes/checkpoints /var/lib/tappass/checkpoints
USER 65532:65532
ENV NODE_ENV=production CREDENTIALS_DIRECTORY=/run/secrets
EXPOSE 9620
# A young generation that starts as large as it may get: calls that wait for the ledger are not carried into the old one.
ENTRYPOINT ["/nodejs/bin/node", "--disable-warning=ExperimentalWarning", "--min-semi-space-size=32", "--max-semi-space-size=32"]
CMD ["server/main.ts"]
