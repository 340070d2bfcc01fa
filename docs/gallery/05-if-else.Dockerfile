FROM python:3.12
ARG DEV=false
COPY requirements*.txt /tmp/
RUN if [ "$DEV" = "true" ]; then pip install -r /tmp/requirements-dev.txt; else pip install --no-cache-dir -r /tmp/requirements.txt; fi && \
    if [ -d /tmp/cache ]; then \
    rm -rf /tmp/cache; \
    fi
