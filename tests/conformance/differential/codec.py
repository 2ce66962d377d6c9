"""Encodes requests and decodes responses of any key and version from definitions.json."""
import json
import os
import struct
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "definitions.json")) as f:
    DEFINITIONS = json.load(f)
NUMBERS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d"}


def within(versions, v):
    if versions is None or versions == "none":
        return False
    if versions.endswith("+"):
        return v >= int(versions[:-1])
    low, _, high = versions.partition("-")
    return int(low) <= v <= int(high or low)


def uvarint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def varint(n):
    return uvarint((n << 1) ^ (n >> 63) if n >= 0 else ((-n - 1) << 1) | 1)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n < 0 or self.at + n > len(self.data):
            raise ValueError(f"{n} bytes wanted at {self.at} of {len(self.data)}")
        self.at += n
        return self.data[self.at - n:self.at]

    def uvarint(self):
        n = shift = 0
        while True:
            b = self.take(1)[0]
            n |= (b & 0x7F) << shift
            if b < 0x80:
                return n
            shift += 7

    def rest(self):
        return len(self.data) - self.at


class Message:
    def __init__(self, name):
        d = DEFINITIONS[name]
        self.name, self.fields, self.structs, self.flexible_versions = name, d["fields"], d["structs"], d["flexible"]

    def flexible(self, v):
        return within(self.flexible_versions, v)

    def encode(self, body, v):
        return self.put_fields(self.fields, body, v, self.flexible(v))

    def put_fields(self, fields, body, v, flexible):
        known = {f["n"] for f in fields}
        unknown = set(body) - known - {"_tags"}
        assert not unknown, f"{self.name} has no field {unknown}"
        out, tags = bytearray(), dict(body.get("_tags", {}))
        for f in fields:
            if not within(f["v"], v):
                continue
            value = body.get(f["n"], default(f))
            if "tag" in f and within(f.get("tv"), v):
                if f["n"] in body:
                    tags[f["tag"]] = self.put(f, f["t"], value, v, flexible)
                continue
            out += self.put(f, f["t"], value, v, flexible and within(f.get("fv", "0+"), v))
        if flexible:
            out += uvarint(len(tags))
            for tag in sorted(tags):
                out += uvarint(tag) + uvarint(len(tags[tag])) + tags[tag]
        return bytes(out)

    def put(self, f, t, value, v, flexible):
        if t in NUMBERS:
            return struct.pack(NUMBERS[t], value)
        if t == "bool":
            return b"\1" if value else b"\0"
        if t == "uuid":
            return uuid.UUID(value).bytes
        if t in ("string", "bytes", "records"):
            data = value.encode() if isinstance(value, str) else value
            if flexible:
                return uvarint(0) if data is None else uvarint(len(data) + 1) + data
            form = ">h" if t == "string" else ">i"
            return struct.pack(form, -1) if data is None else struct.pack(form, len(data)) + data
        if t.startswith("[]"):
            if value is None:
                return uvarint(0) if flexible else struct.pack(">i", -1)
            out = uvarint(len(value) + 1) if flexible else struct.pack(">i", len(value))
            return out + b"".join(self.put(element(f), t[2:], item, v, flexible) for item in value)
        if "null" in f and within(f["null"], v):
            if value is None:
                return b"\xff"
            return b"\1" + self.put_fields(self.inner(f, t), value, v, flexible)
        return self.put_fields(self.inner(f, t), value or {}, v, flexible)

    def inner(self, f, t):
        return f["f"] if "f" in f else self.structs[t]

    def decode(self, reader, v):
        return self.get_fields(self.fields, reader, v, self.flexible(v))

    def get_fields(self, fields, r, v, flexible):
        out = {}
        for f in fields:
            if within(f["v"], v) and not ("tag" in f and within(f.get("tv"), v)):
                out[f["n"]] = self.get(f, f["t"], r, v, flexible and within(f.get("fv", "0+"), v))
        if flexible:
            tagged = {f["tag"]: f for f in fields if "tag" in f and within(f.get("tv"), v)}
            for _ in range(r.uvarint()):
                tag, size = r.uvarint(), r.uvarint()
                inner = Reader(r.take(size))
                if tag in tagged:
                    out[tagged[tag]["n"]] = self.get(tagged[tag], tagged[tag]["t"], inner, v, flexible)
                else:
                    out[f"tag {tag}"] = inner.data.hex()
        return out

    def get(self, f, t, r, v, flexible):
        if t in NUMBERS:
            form = NUMBERS[t]
            return struct.unpack(form, r.take(struct.calcsize(form)))[0]
        if t == "bool":
            return r.take(1) != b"\0"
        if t == "uuid":
            return str(uuid.UUID(bytes=bytes(r.take(16))))
        if t in ("string", "bytes", "records"):
            if flexible:
                size = r.uvarint() - 1
            else:
                form = ">h" if t == "string" else ">i"
                size = struct.unpack(form, r.take(struct.calcsize(form)))[0]
            data = None if size < 0 else bytes(r.take(size))
            return data if t != "string" or data is None else data.decode()
        if t.startswith("[]"):
            size = r.uvarint() - 1 if flexible else struct.unpack(">i", r.take(4))[0]
            return None if size < 0 else [self.get(element(f), t[2:], r, v, flexible) for _ in range(size)]
        if "null" in f and within(f["null"], v) and r.take(1) == b"\xff":
            return None
        return self.get_fields(self.inner(f, t), r, v, flexible)


def element(f):
    """An array may be null, its elements may not."""
    return {k: x for k, x in f.items() if k != "null"}


def default(f):
    t, d = f["t"], f.get("d")
    if d == "null":
        return None
    if t in NUMBERS:
        return int(d, 0) if d else 0
    if t == "bool":
        return d == "true"
    if t == "uuid":
        return "00000000-0000-0000-0000-000000000000"
    if t == "string":
        return d or ""
    if t == "bytes":
        return b""
    if t == "records":
        return None
    return [] if t.startswith("[]") else ({} if "null" not in f else None)
