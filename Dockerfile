# The image of vistio: both commands, as uid 65534, on a root file system that may be read-only. docs/image.md is its manual.
#
#   docker build --tag vistio .
#   docker build --tag vistio --build-arg BASE=registry.example/python:3.13 .
#
# BASE is any image with Python 3.11 or newer and its venv module; name it with its digest (@sha256:...) where a build
# has to be repeatable bit by bit. Wheels in wheelhouse/ are used alone when there are any (`nox -s wheelhouse` fills
# it, for an air-gapped build); else the index has what constraints.txt pins.
ARG BASE=docker.io/library/python:3.13.5-slim-bookworm

FROM ${BASE} AS build
SHELL ["/bin/sh", "-euc"]
# `strip` takes 22 MB of symbols out of Arrow's libraries. It stays in this stage, so its version matters to nobody; a
# base that has no apt, or reaches no mirror, gives a larger image that works as well.
# hadolint ignore=DL3008
RUN command -v strip \
    || { apt-get update -qq && apt-get install -qq -y --no-install-recommends binutils; } \
    || echo "no strip: libraries keep their symbols"
# pip works from an environment of its own, so that none is in the one that is copied.
RUN python3 -m venv /opt/pip; python3 -m venv --without-pip /opt/vistio
WORKDIR /src
COPY . .
RUN if ls wheelhouse/*.whl >/dev/null 2>&1; \
    then set -- --no-index --find-links wheelhouse vistio; \
    else set -- --constraint constraints.txt .; fi; \
    /opt/pip/bin/pip --python /opt/vistio/bin/python install --no-cache-dir --no-compile "$@"
# Out goes what neither command ever loads: Arrow's Flight, ORC and clouds (a recording is a directory), headers, the
# libraries' own tests. The tests of the image run both commands without them.
# hadolint ignore=DL3003
RUN cd /opt/vistio/lib/python3*/site-packages || exit; \
    rm -rf pyarrow/include pyarrow/includes pyarrow/src pyarrow/tests numpy/_core/include numpy/f2py; \
    rm -f pyarrow/*flight* pyarrow/*s3* pyarrow/*_orc.* pyarrow/_azurefs* pyarrow/_gcsfs* pyarrow/_hdfs* pyarrow/_substrait*; \
    rm -f pyarrow/*_cpp_tests* numpy/_core/*_tests.*.so numpy/_core/_simd.*.so; \
    # Each library under the one name by which it is loaded; a wheel, which has no links, holds it three times.
    rm -f pyarrow/libarrow_python*.so pyarrow/libarrow_python*.so.*.*.*; \
    find numpy -type d \( -name tests -o -name testing \) -prune -exec rm -rf {} +; \
    find . -type f \( -name '*.py[xdi]' -o -name '*.pxi' -o -name '*.a' \) -delete; \
    # Not NumPy's: a library that auditwheel moved things in cannot be loaded when stripped.
    if command -v strip; then strip --strip-unneeded pyarrow/*.so* yaml/*.so; fi; \
    # Now, since nothing can be written when it runs.
    python3 -m compileall -q .; \
    /opt/vistio/bin/python -c "import duckdb, numpy, pyarrow.compute, pyarrow.dataset, pyarrow.parquet, yaml"

FROM ${BASE}
# What the base has of pip; the directory of the recording, for volumes take its owner over.
RUN rm -rf /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
        /usr/lib/python3*/ensurepip /usr/share/python-wheels \
    && install --directory --owner 65534 --group 65534 --mode 0750 /vistio
COPY --from=build /opt/vistio /opt/vistio

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="vistio" \
      org.opencontainers.image.description="The flight recorder of a service mesh" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Options as environment variables: every command finds the recording, and what listens does so for the pod or the network
# of the container.
ENV PATH=/opt/vistio/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    VISTIO_SERVE_HOST=0.0.0.0 \
    VISTIO_SERVE_RECORDING=/vistio/recording \
    VISTIO_SERVE_WEB_HOST=0.0.0.0 \
    VISTIO_RECORD_RUN_HOST=0.0.0.0 \
    VISTIO_RECORD_ANNOTATE_RECORDING=/vistio/recording \
    VISTIO_RECORD_ANNOTATIONS_RECORDING=/vistio/recording \
    VISTIO_RECORD_BACKFILL_RECORDING=/vistio/recording \
    VISTIO_RECORD_BLAST_RADIUS_RECORDING=/vistio/recording \
    VISTIO_RECORD_DIFF_RECORDING=/vistio/recording \
    VISTIO_RECORD_DOCTOR_RECORDING=/vistio/recording \
    VISTIO_RECORD_EXPORT_RECORDING=/vistio/recording \
    VISTIO_RECORD_IMPORT_RECORDING=/vistio/recording \
    VISTIO_RECORD_IMPORT_VISTIO_RECORDING=/vistio/recording \
    VISTIO_RECORD_INCIDENTS_RECORDING=/vistio/recording \
    VISTIO_RECORD_INFO_RECORDING=/vistio/recording \
    VISTIO_RECORD_PATH_RECORDING=/vistio/recording \
    VISTIO_RECORD_PRUNE_RECORDING=/vistio/recording \
    VISTIO_RECORD_REJUDGE_RECORDING=/vistio/recording \
    VISTIO_RECORD_REPORT_RECORDING=/vistio/recording \
    VISTIO_RECORD_RUN_RECORDING=/vistio/recording \
    VISTIO_RECORD_SEAL_RECORDING=/vistio/recording \
    VISTIO_RECORD_SEEN_RECORDING=/vistio/recording \
    VISTIO_RECORD_SUSPECTS_RECORDING=/vistio/recording \
    VISTIO_RECORD_TIMELINE_RECORDING=/vistio/recording \
    VISTIO_RECORD_TOP_RECORDING=/vistio/recording \
    VISTIO_RECORD_VERIFY_RECORDING=/vistio/recording \
    VISTIO_HEALTH=http://127.0.0.1:9091/-/healthy
USER 65534:65534
VOLUME /vistio
# vistio-serve web; vistio-serve; vistio-record run
EXPOSE 8080 9091 9092
# Of the server; a container of the recorder sets VISTIO_HEALTH=http://127.0.0.1:9092/-/healthy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, ssl, urllib.request; urllib.request.urlopen(os.environ['VISTIO_HEALTH'], timeout=4, context=ssl._create_unverified_context())"]
CMD ["vistio-serve"]
