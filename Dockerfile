# The image of the GitHub Action; also for use by hand:
#   docker build -t hardhull .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/repository" hardhull scan
FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build
WORKDIR /source
COPY requirements/run.lock requirements/build.lock requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements/build.lock \
    && python -m venv --without-pip /opt/hardhull \
    && python -m pip --python /opt/hardhull/bin/python install --no-cache-dir --require-hashes --no-deps -r requirements/run.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
# Built without fetching anything more, and installed as any user would get it.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m pip --python /opt/hardhull/bin/python install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
# git is asked what is tracked. What could install more is of no use here.
RUN apt-get update \
    && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && python -m pip uninstall --yes --root-user-action=ignore pip
COPY --from=build /opt/hardhull /opt/hardhull
ENV PATH=/opt/hardhull/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /repository
# No USER: a container action has to run as the image's root, or it can't write the runner's files
# (GitHub's documentation, "Dockerfile support for GitHub Actions"). The process drops nothing and
# needs nothing: by hand, give it your own number as above.
ENTRYPOINT ["hardhull"]
