#!/bin/sh
# Makes the environment in the folder $1 (default .venv) and installs sfumato into it, with the extras in $EXTRAS.
# uv is used when it is on PATH, venv and pip otherwise. Needs a Python of 3.11 or later and a package index; nothing else.
set -eu

venv=${1:-.venv}
extras=${EXTRAS:-dev,train,fast}

fail() {
    echo "Error: $*" >&2
    exit 2
}

find_python() {
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        # Asked, not trusted: a name on PATH may be a shim for a version that is not installed.
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
}

python=$(find_python)

if [ ! -x "$venv/bin/python" ]; then
    if command -v uv >/dev/null 2>&1; then
        uv venv --allow-existing --python "${python:->=3.11}" "$venv" || fail "uv could not make $venv. Install Python 3.11 or later."
    else
        [ -n "$python" ] || fail "No Python 3.11 or later on PATH. Install one (Debian: apt install python3 python3-venv), or uv."
        "$python" -m venv "$venv" || {
            rm -rf "$venv"
            fail "$python cannot make a virtual environment. Install its venv module (Debian: apt install python3-venv), or uv."
        }
    fi
fi

echo "Setting up $venv: about 7 GB and a few minutes, once."
if command -v uv >/dev/null 2>&1; then
    install() { VIRTUAL_ENV="$venv" uv pip install --python "$venv/bin/python" "$@"; }
    uninstall() { VIRTUAL_ENV="$venv" uv pip uninstall --python "$venv/bin/python" "$@"; }
else
    # A .venv that uv made, or whose making was interrupted, has no pip.
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip --default-pip >/dev/null 2>&1 \
        || fail "$venv has no pip, and it cannot be added. Remove $venv and try again."
    install() { "$venv/bin/python" -m pip install --disable-pip-version-check --quiet "$@"; }
    uninstall() { "$venv/bin/python" -m pip uninstall --disable-pip-version-check --quiet --yes "$@"; }
fi
install --editable ".[$extras]" || fail "The packages could not be installed. Is a package index reachable, and are 12 GB free (7 of them for good)?"

# The library that the detector's explanations are tested against wants opencv-python-headless, which would overwrite opencv-python.
case ",$extras," in
    *,dev,*) install --no-deps "grad-cam>=1.5" "ttach>=0.0.3" || echo "grad-cam could not be installed: its test will be skipped" ;;
esac

# opencv-python links libGL, which a machine without a desktop may lack; the headless wheel holds the same cv2 without windows.
if ! "$venv/bin/python" -c 'import cv2' >/dev/null 2>&1; then
    echo "opencv-python cannot load here (no libGL): taking opencv-python-headless."
    uninstall opencv-python || true
    install --force-reinstall --no-deps opencv-python-headless
    "$venv/bin/python" -c 'import cv2' || fail "OpenCV cannot be loaded (see above)."
fi
