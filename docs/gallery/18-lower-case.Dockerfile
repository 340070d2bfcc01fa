from ubuntu:22.04
maintainer Someone <someone@example.com>
run apt-get update
add . /srv
workdir /srv
cmd ./run.sh
