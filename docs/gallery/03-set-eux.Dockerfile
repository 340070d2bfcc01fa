FROM alpine:3.20
RUN set -eux; \
	apk add --no-cache --virtual .build-deps \
		gcc \
		musl-dev \
		make \
	; \
	wget -O app.tar.gz "https://example.com/app-${APP_VERSION}.tar.gz"; \
	echo "$APP_SHA256 *app.tar.gz" | sha256sum -c -; \
	tar -xzf app.tar.gz --strip-components=1; \
	\
	make -j "$(nproc)"; \
	make install; \
	apk del --no-network .build-deps
