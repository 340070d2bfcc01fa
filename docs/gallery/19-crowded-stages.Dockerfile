FROM golang:1.22 as builder
WORKDIR /src
COPY . .
RUN go build -o /out/app ./cmd/app
# The image that runs.
FROM alpine:3.20 as runtime
COPY --from=builder /out/app /usr/bin/app
FROM runtime as debug
RUN apk add --no-cache strace



ENTRYPOINT ["app"]