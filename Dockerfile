# syntax=docker/dockerfile:1
# The service alone: nothing in it can fit or unpickle a model. Models and keys come in by the volume.
# BASE has Python 3.11 to 3.13 with venv, KERNEL_BASE the same Python with its headers and gcc, PAGES_BASE has npm; any
# Debian will do (make image builds on one of its own).
ARG BASE=docker.io/library/python:3.11-slim-bookworm
ARG KERNEL_BASE=docker.io/library/python:3.11-bookworm
ARG PAGES_BASE=docker.io/library/node:22-bookworm-slim

FROM ${PAGES_BASE} AS pages
WORKDIR /build
COPY service/pages/package.json service/pages/package-lock.json service/pages/.npmrc ./
RUN npm ci --silent
COPY service/pages/style style
RUN npm run --silent build

FROM ${KERNEL_BASE} AS kernel
WORKDIR /build
COPY requirements-build.lock ./
RUN python3 -m venv environment \
 && environment/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes \
      --only-binary :all: -r requirements-build.lock
COPY model model
RUN model/build_kernel environment/bin/python

FROM ${BASE} AS environment
COPY requirements.lock /build/requirements.lock
# Wheels only: nothing is compiled here.
RUN python3 -m venv /opt/grounds \
 && /opt/grounds/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes \
      --only-binary :all: -r /build/requirements.lock \
 && /opt/grounds/bin/python -m pip uninstall --quiet --yes pip setuptools

FROM ${BASE}
LABEL org.opencontainers.image.title="Grounds" \
      org.opencontainers.image.description="Referral-risk screening for child safeguarding: a prompt to think, never a decision"
RUN groupadd --gid 10001 grounds \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/grounds --shell /usr/sbin/nologin grounds \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/grounds
COPY --from=environment /opt/grounds /opt/grounds
WORKDIR /opt/grounds/app
COPY model model
COPY service service
COPY --from=kernel /build/model/kernel.*.so model/
COPY --from=pages /build/built service/pages/built
# A kernel of another Python than this would not be found, and the service would go without. Compiled now: the root is
# read-only when it runs.
RUN /opt/grounds/bin/python -c "import sys; from model.compiled import COMPILED, built; sys.exit(built() != COMPILED)" \
 && /opt/grounds/bin/python -m compileall -q /opt/grounds
ENV PATH=/opt/grounds/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GROUNDS_VAR=/var/lib/grounds \
    GROUNDS_HOST=0.0.0.0 \
    GROUNDS_PORT=8000
USER 10001:10001
VOLUME /var/lib/grounds
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-m", "service", "health"]
ENTRYPOINT ["python", "-m", "service"]
CMD ["serve"]
