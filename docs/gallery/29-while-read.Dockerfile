FROM alpine:3.20
RUN cut -d: -f1 /etc/passwd | while read user; do \
        case "$user" in root|daemon) continue;; esac; \
        deluser "$user" 2>/dev/null || true; \
    done
