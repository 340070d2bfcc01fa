FROM golang:1.22
RUN apt-get update && apt-get install -y unzip \
 && ( \
 cd /tmp \
 && curl -fsSLO https://example.com/protoc.zip \
 && unzip protoc.zip -d /usr/local \
 ) \
 && rm -rf /tmp/protoc.zip
