FROM ubuntu:22.04
ENV DEBIAN_FRONTEND noninteractive
ENV JAVA_HOME /usr/lib/jvm/default-java
ENV PATH $JAVA_HOME/bin:$PATH
ENV GREETING hello   world
ENV QUOTED "a b"
