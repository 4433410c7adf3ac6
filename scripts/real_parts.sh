#!/bin/sh
# Install the real parts that tests/real uses, on Debian, as root:
#
#   scripts/real_parts.sh [FOLDER]      then: HARDHULL_PARTS=FOLDER make test
#
# FOLDER gets one root file system for each distribution that can be had. What can't is said and
# passed over; the tests that need it skip and say so too.
set -eu

BUSYBOX_SHA256=faeeb244c35a348a334f4a59e44626ee870fb07b6884d68c10ae8bc19f83a694
folder=${1:-${HARDHULL_PARTS:-/var/cache/hardhull-parts}}

if [ "$(id -u)" != 0 ]; then
  echo "root is needed: debootstrap makes device files and changes owners" >&2
  exit 1
fi

missing=
for pair in debootstrap:debootstrap busybox:busybox-static dockerd:docker.io runc:runc; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
if [ -n "$missing" ]; then
  apt-get update -qq
  # shellcheck disable=SC2086  # a list of package names
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

# NAME MIRROR KEYRING: make the root file system NAME, unless it is there.
distribution() {
  if [ -e "$folder/$1/etc/os-release" ]; then
    echo "$1: here already"
    return
  fi
  # Ubuntu releases newer than debootstrap are made the way all Ubuntu releases are.
  script=/usr/share/debootstrap/scripts/$1
  [ -e "$script" ] || script=/usr/share/debootstrap/scripts/gutsy
  set -- "$1" "$2" "$3" "$script"
  if [ -e "$3" ]; then check="--keyring=$3"; else check=--no-check-gpg; fi
  rm -rf "$folder/$1.part"
  if debootstrap --variant=minbase "$check" "$1" "$folder/$1.part" "$2" "$4" >"$folder/$1.log" 2>&1
  then
    mv "$folder/$1.part" "$folder/$1"
    echo "$1: made"
  else
    rm -rf "$folder/$1.part"
    echo "$1: could not be made, see $folder/$1.log" >&2
  fi
}

mkdir -p "$folder"
distribution bookworm http://deb.debian.org/debian \
  /usr/share/keyrings/debian-archive-keyring.gpg
# Only looked at in a chroot of its own, never installed: a missing keyring is no reason to skip.
distribution noble http://archive.ubuntu.com/ubuntu \
  /usr/share/keyrings/ubuntu-archive-keyring.gpg

# Debian's busybox has no adduser, Alpine's has: it is built from Debian's source, all applets on.
if [ ! -x "$folder/busybox" ] && ! busybox --list 2>/dev/null | grep -qx adduser; then
  command -v gcc >/dev/null 2>&1 && command -v make >/dev/null 2>&1 && command -v bzip2 >/dev/null 2>&1 ||
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev make bzip2 curl
  source=busybox_1.35.0.orig.tar.bz2
  work=$(mktemp -d)
  if (
    cd "$work"
    curl -sSfO "http://deb.debian.org/debian/pool/main/b/busybox/$source"
    echo "$BUSYBOX_SHA256  $source" | sha256sum --check --quiet
    tar -xjf "$source"
    cd busybox-1.35.0
    make defconfig
    sed -i 's/# CONFIG_STATIC is not set/CONFIG_STATIC=y/; s/^CONFIG_TC=y/# CONFIG_TC is not set/' .config
    make -j"$(nproc)" busybox
  ) >"$folder/busybox.log" 2>&1; then
    cp "$work/busybox-1.35.0/busybox" "$folder/busybox"
    echo "busybox: made"
  else
    echo "busybox: could not be made, see $folder/busybox.log" >&2
  fi
  rm -rf "$work"
fi
