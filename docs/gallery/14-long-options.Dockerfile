FROM gcc:13
RUN ./configure --prefix=/usr/local --enable-shared --disable-static --with-openssl=/usr --with-zlib --without-readline --sysconfdir=/etc && make && make install
