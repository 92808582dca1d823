# precoro-daemon as a container: pinned by requirements.lock, without root, on a read-only file system.
# Only /data is written: the state, and attached files if they are to be kept there.
# What it is built on: `make image` gives it by its digest, which .python-image keeps.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm
FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock pyproject.toml README.md LICENSE config.example.toml ./
COPY systemd ./systemd
COPY precoro_daemon ./precoro_daemon
# The lock begins with what the program needs to run; hatchling, which builds it, stands in the second part.
RUN python -m venv /app \
 && sed '/^# From here on/,$d' requirements.lock > runtime.lock \
 && /app/bin/pip install --quiet --require-hashes -r runtime.lock \
 && python -m venv /builder \
 && /builder/bin/pip install --quiet --require-hashes -r requirements.lock \
 && /builder/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /app/bin/pip install --quiet --no-deps /wheels/precoro_daemon-*.whl \
 && /app/bin/python -m compileall -q /app/lib

FROM ${PYTHON_IMAGE}
RUN groupadd --system --gid 10001 precoro \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin precoro \
 && install -d -o 10001 -g 10001 -m 700 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
STOPSIGNAL SIGTERM
# Asks /healthz on the socket of [watch].
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["precoro-daemon", "health", "--config", "/etc/precoro-daemon/config.toml"]
ENTRYPOINT ["precoro-daemon"]
CMD ["run", "--config", "/etc/precoro-daemon/config.toml"]
