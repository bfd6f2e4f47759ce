# The broker as an image: no root, nothing that it writes, and no Postgres of its own (DATABASE_URL says which).
#   docker build -t registry.example.com/purveyor:1 .
# Another image with Node 22.18 or later and npm may be its base: --build-arg BASE=registry.example.com/node:24
ARG BASE=node:24-slim

FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Left out with what is optional: the programs of Postgres, for a database that a container could not keep.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM ${BASE}
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
COPY catalog catalog
# In a container, nothing but its address is reached from outside, and it makes nothing on the machine.
ENV NODE_ENV=production HOST=0.0.0.0 NODE_ROLE=false
EXPOSE 8080
USER 10001:10001
# No shell and no npm in between: node itself gets the signal by which it is asked to end.
ENTRYPOINT ["node", "src/start.js"]
CMD ["serve"]
