FROM scratch
LABEL org.opencontainers.image.title="example"          \
      org.opencontainers.image.description="An example" \
      org.opencontainers.image.licenses="MIT"
LABEL maintainer = "team@example.com"
LABEL a=1 b=2
