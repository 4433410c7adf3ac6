#!/bin/sh
envsubst < /app/config.template > /app/wwwroot/config.js
exec "$@"
