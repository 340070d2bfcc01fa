FROM nginx:1.27
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 CMD curl --fail --silent http://localhost:80/health || exit 1
EXPOSE 80    443
VOLUME ["/var/log/nginx","/usr/share/nginx/html"]
STOPSIGNAL   SIGQUIT
