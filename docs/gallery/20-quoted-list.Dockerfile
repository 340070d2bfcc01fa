FROM debian:12
RUN buildDeps=' \
        gcc \
        make \
    ' \
    && apt-get update && apt-get install -y $buildDeps --no-install-recommends \
    && make && make install \
    && apt-get purge -y --auto-remove $buildDeps
