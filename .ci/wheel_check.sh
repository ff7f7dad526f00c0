#!/bin/sh
# Installs the newest wheel of the folder $1 by pipx into an environment made for this, and uses it in an empty folder: animate, verify, scan, sign.
# Prints the wheel's size and the environment's. Where pipx is not on PATH a venv and pip do what it does. Needs a package index and 12 GB.
set -eu

wheel=$(cd "$1" && ls -t "$PWD"/sfumato-*.whl | head -n 1)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/home" "$place/empty"

if command -v pipx >/dev/null 2>&1; then
    PIPX_HOME="$place/pipx" PIPX_BIN_DIR="$place/bin" PIPX_MAN_DIR="$place/man" pipx install "$wheel"
else
    echo "pipx is not on PATH: a venv and pip stand for it."
    python3 -m venv "$place/pipx"
    "$place/pipx/bin/python" -m pip install --disable-pip-version-check --quiet "$wheel"
    mkdir "$place/bin"
    ln -s "$place/pipx/bin/sfumato" "$place/bin/sfumato"
fi
# opencv-python links libGL, which a machine without a desktop may lack: .ci/setup.sh, and `sfumato doctor`, say what to do then.

# Nothing of the caller's environment, so neither PYTHONPATH nor an activated .venv can stand in for the wheel.
cd "$place/empty"
wanted() {
    code=$1
    shift
    status=0
    env -i PATH="$place/bin:/usr/bin:/bin" HOME="$place/home" LANG=C.UTF-8 "$@" >"$place/told" 2>&1 || status=$?
    if [ "$status" != "$code" ]; then
        cat "$place/told" >&2
        echo "Error: '$*' ended with $status, not with $code" >&2
        exit 1
    fi
    echo "ok: $*"
}

wanted 0 sfumato --version
wanted 0 sfumato animate mona-lisa --motion serene --seconds 1 -o mona-lisa.mp4
wanted 1 sfumato verify mona-lisa.mp4 # untrusted: nobody was named who vouches for this machine's key
wanted 6 sfumato scan mona-lisa.mp4 --exit-code
wanted 0 sfumato inspect mona-lisa.mp4
printf '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>\n' >picture.svg
wanted 0 sfumato sign picture.svg -o signed.svg --kind edited
wanted 1 sfumato verify signed.svg
echo "$(basename "$wheel"): $(($(wc -c <"$wheel") / 1000000)) MB; installed with what it needs: $(du -sm "$place/pipx" | cut -f1) MB"
