FROM debian:12
RUN groupadd --system --gid 999 app && useradd --system --gid app --uid 999 --home-dir /srv --shell /usr/sbin/nologin app && mkdir -p /srv/data && chown app:app /srv/data
USER    app:app
