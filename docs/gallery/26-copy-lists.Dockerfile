FROM ruby:3.3
COPY Gemfile Gemfile.lock ./
COPY --chown=1000:1000 config.ru Rakefile app bin config db lib public vendor package.json yarn.lock /usr/src/app/
COPY ["a file.txt","another file.txt","/usr/src/app/"]
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/linux.tar.xz /
