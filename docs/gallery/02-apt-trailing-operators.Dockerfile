FROM debian:12-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends \
    ca-certificates curl gnupg \
    git && \
    curl -fsSL https://example.com/key.gpg | gpg --dearmor -o /usr/share/keyrings/example.gpg && \
    rm -rf /var/lib/apt/lists/*
