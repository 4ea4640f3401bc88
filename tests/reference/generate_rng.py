"""Computes what src/rng.rs must give, from the papers alone; needs only Python 3. Writes rng.json beside itself.

    python3 tests/reference/generate_rng.py

ChaCha is written here from D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008, with 8 rounds, a 64-bit counter and
a nonce of zero; it shares no code with the crate that Assay uses.
"""

import hashlib
import json
import math
import pathlib
import struct


def quarter(s, a, b, c, d):
    for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xFFFFFFFF
        s[z] ^= s[x]
        s[z] = ((s[z] << turn) | (s[z] >> (32 - turn))) & 0xFFFFFFFF


def words(key):
    counter = 0
    while True:
        start = list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key))
        start += [counter & 0xFFFFFFFF, counter >> 32, 0, 0]
        state = start[:]
        for _ in range(4):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                quarter(state, a, b, c, d)
        yield from ((a + b) & 0xFFFFFFFF for a, b in zip(state, start))
        counter += 1


class Stream:
    def __init__(self, seed, name, index):
        name = name.encode()
        text = b"assay/rng/1" + struct.pack("<IQQ", seed, index, len(name)) + name
        self.words = words(hashlib.sha256(text).digest())

    def below(self, n):
        # The plain statement of Lemire's method: refuse so many low halves that all results keep equally many.
        while True:
            product = next(self.words) * n
            if product % 2**32 >= 2**32 % n:
                return product // 2**32

    def unit(self):
        return (next(self.words) >> 8) / 2**24

    def normal(self):
        first, second = next(self.words), next(self.words)
        value = math.sqrt(-2 * math.log((first + 0.5) / 2**32)) * math.cos(2 * math.pi * second / 2**32)
        return struct.unpack("<f", struct.pack("<f", value))[0]

    def shuffle(self, items):
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items


def case(seed, name, index):
    stream = Stream(seed, name, index)
    return {
        "seed": seed, "name": name, "index": index,
        "below_1000": [stream.below(1000) for _ in range(20)],
        "below_3221225472": [stream.below(3 << 30) for _ in range(20)],
        "unit": [stream.unit() for _ in range(20)],
        "normal": [stream.normal() for _ in range(200)],
        "shuffle_20": stream.shuffle(list(range(20))),
    }


cases = [case(1, "split", 0), case(1, "split", 1), case(0, "", 0), case(2**32 - 1, "größe", 2**64 - 1)]
target = pathlib.Path(__file__).with_name("rng.json")
target.write_text("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in cases) + "\n]\n")
