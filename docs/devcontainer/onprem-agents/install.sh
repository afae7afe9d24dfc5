#!/bin/sh
# Runs as root while the image is built: puts the command into a virtual environment of its own, and writes down what
# the container's user runs once it is created. PREFIX is for tests.
set -eu
prefix="${PREFIX:-/usr/local}"
python="${PYTHON:-python3}"

if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "onprem-agents needs Python 3.11 or later with venv: add the feature 'python', or another base image." >&2
  exit 1
fi
"$python" -m venv "$prefix/lib/onprem-agents"
"$prefix/lib/onprem-agents/bin/pip" install --quiet --disable-pip-version-check "${PACKAGE:-onprem-coding-agents}"
mkdir -p "$prefix/bin"
ln -sf "$prefix/lib/onprem-agents/bin/onprem-agents" "$prefix/bin/onprem-agents"

quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }
{
  echo '#!/bin/sh'
  echo '# The key comes from ONPREM_API_KEY or from what setup stored before; without one it says how to add it.'
  if [ -n "${HOST:-}" ]; then
    printf 'exec %s setup %s --host %s --yes' "$(quoted "$prefix/bin/onprem-agents")" "$(quoted "${AGENTS:-all}")" "$(quoted "$HOST")"
    [ -z "${CAFILE:-}" ] || printf ' --ca-file %s' "$(quoted "$CAFILE")"
    echo ' < /dev/null'
  else
    echo 'echo "onprem-agents is installed. Set up: onprem-agents setup --host NAME"'
  fi
} > "$prefix/bin/onprem-agents-setup"
chmod 755 "$prefix/bin/onprem-agents-setup"
