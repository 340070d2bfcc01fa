FROM debian:12
RUN for key in \
    AAAA1111 \
    BBBB2222 \
  ; do \
    gpg --batch --keyserver hkps://keys.openpgp.org --recv-keys "$key" || gpg --batch --keyserver keyserver.ubuntu.com --recv-keys "$key"; \
  done
