"""Writes GGUF v3 files: metadata, F32 tensors, and matrices in Q8_0.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct

import numpy as np

ALIGNMENT = 32
F32, Q8_0 = 0, 8


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def value(item):
    """A metadata value with its type: bool, u32, f32, text, or a list of texts or i32."""
    if isinstance(item, bool):
        return struct.pack("<I?", 7, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, str):
        return struct.pack("<I", 8) + text(item)
    if isinstance(item[0], str):
        return struct.pack("<IIQ", 9, 8, len(item)) + b"".join(map(text, item))
    return struct.pack(f"<IIQ{len(item)}i", 9, 5, len(item), *item)


def q8_0(matrix):
    """Blocks of 32 numbers: an f16 scale and 32 signed bytes."""
    blocks = np.asarray(matrix, np.float32).reshape(-1, 32)
    scale = (np.abs(blocks).max(axis=1, keepdims=True) / 127).astype(np.float16)
    step = scale.astype(np.float32)
    quants = np.rint(np.divide(blocks, step, out=np.zeros_like(blocks), where=step > 0))
    quants = np.clip(quants, -127, 127).astype(np.int8)
    return np.concatenate([scale.view(np.int8), quants], axis=1).tobytes()


def rounded(matrix):
    """The matrix as a reader of its Q8_0 form sees it."""
    raw = np.frombuffer(q8_0(matrix), np.int8).reshape(-1, 34)
    scale = raw[:, :2].copy().view(np.float16).astype(np.float32)
    return (scale * raw[:, 2:]).reshape(matrix.shape)


def printable(data):
    """Bytes spelt in the 256 visible characters that byte-level BPE vocabularies use."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return "".join(chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in data)


def write(path, metadata, tensors):
    """tensors: name -> float array; matrices become Q8_0, everything else stays F32."""
    heads, blobs, offset = [], [], 0
    for name, array in tensors.items():
        kind = Q8_0 if array.ndim == 2 else F32
        blob = q8_0(array) if kind == Q8_0 else np.asarray(array, "<f4").tobytes()
        shape = array.shape[::-1]
        head = struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        heads.append(text(name) + head)
        blobs.append(blob + bytes(-len(blob) % ALIGNMENT))
        offset += len(blobs[-1])
    start = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    start += b"".join(text(key) + value(item) for key, item in metadata.items()) + b"".join(heads)
    with open(path, "wb") as file:
        file.write(start + bytes(-len(start) % ALIGNMENT) + b"".join(blobs))
