"""The Mandelbrot set as a grey picture, in an array that all who draw at it share."""

import struct
import zlib
from math import sqrt
from pathlib import Path

import numpy as np

CENTRE, WIDTH = (-0.75, 0.0), 3.2  # of the part of the plane that the picture shows
STEPS = 85


def draw_strip(first: int, rows: int, image: np.ndarray) -> int:
    """Draw some rows of `image`, black as yet. Returns how many of their points stay black: those of the set."""
    strip = image[first : first + rows]  # no lock is needed: no other task draws here
    x, y = points(image.shape, first, rows)
    u, v = x.copy(), y.copy()
    for step in range(1, STEPS + 1):
        gone = u * u + v * v > 4
        strip[gone] = 255 * sqrt(step / STEPS)  # the longer a point stays near, the lighter
        for each in (u, v, x, y):
            each[gone] = 0
        u, v = u * u - v * v + x, 2 * u * v + y
    return int(np.count_nonzero(strip == 0))


def points(shape: tuple[int, int], first: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Where on the plane the places of a strip are, in an image of that shape: the coordinates x and y of each."""
    row, column = np.mgrid[first : first + rows, : shape[1]]
    side = WIDTH / shape[1]
    return CENTRE[0] + (column - shape[1] / 2) * side, CENTRE[1] + (row - shape[0] / 2) * side


def write_png(image: np.ndarray, path: Path) -> None:
    """Write `image` as a PNG file of one byte a place."""
    height, width = image.shape
    head = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)  # 8 bits, grey
    rows = b"".join(b"\0" + row.tobytes() for row in image)  # each begins with its filter: none
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks))


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG file: its length, what it is, its content, a checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
