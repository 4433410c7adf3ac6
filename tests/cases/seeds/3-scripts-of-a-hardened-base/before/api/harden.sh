#!/bin/sh
set -eu
rm -rf /var/spool/cron /etc/crontabs
find / -xdev -perm /6000 -delete
