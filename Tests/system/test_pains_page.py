"""Docs/Pains.md names tests; they exist, and no row is without either a test or the reason why there is none."""

import re

from daemon import ROOT

ROWS = [
    line for section in (ROOT / "Docs/Pains.md").read_text().split("\n## ")[1:]
    for line in section.splitlines() if line.startswith("| ") and "What is done here" not in line
]
TESTS = {path.name: path for path in (ROOT / "Tests").rglob("*Tests.swift")}
TESTS |= {path.name: path for path in (ROOT / "Tests/system").glob("test_*.py")}


def exists(file, name):
    """Whether a file has a test of this name; in Swift a part of the sentence that is its name will do."""
    if file not in TESTS:
        return False
    text = TESTS[file].read_text()
    if file.endswith(".py"):
        return f"def {name}(" in text
    return re.search(rf"func (`[^`]*)?{re.escape(name)}[^`(]*`?\(", text) is not None


def test_every_pain_has_a_row():
    assert [int(row.split("|")[1]) for row in ROWS if re.match(r"\| \d+ \|", row)] == list(range(1, 31))


def test_every_row_names_tests_that_exist_or_says_why_there_is_none():
    for row in ROWS:
        cell = row.rstrip("| ").rpartition(" | ")[2]
        names = re.findall(r"`([^`]+)::([^`]*)`", cell)
        if not names:
            assert re.match(r"None: \S+ \S+", cell), f"neither a test nor a reason: {row}"
        for file, name in names:
            assert exists(file, name), f"there is no {file}::{name}"


def test_a_name_that_does_not_exist_is_found_out():
    assert not exists("test_storm.py", "test_nothing") and not exists("NoTests.swift", "orders")
    assert not exists("RandomTrafficTests.swift", "disorders")
