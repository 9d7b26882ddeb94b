"""The tables and queries of the benchmark as statements, the same for both engines."""

import pathlib
import string

HERE = pathlib.Path(__file__).resolve().parent
QUERIES = ("q0", "q1", "q2", "q12")


def tables(events, rate, seed):
    template = string.Template((HERE / "tables.sql").read_text(encoding="utf-8"))
    return template.substitute(events=events, rate=rate, seed=seed)


def query(name):
    return (HERE / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def query_names():
    return sorted((path.stem for path in (HERE / "queries").glob("*.sql")),
                  key=lambda name: int(name[1:]))


def statements(script):
    """Splits a script of ours: every statement ends with a semicolon at the end of a line."""
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    parts = "\n".join(lines).split(";\n")
    return [part.strip().removesuffix(";") for part in parts if part.strip()]
