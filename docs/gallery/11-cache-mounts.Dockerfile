# syntax=docker/dockerfile:1
FROM rust:1.80 AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target cargo build --release && cp target/release/app /app
FROM gcr.io/distroless/cc
COPY --from=build /app /app
ENTRYPOINT ["/app"]
