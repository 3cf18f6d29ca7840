# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of the real servers: 200,000 products and their reviews, laid out as ours are."""
import os
import sqlite3

PRODUCTS = 200_000
CATEGORIES = 500

_words = ["Quiet", "Bright", "Sturdy", "Light", "Folding", "Round", "Slim", "Warm"]
_text = "Looks as good in the hall as in the study. Wipe with a damp cloth. Made not far from here."


def _products():
    for i in range(1, PRODUCTS + 1):
        sku = f"P-{i * 2654435761 & 0xFFFFFFFF:08X}"
        yield (i, sku, (i - 1) % CATEGORIES, f"{_words[i * 7919 % 8]} kettle {i}",
               990 + i * 104729 % 20000, 0, _text)


def _reviews():
    for i in range(1, PRODUCTS + 1):
        for number in range(1, 2 + i * 31 % 3):
            yield (i, number, 1 + (i + number) % 5, "Better than the last one.")


def make(path):
    """Writes the file if it is not there; half a file never has the name."""
    if os.path.exists(path):
        return
    unfinished = path + ".unfinished"
    if os.path.exists(unfinished):
        os.remove(unfinished)
    database = sqlite3.connect(unfinished)
    database.executescript(
        "CREATE TABLE product(id INTEGER PRIMARY KEY, sku TEXT NOT NULL, category INTEGER NOT NULL,"
        " name TEXT NOT NULL, price INTEGER NOT NULL, version INTEGER NOT NULL,"
        " description TEXT NOT NULL);"
        "CREATE TABLE review(product INTEGER NOT NULL, number INTEGER NOT NULL,"
        " stars INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(product, number)) WITHOUT ROWID;")
    database.executemany("INSERT INTO product VALUES(?, ?, ?, ?, ?, ?, ?)", _products())
    database.executemany("INSERT INTO review VALUES(?, ?, ?, ?)", _reviews())
    database.commit()
    database.executescript("CREATE INDEX product_sku ON product(sku);"
                           "CREATE INDEX product_category ON product(category);"
                           "PRAGMA journal_mode = WAL;")
    database.close()
    os.rename(unfinished, path)
