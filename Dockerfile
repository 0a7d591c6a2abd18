FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY web web
COPY scripts scripts
# The packages of the program are optional for those who install the library: the image keeps them.
RUN npm run build && node scripts/keep-optional.mjs && npm prune --omit=dev

FROM node:20-slim
ENV NODE_ENV=production PORT=4000
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY migrations migrations
# The home of the embedded server, for a container that is given no DATABASE_URL.
RUN install --directory --owner=node --group=node .commandbus
USER node
EXPOSE 4000
STOPSIGNAL SIGTERM
# `start` and `worker` both listen at PORT, and are asked there.
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s --retries=3 \
  CMD ["node", "dist/main.js", "health"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
