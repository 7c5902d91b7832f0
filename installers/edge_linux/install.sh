#!/usr/bin/env bash
# Installs the edge agent as a systemd service; run again, it brings a newer version. The data folder is never touched.
#   sudo ./install.sh [PACKAGE]      PACKAGE: a wheel, or what pip calls it (default: tillsync)
# Afterwards: sudo edge-agent-store enrol https://sync.example.com CODE
set -euo pipefail
package=${1:-tillsync}
home=/opt/tillsync-edge
data=/var/lib/tillsync-edge
here=$(cd "$(dirname "$0")" && pwd)

if [[ $(id -u) != 0 ]]; then
    echo "install: run this as root: sudo $0" >&2
    exit 1
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "install: Python 3.11 or newer is needed; python3 is $(python3 --version 2>&1)." >&2
    exit 1
fi
if ! getent passwd tillsync >/dev/null; then
    useradd --system --home-dir "$data" --shell /usr/sbin/nologin tillsync
fi
python3 -m venv "$home"
"$home/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade "${package}[edge]"
# Compiled once: the service's account cannot write there.
"$home/bin/python" -m compileall -q "$home/lib" || true
install -d -o tillsync -g tillsync -m 0750 "$data"

# The command line on the service's own folder, under the service's own account.
cat >/usr/local/bin/edge-agent-store <<COMMAND
#!/bin/sh
exec runuser -u tillsync -- env EDGE_AGENT_DATA_DIR=$data $home/bin/edge-agent "\$@"
COMMAND
chmod 0755 /usr/local/bin/edge-agent-store
edge-agent-store init >/dev/null

install -m 0644 "$here/tillsync-edge.service" /etc/systemd/system/tillsync-edge.service
systemctl daemon-reload
systemctl enable --quiet tillsync-edge
systemctl restart --no-block tillsync-edge
echo "Installed. If the store is new here: sudo edge-agent-store enrol URL CODE"
echo "The service starts by itself as soon as the store is enrolled; the shop's page is http://127.0.0.1:9013/"
