"""Writes the files that src/data/import must read, and what must come of them, by Pillow and NumPy; they share no code with
Assay. Writes files.json beside itself.

    python3 -m pip install pillow numpy
    python3 tests/reference/generate_files.py

Pixels of a PNG are exact. Those of a JPEG are Pillow's (libjpeg-turbo): decoders may round the cosine transform and the
colours differently, so they are compared within 4 of 255.
"""

import base64
import io
import json
import pathlib
import zipfile

import numpy
from PIL import Image, PngImagePlugin

RANDOM = numpy.random.default_rng(1)


def text(data):
    return base64.b64encode(data).decode()


def smooth(width, height, channels):
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [
        (128 + 100 * numpy.sin(x / (3 + c) + c) * numpy.cos(y / (4 - c) + c)).astype(numpy.uint8) for c in range(channels)
    ]
    return planes[0] if channels == 1 else numpy.stack(planes, axis=-1)


def on_white(image):
    rgba = numpy.asarray(image.convert("RGBA")).astype(int)
    alpha = rgba[..., 3:]
    return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(int)


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def case(name, image, data):
    grey = image.mode in ("1", "L", "LA", "I;16")
    if image.mode == "I;16":
        pixels = numpy.repeat((numpy.asarray(image) >> 8)[..., None], 3, axis=-1)
    else:
        pixels = on_white(image)
    return {
        "name": name,
        "file": text(data),
        "width": image.width,
        "height": image.height,
        "channels": 1 if grey else 3,
        "pixels": (pixels[..., 0] if grey else pixels).flatten().tolist(),
    }


def images():
    rgb = Image.fromarray(smooth(13, 9, 3))
    grey = Image.fromarray(smooth(13, 9, 1))
    alpha = rgb.copy()
    alpha.putalpha(Image.fromarray(smooth(13, 9, 1)))
    grey_alpha = grey.copy()
    grey_alpha.putalpha(Image.fromarray(smooth(13, 9, 1)))
    palette = rgb.quantize(11)
    sixteen = Image.fromarray((smooth(13, 9, 1).astype(numpy.uint16) * 257 + 5).clip(0, 65535).astype(numpy.uint16))
    keyed = rgb.copy()
    png = [
        ("grey", grey, saved(grey, format="PNG")),
        ("one bit", grey.convert("1"), saved(grey.convert("1"), format="PNG")),
        ("rgb", rgb, saved(rgb, format="PNG")),
        ("rgb with opacity", alpha, saved(alpha, format="PNG")),
        ("grey with opacity", grey_alpha, saved(grey_alpha, format="PNG")),
        ("palette of 11", palette, saved(palette, format="PNG")),
        ("palette of two bits", rgb.quantize(3), saved(rgb.quantize(3), format="PNG", bits=2)),
        ("sixteen bits", sixteen, saved(sixteen, format="PNG")),
    ]
    jpeg = [
        ("grey", grey, 90, {}),
        ("rgb", rgb, 95, {"subsampling": 0}),
        ("rgb with shared colours", rgb, 90, {"subsampling": 2}),
        ("progressive", rgb, 95, {"progressive": True, "subsampling": 0}),
    ]
    made = []
    for name, image, quality, options in jpeg:
        data = saved(image, format="JPEG", quality=quality, **options)
        made.append(case(name, Image.open(io.BytesIO(data)), data))
    return [case(*one) for one in png], made


def arrays():
    values = RANDOM.integers(0, 256, (6, 4, 4), dtype=numpy.uint8)
    labels = numpy.array([0, 1, 2, 0, 1, 2])
    made = []
    for name, array in [
        ("bytes", values),
        ("float32", values.astype(numpy.float32)),
        ("big-endian float64", values.astype(">f8")),
        ("int16", values.astype(numpy.int16)),
    ]:
        out = io.BytesIO()
        numpy.save(out, array)
        made.append({"name": name, "file": text(out.getvalue())})
    out = io.BytesIO()
    numpy.save(out, labels)
    npz, packed = io.BytesIO(), io.BytesIO()
    numpy.savez(npz, x=values, y=labels)
    numpy.savez_compressed(packed, x_train=values, y_train=labels, x_test=values[:2], y_test=labels[:2])
    return {
        "values": values.flatten().tolist(),
        "labels": labels.tolist(),
        "arrays": made,
        "label_file": text(out.getvalue()),
        "npz": text(npz.getvalue()),
        "packed": text(packed.getvalue()),
    }


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for index in range(6):
            image = Image.fromarray(numpy.full((8, 8), 40 * index, numpy.uint8))
            folder = ["cats", "dogs"][index % 2]
            made.writestr(f"pets/{folder}/{index}.png", saved(image, format="PNG"))
        made.writestr("pets/readme.txt", "six")
        made.writestr("__MACOSX/pets/._0.png", "x")
    return text(out.getvalue())


png, jpeg = images()
path = pathlib.Path(__file__).with_name("files.json")
path.write_text(json.dumps({"png": png, "jpeg": jpeg, "numpy": arrays(), "zip": archive()}, separators=(",", ":")) + "\n")
