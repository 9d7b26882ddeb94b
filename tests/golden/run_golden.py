#!/usr/bin/env python3
"""Runs recorded queries through the command and compares every row with the recorded answer.

Usage: run_golden.py queries|nexmark CLEPSYDRA_BINARY

queries: tests/golden/queries/*.sql, each with batches of 1, 7 and 4096 rows and parallelism 1 and 2.
nexmark: tests/golden/nexmark/queries/*.sql, by row count and checksum (and by row where rows are recorded).
The form of the files and of values: tests/golden/README.md. Prints a table and "N passed, N failed".
"""

import collections
import concurrent.futures
import gzip
import math
import os
import re
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH_ROWS = (1, 7, 4096)
PARALLELISM = (1, 2)
TIMEOUT_S = 120


def run(binary, sql, batch_rows, parallelism):
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script:
        script.write(sql)
        script.flush()
        return subprocess.run(
            [binary, "sql", "-f", script.name, "--format", "tsv",
             "-D", f"clepsydra.batch.rows-max={batch_rows}", "-D", f"parallelism.default={parallelism}"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def parse_expected(text):
    header, rows = {}, []
    for line in text.split("\n"):
        if line.startswith("# "):
            key, _, value = line[2:].partition(": ")
            header[key] = value
        elif line or rows:
            rows.append(line)
    while rows and rows[-1] == "":
        rows.pop()
    count = int(header["rows"])
    if len(rows) < count:
        rows += [""] * (count - len(rows))
    return header, rows


def floating_tolerance(type_text):
    base = type_text.split(" ")[0]
    return {"FLOAT": 1e-6, "DOUBLE": 1e-9}.get(base)


def same_value(expected, found, tolerance):
    if expected == found:
        return True
    if tolerance is None:
        return False
    try:
        a, b = float(expected), float(found)
    except ValueError:
        return False
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=tolerance)


def in_order_of_entries(line, types):
    """The line with the entries of MAP and MULTISET columns sorted: their order has no meaning."""
    values = line.split("\t")
    for i, type_text in enumerate(types[:len(values)]):
        if type_text.startswith(("MAP<", "MULTISET<")) and values[i].startswith("{"):
            values[i] = "{" + ", ".join(sorted(values[i][1:-1].split(", "))) + "}"
    return "\t".join(values)


def compare_rows(expected, found, types):
    if any(t.startswith(("MAP<", "MULTISET<")) for t in types):
        expected = [in_order_of_entries(line, types) for line in expected]
        found = [in_order_of_entries(line, types) for line in found]
    tolerances = [floating_tolerance(t) for t in types]
    if not any(tolerances):
        missing = collections.Counter(expected) - collections.Counter(found)
        extra = collections.Counter(found) - collections.Counter(expected)
        if missing or extra:
            return f"missing {list(missing.elements())[:3]}, too many {list(extra.elements())[:3]}"
        return None
    if len(expected) != len(found):
        return f"{len(found)} rows, expected {len(expected)}"

    # Sorted by the exact columns first, so that rounding cannot change which rows are compared.
    def key(line):
        values = line.split("\t")
        exact = [v for v, t in zip(values, tolerances) if t is None]
        near = [float(v) if re.fullmatch(r"-?[\d.]+(E-?\d+)?", v) else math.inf
                for v, t in zip(values, tolerances) if t is not None]
        return exact, near

    for a, b in zip(sorted(expected, key=key), sorted(found, key=key)):
        pairs = zip(a.split("\t"), b.split("\t"), tolerances)
        if len(a.split("\t")) != len(b.split("\t")) or not all(same_value(*pair) for pair in pairs):
            return f"found {b!r}, expected {a!r}"
    return None


def check_output(process, expected, header):
    if process.returncode != 0:
        return "failed: " + process.stderr.decode("utf-8", "replace").strip().split("\n")[0][:200]
    lines = process.stdout.decode("utf-8").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    if not lines:
        return "no output"
    if lines[0] != header["columns"]:
        return f"columns {lines[0]!r}, expected {header['columns']!r}"
    return compare_rows(expected, lines[1:], header["types"].split("\t"))


def query_case(binary, name, batch_rows, parallelism):
    folder = os.path.join(HERE, "queries")
    sql = read(os.path.join(folder, name + ".sql")).replace("${INPUT}", os.path.join(folder, name + ".input"))
    header, rows = parse_expected(read(os.path.join(folder, name + ".expected")))
    return check_output(run(binary, sql, batch_rows, parallelism), rows, header)


def nexmark_case(binary, name, parallelism):
    folder = os.path.join(HERE, "nexmark")
    tables = read(os.path.join(folder, "tables.sql")).replace("${INPUT}", folder)
    sql = tables + "\n" + read(os.path.join(folder, "queries", name + ".sql"))
    summary = {}
    for line in read(os.path.join(folder, "expected", "summary.tsv")).split("\n")[1:]:
        fields = line.split("\t")
        summary[fields[0]] = fields
    _, _, rows, checksum, _, _, full, columns, types, _ = summary[name]
    process = run(binary, sql, 4096, parallelism)
    if process.returncode != 0:
        return "failed: " + process.stderr.decode("utf-8", "replace").strip().split("\n")[0][:200]
    lines = process.stdout.split(b"\n")
    header, found = lines[0].decode(), lines[1:-1]
    if header.split("\t") != columns.split(","):
        return f"columns {header!r}, expected {columns!r}"
    if len(found) != int(rows):
        return f"{len(found)} rows, expected {rows}"
    if sum(zlib.crc32(line) for line in found) % 2**64 != int(checksum):
        return "the checksum differs"
    if full == "yes":
        with gzip.open(os.path.join(folder, "expected", name + ".tsv.gz"), "rt", encoding="utf-8") as file:
            expected = file.read().split("\n")[1:-1]
        return compare_rows(expected, [line.decode() for line in found], types.split("|"))
    return None


def names(folder):
    return sorted(name[:-4] for name in os.listdir(os.path.join(HERE, folder)) if name.endswith(".sql"))


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("queries", "nexmark"):
        sys.exit(__doc__.strip())
    binary = os.path.abspath(sys.argv[2])
    if sys.argv[1] == "queries":
        cases = {f"{name} rows={r} parallelism={p}": (query_case, name, r, p)
                 for name in names("queries") for r in BATCH_ROWS for p in PARALLELISM}
    else:
        cases = {f"{name} parallelism={p}": (nexmark_case, name, p)
                 for name in names("nexmark/queries") for p in PARALLELISM}
    passed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        futures = {case: pool.submit(call[0], binary, *call[1:]) for case, call in cases.items()}
        for case, future in futures.items():
            try:
                problem = future.result()
            except subprocess.TimeoutExpired:
                problem = f"not done after {TIMEOUT_S} s"
            if problem is None:
                passed += 1
            else:
                print(f"FAILED  {case}: {problem}")
    print(f"{passed} passed, {len(cases) - passed} failed")
    sys.exit(0 if passed == len(cases) else 1)


if __name__ == "__main__":
    main()
