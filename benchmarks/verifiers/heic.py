"""A HEIC still as phones make them, kept as it is: nothing here writes one.

64 x 32 pixels, the left half (200, 60, 40), the right half (30, 90, 160); made with libheif and x265.
"""

from __future__ import annotations

import base64
import zlib

_PACKED = (
    "eNpjYGCQSSupLMhIzaxgAILczDRDEDs3MzGNgYGxLje1JJEBAhQzUnKKoGyGgszkEgY0oJSZk58MYrg4MDACIRAwLoLQQFAIxMqZmXlpYB5IVB"
    "TISWWC8jLKkg1BTL6CzJJcuJJ/mQVFBUD6XmZBcj6QLgcqc2Zk4QAy51mAFMl9YPjz/8cPBgZ+5gSgDnEHRh7G//9BCpjBKpiBSnYxOSQC5bSc"
    "GBlRJSawCChsuhsz5bo5Iy8bC0gsBUSwKCQBlXO4MB4sljDgmAC0RTg5P6coLzmnAijOy8DWABQSySwuSIV6zQGKNZJzEgugbJDrFaA0CDD9//"
    "//AYgGYoGCzIpMkCAzBwfIKxKZBbmwUAYGHGsjEzNrC5BdmZuSCArlXA3G9ZwPLJVV9v//Vv7//0+xd85fvtw8WP/n7MLvX7Tf/3/XZOtaFvLM"
    "TPBkkPBV64+SNTktU5W5BK4vfzz5wf/PL9d32O6ace5n2JXQTz7Tv226Iny9gffOjjr1UEl+np6a9UyTXqx/Gf1vrcgKtak7EpfMAAC/oISY"
)
HEIC = zlib.decompress(base64.b64decode(_PACKED))
