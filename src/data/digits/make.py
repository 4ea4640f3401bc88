"""Makes digits.bin from the scikit-learn package; needs Python 3 and pip, nothing else.

    python3 src/data/digits/make.py             # downloads the wheel from PyPI
    python3 src/data/digits/make.py FILE.whl    # uses this one

It does not choose, clean or reorder: the rows are those of sklearn/datasets/data/digits.csv.gz, in their order.
The bytes of digits.bin depend on the zlib that compressed them; the data digest, printed at the end and pinned by a
test in src/data/digits.rs, does not.

Form of the file, inside a zlib stream: 1,797 labels of one byte; then, for each of the 64 pixels, one byte for each
row, rows by label and then by number. This order saves 13 % over row by row.
"""

import csv
import gzip
import hashlib
import io
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

PACKAGE = "scikit-learn==1.9.1"
MEMBER = "sklearn/datasets/data/digits.csv.gz"
# SHA-256 of the decompressed CSV: whichever wheel is used, the content must be this one.
CSV_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
ROWS, SIDE, LARGEST, CLASSES = 1797, 8, 16, 10


def wheel(folder):
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                    "--dest", folder, PACKAGE], check=True)
    return next(pathlib.Path(folder).glob("*.whl"))


def table(path):
    text = gzip.decompress(zipfile.ZipFile(path).read(MEMBER))
    found = hashlib.sha256(text).hexdigest()
    if found != CSV_SHA256:
        sys.exit(f"{MEMBER}: expected SHA-256 {CSV_SHA256}, got {found}")
    rows = [[int(value) for value in row] for row in csv.reader(io.StringIO(text.decode("ascii")))]
    assert len(rows) == ROWS and all(len(row) == SIDE * SIDE + 1 for row in rows)
    assert all(0 <= value <= LARGEST for row in rows for value in row[:-1])
    assert all(0 <= row[-1] < CLASSES for row in rows)
    return [row[:-1] for row in rows], [row[-1] for row in rows]


def packed(images, labels):
    order = sorted(range(ROWS), key=lambda row: labels[row])
    planes = bytes(images[row][pixel] for pixel in range(SIDE * SIDE) for row in order)
    deflate = zlib.compressobj(9, zlib.DEFLATED, 15, 9)
    return deflate.compress(bytes(labels) + planes) + deflate.flush()


def digest(images, labels):
    """The same canonical bytes as Dataset::digest in src/data/mod.rs."""
    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    def integers(values):
        return struct.pack(f"<Q{len(values)}I", len(values), *values)

    pixels = bytes(value for image in images for value in image)
    return hashlib.sha256(
        text("assay/dataset/1")
        + integers([ROWS, 1, SIDE, SIDE])
        + struct.pack("<Q", LARGEST)
        + struct.pack("<Q", len(pixels)) + pixels
        + integers(labels)
        + struct.pack("<Q", CLASSES) + b"".join(text(str(name)) for name in range(CLASSES))
    ).hexdigest()


def main():
    with tempfile.TemporaryDirectory() as folder:
        images, labels = table(sys.argv[1] if len(sys.argv) > 1 else wheel(folder))
    data = packed(images, labels)
    target = pathlib.Path(__file__).with_name("digits.bin")
    target.write_bytes(data)
    print(f"{target}: {len(data)} bytes, zlib {zlib.ZLIB_RUNTIME_VERSION}")
    print("rows per class", [labels.count(name) for name in range(CLASSES)])
    print("data digest", digest(images, labels))


main()
