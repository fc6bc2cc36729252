# The gateway as an image: its sources, its production packages, and Node; no shell, no package manager, no build tool.
# Both images are named by digest; the arguments are for a registry of one's own.
ARG NODE_IMAGE=node:26.10.0-trixie-slim@sha256:ec7758ee051e457b468b32bde57b0879010b325bb9862718e9615225ce4aaae1
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs26-debian13:nonroot@sha256:afc6657a4b662f9cb69ca892b0596e55d6ef81a10e83ee8887b13f602877df89

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/tappass
COPY package.json package-lock.json ./
# No script of a package runs: none of them needs one.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf /root/.npm
COPY contract contract
COPY migrations migrations
COPY server server
COPY LICENSE versions.yaml ./
# The folder of signed checkpoints: a new volume takes its owner from it.
RUN mkdir -p /volumes/checkpoints

FROM ${RUNTIME_IMAGE}
WORKDIR /opt/tappass
COPY --from=build /opt/tappass ./
COPY --from=build --chown=65532:65532 /volumes/checkpoints /var/lib/tappass/checkpoints
USER 65532:65532
ENV NODE_ENV=production CREDENTIALS_DIRECTORY=/run/secrets
EXPOSE 9620
# A young generation that starts as large as it may get: calls that wait for the ledger are not carried into the old one.
ENTRYPOINT ["/nodejs/bin/node", "--disable-warning=ExperimentalWarning", "--min-semi-space-size=32", "--max-semi-space-size=32"]
CMD ["server/main.ts"]
