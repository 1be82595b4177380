# Stands in for the official image: the same names, volume, data folder, user and environment, as far as a compose file
# relies on them. The server is of the same major version; the clients are the distribution's.
ARG BASE
FROM ${BASE}
ARG VERSION
RUN groupadd --system --gid 999 postgres \
  && useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql postgres \
  && apt-get update \
  && apt-get install -y --no-install-recommends postgresql-client \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql
COPY --from=native . /usr/local/postgresql/
COPY postgres-entrypoint.sh /usr/local/bin/
ENV PATH=/usr/local/postgresql/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PGDATA=/var/lib/postgresql/${VERSION}/docker
VOLUME /var/lib/postgresql
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint.sh"]
CMD ["postgres"]
