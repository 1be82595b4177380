# The service without tools, tests and development dependencies, as an ordinary user.
#   docker build -t strata .
#   node --max-semi-space-size=32 dist/src/main.js   the service (default)
#   node dist/src/migrate.js   brings the schema up to date; --seed adds the demo catalogue once

FROM node:24-bookworm-slim AS dependencies
WORKDIR /strata
COPY package.json package-lock.json ./
# Optional is what libraries load only where it is there: TypeScript (24 MB), a native part that can be done without.
# Types and source maps are for those who write, not for what runs.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --no-audit --no-fund \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM node:24-bookworm-slim AS build
WORKDIR /strata
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY nest-cli.json ormconfig.ts tsconfig.json tsconfig.build.json ./
COPY migrations migrations
COPY src src
RUN npm run build && rm dist/.tsbuildinfo

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DRAIN_DELAY_MS=5000
WORKDIR /strata
# Owned by root: the service cannot change its own code.
COPY package.json ./
COPY --from=dependencies /strata/node_modules node_modules
COPY --from=build /strata/dist dist
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# node itself is process 1: signals reach it.
CMD ["node", "--max-semi-space-size=32", "dist/src/main.js"]
