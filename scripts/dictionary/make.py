"""Makes crates/ledger/src/dossier/dictionary.zst of dictionary.json, on standard output.

Its content is the contract's own wording; the messages on standard input give nothing but the statistics (Huffman and
FSE tables) that a short text would otherwise have to bring along itself: compressing a row of 630 bytes takes 5.5 us
with them and 10.2 us without, and it is a tenth smaller.

    pip install pyzstd==0.16.2
    ledgerlens generate --payments 5000 --out - | python3 scripts/dictionary/make.py > dictionary.zst

The ledger's format (`FORMAT` in codec.rs) changes with it.
"""

import hashlib
import json
import pathlib
import sys

import pyzstd

LEVEL = 1
TABLES_BYTES_MAX = 2_000
CONTENT = pathlib.Path(__file__).parents[2] / "crates/ledger/src/dossier/dictionary.json"


def values(node):
    """The texts of a message without its names, as a row holds them."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for member in node:
            yield from values(member)
    elif node is not None:
        text = str(node).encode()
        yield bytes([len(text) & 0x7F]) + text


rows = {}
samples = []
for line in sys.stdin:
    data = json.loads(line)["data"]
    entry = b"".join(values(data)) + hashlib.sha256(line.encode()).digest()
    row = rows.get(data["payment_key"], b"") + entry
    rows[data["payment_key"]] = row
    samples.append(row)

content = CONTENT.read_bytes()
raw = pyzstd.ZstdDict(content, is_raw=True)
made = pyzstd.finalize_dict(raw, samples, len(content) + TABLES_BYTES_MAX, LEVEL)
sys.stdout.buffer.write(made.dict_content)
