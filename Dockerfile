# The images that docker-compose.yml builds: target `flash`, the program, and target `redis`, the server with the module.
# All of it is Debian 12, so that the module meets the redis-server and the C library that it was built and tested with.

FROM rust:1.95-slim-bookworm AS rust
# The module's bindings are made from C headers while it is built, by libclang.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libclang-dev \
 && rm -rf /var/lib/apt/lists/*
# Apart from the sources, so that what is done to all of those is not done to what cargo has made.
ENV CARGO_TARGET_DIR=/target
WORKDIR /src

# The manifests, and a program that does nothing for each of their targets. That is all that says which dependencies there
# are, and its content does not change with the sources.
FROM rust AS manifests
COPY . .
RUN targets=$(cargo metadata --no-deps --format-version 1 | grep -o '"src_path":"[^"]*' | cut -d '"' -f 4) \
 && find . -type f ! -name Cargo.toml ! -name Cargo.lock -delete \
 && for target in $targets; do echo '#![allow(warnings)] fn main() {}' > "$target"; done \
 && find . -type d -empty -delete

FROM rust AS build
COPY --from=manifests /src .
# The layer of the dependencies. It is built again only when a manifest changes.
RUN cargo build --release --locked --package flash-cli --package flash-module
COPY . .
# Cargo goes by dates, and the sources are older than the programs that do nothing.
RUN find . -name '*.rs' -exec touch {} + \
 && cargo build --release --locked --package flash-cli --package flash-module

FROM debian:bookworm-slim AS redis
# Before the package would, so that the number is always the same.
RUN groupadd --system --gid 999 redis \
 && useradd --system --uid 999 --gid redis --home-dir /data --shell /usr/sbin/nologin redis \
 && apt-get update \
 && apt-get install --yes --no-install-recommends redis-server \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner redis --group redis --mode 0700 /data
COPY --from=build /target/release/libflash.so /usr/lib/redis/modules/
USER redis
WORKDIR /data
EXPOSE 6379
CMD ["redis-server", "/etc/redis/redis.conf"]

FROM debian:bookworm-slim AS flash
RUN groupadd --gid 10001 flash \
 && useradd --uid 10001 --gid flash --no-create-home --shell /usr/sbin/nologin flash
COPY --from=build /target/release/flash /usr/local/bin/
USER flash
EXPOSE 8080
ENTRYPOINT ["flash"]
