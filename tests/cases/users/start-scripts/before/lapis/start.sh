#!/bin/sh
sed -i "s/x/$X/" appsettings.json
exec "$@"
