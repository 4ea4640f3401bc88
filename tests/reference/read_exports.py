"""Reads an exported file with Python's own readers and decodes it by docs/quantization.md; fails where a number differs.

usage: read_exports.py EXPORTED NUMBERS.safetensors
"""

import sys

import numpy as np
from safetensors import safe_open


def by_name(path):
    with safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def nibbles(row, numbers):
    """Two numbers a byte, the lower half first; groups of 32 begin at whole bytes."""
    packed = np.stack([row & 15, row >> 4], axis=-1).reshape(row.shape[0], -1)
    return packed[:, :numbers].astype(np.float32)


def grouped(scale, numbers):
    """The scale of each number: groups of 32 along an output's weights."""
    return np.repeat(scale.astype(np.float32), 32, axis=1)[:, :numbers]


def from_safetensors(path):
    import gguf

    tensors, metadata = by_name(path)
    assert len(metadata["recipe_digest"]) == 64, "the recipe's digest is missing"
    decoded = {}
    for key, scheme in metadata.items():
        if not key.startswith("assay.scheme."):
            continue
        name = key.removeprefix("assay.scheme.")
        values = tensors[name]
        scale = tensors.get(name + ".scale")
        if scheme in ("f32", "f16"):
            decoded[name] = values.astype(np.float32)
        elif scheme == "int8-weights-tensor":
            decoded[name] = values.astype(np.float32) * scale[0]
        elif scheme in ("int8-weights", "int8", "int8-dynamic"):
            each = scale.reshape((-1,) + (1,) * (values.ndim - 1))
            decoded[name] = values.astype(np.float32) * each
        else:
            decoded[name] = ("packed", scheme, values, scale, tensors.get(name + ".smallest"))
    return decoded, gguf


def unpacked(packed, shape, gguf):
    _, scheme, values, scale, smallest = packed
    numbers = int(np.prod(shape[1:]))
    if scheme == "int4":
        flat = (nibbles(values, numbers) - 8) * grouped(scale, numbers)
    elif scheme == "int4-asymmetric":
        flat = nibbles(values, numbers) * grouped(scale, numbers) + grouped(smallest, numbers)
    elif scheme == "ternary":
        codes = np.stack([values >> shift & 3 for shift in (0, 2, 4, 6)], axis=-1)
        codes = codes.reshape(values.shape[0], -1)[:, :numbers]
        signs = np.array([0, 1, -1, 0], dtype=np.float32)[codes]
        flat = signs * grouped(scale, numbers)
    else:
        kind = getattr(gguf.GGMLQuantizationType, scheme)
        flat = gguf.quants.dequantize(values, kind)[:, :numbers]
    return flat.reshape(shape)


def from_gguf(path):
    import gguf

    reader = gguf.GGUFReader(path)

    def text(key):
        field = reader.fields[key]
        return bytes(field.parts[field.data[0]]).decode()

    assert text("general.architecture") == "assay"
    assert len(text("recipe_digest")) == 64, "the recipe's digest is missing"
    decoded = {}
    for tensor in reader.tensors:
        shape = [int(size) for size in text("assay.shape." + tensor.name).split(",")]
        if tensor.tensor_type in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16):
            decoded[tensor.name] = tensor.data.astype(np.float32).reshape(shape)
        else:
            rows = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            decoded[tensor.name] = rows[:, : int(np.prod(shape[1:]))].reshape(shape)
    return decoded


def main(exported, numbers):
    wanted, _ = by_name(numbers)
    if exported.endswith(".gguf"):
        found = from_gguf(exported)
    else:
        packed, gguf = from_safetensors(exported)
        found = {
            name: unpacked(value, wanted[name].shape, gguf) if isinstance(value, tuple) else value
            for name, value in packed.items()
        }
    assert set(found) == set(wanted), f"tensors {sorted(found)}, not {sorted(wanted)}"
    for name, values in wanted.items():
        got = found[name]
        assert got.shape == values.shape, f"{name}: shape {got.shape}, not {values.shape}"
        # ggml's own readers multiply in another order, which costs the last bit.
        off = np.abs(got - values).max()
        assert off <= 2.0**-20 * np.abs(values).max(), f"{name} differs by {off}"


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except AssertionError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
