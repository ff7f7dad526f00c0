"""Media in and out: pictures, video, faces, landmarks, identity, and the clips contract.

Images are HWC uint8 RGB arrays at this edge and (B, 3, H, W) floats in [-1, 1] inside; times are seconds.
"""
