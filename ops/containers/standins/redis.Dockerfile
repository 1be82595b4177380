# Stands in for the official image: the same volume, user and command, and no protected mode. The server is the
# distribution's, whatever the tag says.
ARG BASE
FROM ${BASE}
RUN apt-get update \
  && apt-get install -y --no-install-recommends redis-server \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o redis -g redis /data
COPY redis-entrypoint.sh /usr/local/bin/
VOLUME /data
WORKDIR /data
EXPOSE 6379
USER redis
ENTRYPOINT ["redis-entrypoint.sh"]
CMD ["redis-server"]
