"""Makes a part of Schemathesis' requests about payments that exist.

What it makes up finds nothing, so alone it would only ever see 404s and empty lists. In one request of three a path, a
search or a lookup names something of the generated payments, personal data included: what is asked must not
show in the server's log either.
"""

import json
import os
import random

import schemathesis

with open(os.environ["CONTRACT_KNOWN"], encoding="utf-8") as file:
    KNOWN = json.load(file)
CHANCE = random.Random(int(os.environ.get("CONTRACT_SEED", "1")))
ARRAYS = ("merchant_id", "order_id", "payout_id")


def one_in_three():
    return CHANCE.randrange(3) == 0


def one_of(kind):
    return CHANCE.choice(KNOWN[kind])


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    for name in ("payment_key", "payout_id"):
        if path_parameters and name in path_parameters and one_in_three():
            path_parameters[name] = one_of(name)
    if path_parameters and "n" in path_parameters and one_in_three():
        path_parameters["n"] = CHANCE.randrange(1, 80)
    if path_parameters and "id" in path_parameters and one_in_three():
        path_parameters["id"] = one_of("event_id")
    return path_parameters


@schemathesis.hook
def map_headers(context, headers):
    # Waiting for what never comes is asked for now and then; ten thousand times it would only take hours.
    if headers and "wait=" in str(headers.get("Prefer")) and CHANCE.randrange(100):
        headers["Prefer"] = "wait=0"
    return headers


@schemathesis.hook
def map_query(context, query):
    if query and isinstance(query.get("q"), str) and one_in_three():
        query["q"] = one_of("personal")
    for name in ARRAYS:
        if query and isinstance(query.get(name), list) and one_in_three():
            query[name] = [one_of(name)]
    return query


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict) and one_in_three():
        if isinstance(body.get("ids"), list):
            body["ids"] = [one_of("personal"), one_of("payment_key"), one_of("order_id"), *body["ids"][:5]]
        if isinstance(body.get("q"), str):
            body["q"] = one_of("personal")
    return body
