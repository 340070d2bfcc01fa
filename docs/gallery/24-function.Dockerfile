FROM alpine:3.20
RUN fetch() { \
wget -qO "$2" "$1" \
  && chmod +x "$2"; \
}; \
fetch https://example.com/a /usr/local/bin/a; \
fetch https://example.com/b /usr/local/bin/b
