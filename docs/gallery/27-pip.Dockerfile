FROM python:3.12
RUN pip install --no-cache-dir --upgrade pip setuptools wheel && pip install --no-cache-dir \
    flask==3.0.3 gunicorn==22.0.0 \
    requests
