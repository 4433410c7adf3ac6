# The image of the GitHub Action; also for use by hand:
#   docker build -t hardhull .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/repository" hardhull scan
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements/run.lock requirements/build.lock requirements/
RUN python -m venv /opt/hardhull \
    && /opt/hardhull/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements/run.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
# Built without fetching anything more, and installed as any user would get it.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/hardhull/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/hardhull /opt/hardhull
ENV PATH=/opt/hardhull/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /repository
# The number of the user who owns the checked-out files on GitHub's own runners. A runner of yours
# with another number needs a step that runs the image with --user.
USER 1001
ENTRYPOINT ["hardhull"]
