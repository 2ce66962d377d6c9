"""Builds record batches by hand, right ones and wrong ones, and sums up fetched ones."""
import gzip
import hashlib
import struct

from codec import uvarint, varint

T0 = 1_750_000_000_000  # a fixed time in 2025: answers do not depend on the day of the run


def crc32c_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = (i >> 1) ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc = TABLE[(crc ^ b) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def record(i, key=b"k", value=b"v", dt=0, headers=()):
    def data(x):
        return varint(-1) if x is None else varint(len(x)) + x
    body = b"\0" + varint(dt) + varint(i) + data(key) + data(value) + varint(len(headers))
    for k, v in headers:
        body += varint(len(k)) + k + data(v)
    return varint(len(body)) + body


def xxh32(data):
    """XXH32 of fewer than 16 bytes, seed 0: enough for an LZ4 frame descriptor."""
    p1, p2, p3, p4, p5, m = 2654435761, 2246822519, 3266489917, 668265263, 374761393, 0xFFFFFFFF
    h = (p5 + len(data)) & m
    for b in data:
        h = (h + b * p5) & m
        h = ((h << 11 | h >> 21) * p1) & m
    h = ((h ^ h >> 15) * p2) & m
    h = ((h ^ h >> 13) * p3) & m
    return h ^ h >> 16


def compress(codec, data):
    """Each codec's plain frame; snappy, lz4 and zstd with literal blocks."""
    if codec == "gzip":
        return gzip.compress(data, mtime=0)
    if codec == "snappy":
        return uvarint(len(data)) + bytes([61 << 2, (len(data) - 1) & 255, (len(data) - 1) >> 8]) + data
    if codec == "xerial":
        block = compress("snappy", data)
        return b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, len(block)) + block
    if codec == "lz4":
        descriptor = bytes([0x60, 0x40])
        head = struct.pack("<I", 0x184D2204) + descriptor + bytes([xxh32(descriptor) >> 8 & 255])
        return head + struct.pack("<I", len(data) | 0x80000000) + data + struct.pack("<I", 0)
    if codec == "zstd":
        head = struct.pack("<I", 0xFD2FB528) + bytes([0x60]) + struct.pack("<H", len(data) - 256)
        return head + struct.pack("<I", len(data) << 3 | 1)[:3] + data
    return data


BITS = {"none": 0, "gzip": 1, "snappy": 2, "xerial": 2, "lz4": 3, "zstd": 4}


def batch(n=1, codec="none", *, attributes=None, base=0, epoch=-1, magic=2, t=T0, t_max=None, pid=-1, pepoch=-1, seq=-1, count=None,
          last=None, payload=None, records=None, crc=None, length=None, value=b"v"):
    if records is None:
        records = b"".join(record(i, b"k%d" % i, value, i) for i in range(n))
    payload = compress(codec, records) if payload is None else payload
    attributes = BITS[codec] if attributes is None else attributes
    last = n - 1 if last is None else last
    t_max = t + n - 1 if t_max is None else t_max
    body = struct.pack(">hiqqqhii", attributes, last, t, t_max, pid, pepoch, seq, n if count is None else count) + payload
    crc = crc32c(body) if crc is None else crc
    return struct.pack(">qiibI", base, len(body) + 9 if length is None else length, epoch, magic, crc) + body


def batch_of(pairs, codec="none", **more):
    """Records with these keys and values, all at one time."""
    records = b"".join(record(i, key, value) for i, (key, value) in enumerate(pairs))
    return batch(len(pairs), codec, records=records, t_max=T0, **more)


def old_message(magic):
    """One message of format 0 or 1, CRC right."""
    import zlib
    body = struct.pack(">bb", magic, 0) + (struct.pack(">q", T0) if magic else b"") + struct.pack(">i", -1) + struct.pack(">i", 1) + b"v"
    message = struct.pack(">I", zlib.crc32(body)) + body
    return struct.pack(">qi", 0, len(message)) + message


def summary(data, now_ms):
    """What a fetched Records field holds; times near now become words."""
    if data is None:
        return None
    out, at = [], 0
    while at + 61 <= len(data):
        base, length, epoch, magic, _ = struct.unpack_from(">qiibI", data, at)
        attributes, last, t, t_max, pid, pepoch, seq, count = struct.unpack_from(">hiqqqhii", data, at + 21)
        end = at + 12 + length
        if end > len(data):
            break
        crc_ok = struct.unpack_from(">I", data, at + 17)[0] == crc32c(data[at + 21:end])
        near = abs(t_max - now_ms) < 3_600_000
        out.append({"base": base, "epoch": epoch, "magic": magic, "attributes": attributes, "last": last,
                    "t": "now" if abs(t - now_ms) < 3_600_000 else t, "t_max": "now" if near else t_max,
                    "pid": "pid" if pid >= 0 else pid, "pepoch": pepoch, "seq": seq, "count": count, "crc ok": crc_ok,
                    "payload": hashlib.sha256(data[at + 61:end]).hexdigest()[:16]})
        at = end
    return {"batches": out, "cut bytes": len(data) - at}
