FROM debian:12
RUN apt-get update \
    # for the build
    && apt-get install -y gcc make \
#for the tests
    curl \

    # tidy up
 && rm -rf /var/lib/apt/lists/*
