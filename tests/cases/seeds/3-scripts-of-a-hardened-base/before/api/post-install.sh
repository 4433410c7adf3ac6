#!/bin/sh
set -eu
find / -iname '*apk*' -xdev -delete
