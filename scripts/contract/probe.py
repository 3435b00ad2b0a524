"""Schemathesis against a live server: `probe.py BINARY`, in an environment that has it (scripts/setup/contract.sh).

A server of its own, on a free port of loopback and a directory that is removed, holds generated payments with every
disturbance. A key of each role asks. Nothing may be answered with a 5xx, a status, a type or a body that openapi.yaml does not
have, and nothing personal of the payments may stand in what the server said.

CONTRACT_REQUESTS is about how many requests are sent (at the least some 5,000, as by default), CONTRACT_SEED makes other ones. What Schemathesis
found is printed whole; the last line says how many requests there were. Exit code 0: nothing found.
"""

import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
CONTRACT = HERE.parent.parent / "openapi.yaml"
REQUESTS = int(os.environ.get("CONTRACT_REQUESTS", "0"))
REQUESTS_FULL = 20_000
COVERAGE_REQUESTS = 3500
OPERATIONS = 25
SEED = os.environ.get("CONTRACT_SEED", "1")
PAYMENTS = 3000
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
PERSONAL = {"name", "email", "phone", "depositor", "account_number"}


class Server:
    """`ledgerlens serve` with what it says in a file."""

    def __init__(self, binary, store, log):
        self.log = log
        # As loud as it can be: whoever looks for a fault must not find customers instead.
        # And without rates, which would answer most of the requests of one key with 429.
        rates = {f"LEDGERLENS_API_{kind}_PER_SECOND_MAX": "0" for kind in ("LOOKUPS", "LISTS", "REPORTS", "EXPORTS")}
        environment = dict(os.environ, LEDGERLENS_LOG="debug", **rates)
        with open(log, "wb") as said:
            self.process = subprocess.Popen(
                [binary, "serve", "--data-dir", store, "--listen", "127.0.0.1:0"], stderr=said, env=environment
            )
        self.address = self.await_address()

    def await_address(self):
        while self.process.poll() is None:
            found = re.search(r"ledgerlens answers.* address=\"?([0-9.:]+)", self.said())
            if found:
                return f"http://{found.group(1)}"
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        sys.exit(f"the server did not start:\n{self.said()}")

    def said(self):
        return re.sub(r"\x1b\[[0-9;]*m", "", self.log.read_text(encoding="utf-8", errors="replace"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def strings(value, names):
    """Every string beneath one of these names."""
    if isinstance(value, list):
        for item in value:
            yield from strings(item, names)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in names and isinstance(member, str):
                yield member
            yield from strings(member, names)


def read_known(messages):
    """What the messages hold, by what it is asked with."""
    known = collections.defaultdict(set)
    with open(messages, "rb") as lines:
        for line in lines:
            try:
                message = json.loads(line)
                data = message["data"]
                known["event_id"].update(strings([message], {"id"}))
                known["personal"].update(strings([data.get("customer"), data.get("virtual_account")], PERSONAL))
                for name in ("payment_key", "merchant_id", "order_id", "payout_id"):
                    known[name].update(strings([data], {name}))
            except (ValueError, KeyError, TypeError, AttributeError):
                pass  # one of the broken messages that the file is seasoned with
    return {name: sorted(values) for name, values in known.items()}


def spellings(text):
    """As it is, as in an address, and as in JSON."""
    return {text, urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text), json.dumps(text)[1:-1]}


def personal_in(said, known):
    # Texts of less than four bytes are in every log by chance.
    every = {spelling for text in known["personal"] for spelling in spellings(text) if len(spelling.encode()) >= 4}
    return sorted(text for text in every if text in said)


def requests_counted(server, key):
    """Of the server's own count: how many, and how many of them 5xx."""
    request = urllib.request.Request(f"{server.address}/metrics", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request) as answer:
        lines = answer.read().decode().splitlines()
    counted = collections.Counter()
    for line in lines:
        found = re.fullmatch(r'ledgerlens_http_requests_total\{.*status="(\d)\d*".*\} (\d+)', line)
        if found:
            counted[found.group(1)] += int(found.group(2))
    return sum(counted.values()), counted["5"]


def start_asking(server, role, key, known):
    """Schemathesis with a key of a role, beside those with others. One worker each: Python 3.11 parses wrongly in two threads."""
    everywhere = role == "operator" or REQUESTS >= REQUESTS_FULL
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", str(CONTRACT), "--url", server.address,
        "--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--mode", "all", "--workers", "1",
        # `coverage` tries the bounds of every parameter, about 3,500 requests; the rest are of `fuzzing`.
        "--phases", "examples,coverage,fuzzing" if everywhere else "examples,fuzzing",
        "--max-examples", str(max(5, (REQUESTS - COVERAGE_REQUESTS) // OPERATIONS // 3)), "--seed", SEED,
        "--continue-on-failure", "--no-color", "--warnings", "off", "--generation-database", "none",
        "--suppress-health-check", "all", "--request-timeout", "40",
    ]  # fmt: skip
    environment = dict(os.environ, SCHEMATHESIS_HOOKS="hooks", PYTHONPATH=str(HERE), CONTRACT_KNOWN=str(known), COLUMNS="120")
    report = open(known.parent / f"{role}.txt", "w+", encoding="utf-8")
    return report, subprocess.Popen(command, env=environment, cwd=known.parent, stdout=report, stderr=subprocess.STDOUT)


def ask(server, keys, known):
    """Whether nothing was found with any of the keys."""
    asking = {role: start_asking(server, role, key, known) for role, key in keys.items()}
    right = True
    try:
        for role, (report, process) in asking.items():
            if process.wait() != 0:
                right = False
                report.seek(0)
                print(f"--- with a key of role {role}:\n{report.read()}")
    finally:
        for _, process in asking.values():
            process.kill()
    return right


def main(binary):
    with tempfile.TemporaryDirectory(prefix="ledgerlens-contract-") as directory:
        directory = pathlib.Path(directory)
        messages, store, known_file = directory / "messages.ndjson", str(directory / "store"), directory / "known.json"

        def ledgerlens(*arguments):
            return subprocess.run(
                [binary, *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ).stdout.strip()

        ledgerlens("generate", "--hostile", "--payments", str(PAYMENTS), "--merchants", "20", "--seed", SEED, "--out", str(messages))
        ledgerlens("backfill", "--data-dir", store, str(messages))
        known = read_known(messages)
        known_file.write_text(json.dumps(known), encoding="utf-8")
        roles = {"operator": [], "finance": [], "merchant": ["--merchant", known["merchant_id"][0]]}
        keys = {role: ledgerlens("keys", "create", "--data-dir", store, "--role", role, *more) for role, more in roles.items()}
        server = Server(binary, store, directory / "log")
        try:
            right = ask(server, keys, known_file)
            sent, failed = requests_counted(server, keys["operator"])
        finally:
            code = server.stop()
        personal = personal_in(server.said(), known)
        for text in personal[:20]:
            print(f"personal data in the server's log: {text}")
        for line in [line for line in server.said().splitlines() if text_in(line, personal)][:5]:
            print(line)
        print(f"{sent} requests, {failed} answered with 5xx, {len(personal)} pieces of personal data in {len(server.said())} bytes of log")
        return 0 if right and failed == 0 and not personal and code == 0 else 1


def text_in(line, texts):
    return any(text in line for text in texts)


if __name__ == "__main__":
    # So that a run that is ended leaves no server and no directory behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1]))
