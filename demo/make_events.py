#!/usr/bin/env python3
"""Makes demo/events.txt: 4,000 order events of a web shop, keyed by customer.

Our own making: no real person or shop is behind them. A fixed seed gives the same file every time.
A line is `customer|event`, the event one line of JSON; `n` counts the events of that customer.
"""
import json
import random

random.seed(20261124)
PRODUCTS = [("p-%03d" % n, random.randint(199, 19999)) for n in range(120)]
PAYMENTS = ["CARD", "TRANSFER", "WALLET", "INVOICE"]
counts = {}
time_ms = 1_790_000_000_000
with open("demo/events.txt", "w") as out:
    for _ in range(4000):
        customer = "c-%04d" % int(random.paretovariate(1.1) * 7 % 400)
        counts[customer] = counts.get(customer, 0) + 1
        time_ms += random.randint(20, 4000)
        product, cents = random.choice(PRODUCTS)
        event = {
            "time": time_ms,
            "customer_id": customer,
            "n": counts[customer],
            "product_id": product,
            "quantity": random.randint(1, 5),
            "price_cents": cents,
            "payment_type": random.choice(PAYMENTS),
        }
        out.write("%s|%s\n" % (customer, json.dumps(event, separators=(",", ":"))))
