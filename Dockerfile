# The server alone: onnxruntime and numpy, no torch, no compiler, nobody's root. deploy/README.md says how it is used.
#
#   docker build -t slu .                                 answers with the registry that is mounted at /data/registry
#   docker build -t slu-orders --target with-bundle --build-arg BUNDLE=orders/VERSION .    brings that version along
#
# Without a digest: none could be confirmed where this was written. `docker buildx imagetools inspect` prints one.
ARG PYTHON=3.11.15-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /app
COPY requirements-serve.txt ./
RUN python -m venv --without-pip /opt/venv && \
    python -m pip --python /opt/venv/bin/python --quiet --disable-pip-version-check \
      install --no-cache-dir --no-compile --require-hashes --no-deps -r requirements-serve.txt
COPY conf ./conf
COPY slu ./slu
# Compiled here, for the root of what runs is read-only; by content, for layers may not keep the times of files.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib /app/slu

FROM python:${PYTHON} AS base
LABEL org.opencontainers.image.title="slu" \
      org.opencontainers.image.description="Answers spoken orders over HTTP, and on a page" \
      org.opencontainers.image.documentation="deploy/README.md"
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    OMP_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
RUN install -d -o 10001 -g 10001 /data
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "slu.serve", "host=0.0.0.0", "port=8000", "outputs=/data"]

FROM base AS with-bundle
ARG BUNDLE
COPY outputs/registry/${BUNDLE} /opt/registry/${BUNDLE}
ENV SLU_BUNDLE=/opt/registry/${BUNDLE}

FROM base AS server
