#!/usr/bin/env bash
# wuqu on a machine without internet. On one with internet, of the same system and Python version:
#
#   deploy/offline.sh build WHEELHOUSE            # a folder with every wheel, to be carried over
#
# and on the other one:
#
#   WHEELHOUSE/offline.sh install WHEELHOUSE /opt/wuqu
#
# Wheels are taken by the hashes of requirements.txt at both ends, so what is installed is what was
# locked; nothing is asked for on the way. PYTHON names another interpreter than python3.
set -euo pipefail
python=${PYTHON:-python3}

usage() {
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

build() {
    local house=$1 repo
    repo=$(cd "$(dirname "$0")/.." && pwd)
    mkdir -p "$house/wheels"
    "$python" -m pip download --quiet --disable-pip-version-check --only-binary :all: \
        --require-hashes --requirement "$repo/requirements.txt" --dest "$house/wheels"
    "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
        --wheel-dir "$house/wheels" "$repo"
    cp "$repo/requirements.txt" "$repo/deploy/offline.sh" "$house/"
    cp "$repo/deploy/nginx.conf" "$repo/deploy/wuqu.service" "$house/"
    (cd "$house" && sha256sum wheels/wuqu-*.whl > wuqu.sha256)
    echo "$house: $(find "$house/wheels" -name '*.whl' | wc -l) wheels, $(du -sh "$house" | cut -f1)"
}

install() {
    local house=$1 place=$2
    (cd "$house" && sha256sum --check --quiet wuqu.sha256)
    "$python" -m venv "$place"
    local pip=("$place/bin/python" -m pip install --quiet --disable-pip-version-check
        --no-index --find-links "$house/wheels")
    "${pip[@]}" --require-hashes --requirement "$house/requirements.txt"
    "${pip[@]}" --no-deps "$house"/wheels/wuqu-*.whl
    "$place/bin/wuqu" rules lint >/dev/null
    echo "$place/bin/wuqu"
}

case "${1:-}:$#" in
    build:2) build "$2" ;;
    install:3) install "$2" "$3" ;;
    *) usage ;;
esac
