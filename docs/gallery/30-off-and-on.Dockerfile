FROM debian:12
# dflint format: off
COPY a     /srv/a
COPY bbb   /srv/bbb
# dflint format: on
COPY  c  /srv/c
# dflint format: skip
RUN echo   "as it is"   &&   true
