FROM debian:12
ARG TARGETARCH
RUN case "$TARGETARCH" in \
  amd64) arch=x86_64;; \
  arm64) \
  arch=aarch64 \
  ;; \
  *) echo "unsupported: $TARGETARCH" >&2; exit 1 ;; \
esac \
&& curl -fsSL "https://example.com/tool-$arch.tar.gz" | tar -xz -C /usr/local/bin
