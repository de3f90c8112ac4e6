#!/usr/bin/env sh
# The browser of the end-to-end tests: the system's Chromium, or Debian's package where we may install it.
set -eu
for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
    exit 0
fi
echo "make e2e needs Chromium: install it (Debian and Ubuntu: sudo apt install chromium) and run again" >&2
exit 1
