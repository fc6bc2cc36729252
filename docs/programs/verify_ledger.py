#!/usr/bin/env python3
"""Verifies an export of TapPass's ledger. Needs nothing but Python 3.8: no package, no network, no gateway.

    python3 verify_ledger.py EXPORT [--key FILE]... [--since CHECKPOINT]...

EXPORT is what `tappass audit export` writes. FILE holds a public key that has signed checkpoints: PEM, base64 of 32 bytes, or
name+id+key. CHECKPOINT is a checkpoint that was kept elsewhere. Exit codes: 0 intact, 1 broken, 2 unreadable.
Written apart from the gateway's own verifier: it shares no code with it. docs/reference/ledger.md describes the formats.
"""
import argparse
import base64
import hashlib
import json
import re
import sys

# --- Ed25519 (RFC 8032, section 5.1), verification only ---------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * SQRT_OF_MINUS_ONE % P
    if y >= P or (x * x - x2) % P != 0 or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def point_of(data):
    number = int.from_bytes(data, "little")
    y = number & (2**255 - 1)
    x = recover_x(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def is_signed(public_key, message, signature):
    key, r = point_of(public_key), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER or len(signature) != 64:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    left = multiply(s, BASE)
    right = add(r, multiply(int.from_bytes(digest, "little") % ORDER, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- keys, notes, checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint) -----------------------------------------


def read_key(text):
    text = text.strip()
    if "BEGIN" in text:
        lines = [line for line in text.splitlines() if line and not line.startswith("-")]
        return base64.b64decode("".join(lines))[-32:]
    parts = text.split("+", 2)
    data = base64.b64decode(parts[2] if len(parts) == 3 and re.fullmatch("[0-9a-f]{8}", parts[1]) else text)
    key = data[1:] if len(data) == 33 and data[0] == 1 else data
    if len(key) != 32:
        raise ValueError("this is no public Ed25519 key")
    return key


def read_checkpoint(note, keys):
    """Returns (chain, size, root, head, time) when a key has signed the note, else None."""
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    origin = lines[0]
    for key in keys:
        key_id = hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
        for line in signatures.splitlines():
            words = line.split(" ")
            if len(words) != 3 or words[0] != "\u2014" or words[1] != origin:
                continue
            data = base64.b64decode(words[2])
            if data[:4] == key_id and is_signed(key, text.encode(), data[4:]):
                named = dict(line.split(" ", 1) for line in lines[3:] if " " in line)
                chain = origin.split("/", 1)[1]
                return (chain, int(lines[1]), base64.b64decode(lines[2]), named["head"], named["time"])
    return None


# --- the Merkle tree of RFC 6962 ---------------------------------------------------------------------------------------


class Tree:
    def __init__(self):
        self.size = 0
        self.subtrees = []

    def append(self, data):
        node = hashlib.sha256(b"\x00" + data).digest()
        rest = self.size
        while rest & 1:
            node = hashlib.sha256(b"\x01" + self.subtrees.pop() + node).digest()
            rest >>= 1
        self.subtrees.append(node)
        self.size += 1

    def root(self):
        node = self.subtrees[-1]
        for left in reversed(self.subtrees[:-1]):
            node = hashlib.sha256(b"\x01" + left + node).digest()
        return node


# --- the ledger --------------------------------------------------------------------------------------------------------


class Broken(Exception):
    def __init__(self, chain, seq, reason):
        super().__init__("entry %s of chain %s: %s" % (seq, chain, reason))


def lines_of(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        for number, text in enumerate(file, 1):
            line = json.loads(text)
            if number == 1 and line.get("form") != "tappass-ledger/1":
                raise ValueError("line 1: this is no export of a ledger")
            yield line


def collect(path, since, keys):
    """Returns what has to be there: recorded heads by place, and checkpoints by place and by chain."""
    heads, notes = {}, list(since)
    for line in lines_of(path):
        if "checkpoint" in line:
            notes.append(line["checkpoint"])
        if '"event_kind":"chain"' in line.get("entry", ""):
            details = json.loads(line["entry"]).get("details", {})
            for head in details.get("heads", []):
                heads[(head["chain"], head["seq"])] = head["hash"]
    signed, largest = {}, {}
    for note in notes if keys else []:
        checkpoint = read_checkpoint(note, keys)
        if checkpoint is None:
            origin, size = (note.split("\n") + [""])[:2]
            raise Broken(origin.split("/", 1)[-1], size, "a checkpoint is not signed by a known key")
        signed.setdefault(checkpoint[:2], []).append(checkpoint)
        largest[checkpoint[0]] = max(checkpoint, largest.get(checkpoint[0], checkpoint), key=lambda one: one[1])
    return heads, signed, largest


def check_entry(line, previous):
    chain, seq, text = line["chain"], line["seq"], line["entry"]
    entry = json.loads(text)
    if seq != (previous[0] if previous else 0) + 1:
        raise Broken(chain, seq, "the entry before it is gone")
    if previous and json.loads(previous[2])["event_type"] == "chain_closed":
        raise Broken(chain, seq, "it stands behind the end of its chain")
    if entry["prev_hash"] != (previous[1] if previous else None):
        raise Broken(chain, seq, "it does not continue the entry before it")
    if hashlib.sha256(text.encode()).hexdigest() != line["hash"]:
        raise Broken(chain, seq, "its text does not have its hash")
    if (entry["chain"], entry["seq"]) != (chain, seq):
        raise Broken(chain, seq, "its text says another place")


def verify(path, since, keys):
    heads, signed, largest = collect(path, since, keys)
    chains, entries = {}, 0
    for line in lines_of(path):
        if "entry" not in line:
            continue
        entries += 1
        chain, seq = line["chain"], line["seq"]
        last, tree = chains.get(chain, (None, Tree()))
        check_entry(line, last)
        recorded = heads.pop((chain, seq), line["hash"])
        if recorded != line["hash"]:
            raise Broken(chain, seq, "a later chain recorded another hash for it")
        tree.append(line["entry"].encode())
        for _, _, root, head, time in signed.get((chain, seq), []):
            if root != tree.root() or head != line["hash"]:
                raise Broken(chain, seq, "a checkpoint of %s signed other entries" % time)
        chains[chain] = ((seq, line["hash"], line["entry"]), tree)
    for chain, checkpoint in sorted(largest.items()):
        end = chains[chain][0][0] if chain in chains else 0
        if checkpoint[1] > end:
            raise Broken(chain, end + 1, "a checkpoint of %s signed %d entries" % (checkpoint[4], checkpoint[1]))
    for chain, seq in sorted(heads):
        raise Broken(chain, seq, "a later chain recorded this entry, and it is gone")
    covered = sum(checkpoint[1] for checkpoint in largest.values())
    unended = [c for c, (last, _) in sorted(chains.items()) if json.loads(last[2])["event_type"] != "chain_closed"]
    return entries, len(chains), covered, unended


def main():
    parser = argparse.ArgumentParser(description="Verifies an export of TapPass's ledger.")
    parser.add_argument("export")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--since", action="append", default=[])
    options = parser.parse_args()
    read = lambda path: open(path, encoding="utf-8", newline="\n").read()
    try:
        keys = [read_key(read(path)) for path in options.key]
        entries, chains, covered, unended = verify(options.export, [read(path) for path in options.since], keys)
    except Broken as flaw:
        print("broken: %s" % flaw)
        return 1
    except (OSError, ValueError, KeyError, TypeError) as cause:
        print("unreadable: %s" % cause, file=sys.stderr)
        return 2
    said = "signed %d" % covered if keys else "checkpoints not checked: no key"
    print("intact: entries %d, chains %d, %s" % (entries, chains, said))
    for chain in unended:
        print("without an end: chain %s" % chain)
    return 0


if __name__ == "__main__":
    sys.exit(main())
