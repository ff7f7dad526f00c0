"""The signal stack of a thread survives what replaces it: OpenVINO's compiler does, and frees its own with the
model.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

import pytest

from sfumato.execution.signal_stack import _Stack, signal_stack, signal_stack_kept

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="sigaltstack's layout is known for Linux alone"
)


def test_another_stack_is_taken_back() -> None:
    before, library = signal_stack(), ctypes.CDLL(None)
    room = ctypes.create_string_buffer(1 << 16)
    own = _Stack(ctypes.addressof(room), 0, len(room))
    with signal_stack_kept():
        assert library.sigaltstack(ctypes.byref(own), None) == 0
        assert signal_stack() == (ctypes.addressof(room), len(room))
    assert signal_stack() == before


def test_the_mesh_in_openvino_leaves_it_alone_and_ctrl_c_stays_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    from sfumato.media.landmarks import mesh_net, tflite_net

    monkeypatch.setattr(tflite_net, "COMPILED", threading.local())  # it is compiled here, whatever was before
    before = signal_stack()
    network = mesh_net.openvino_net()
    assert signal_stack() == before
    del network
    monkeypatch.undo()  # the last that holds it
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
