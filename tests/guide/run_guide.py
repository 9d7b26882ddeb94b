#!/usr/bin/env python3
"""Runs the examples of the guide and compares what they print with what the pages say.

Usage: run_guide.py CLEPSYDRA_BINARY GUIDE_DIRECTORY [FUNCTION_DIRECTORY]

FUNCTION_DIRECTORY has the library that the page about functions uses.

In a page, a block ```csv NAME is a file NAME for the blocks after it; a block ```sql is a script, run where the
files are, and a block ```bash run commands for the shell, run there too, with the program in PATH and a home of
their own. If a block ```text follows, standard output must equal it (```text lines: with the line ends of values as
such, for what EXPLAIN and SHOW CREATE answer); if a block
```error follows, the script must fail and each of its lines must stand in the message.
Prints "N passed, N failed".
"""

import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(binary, sql, directory, functions):
    with open(os.path.join(directory, "example.sql"), "w", encoding="utf-8") as file:
        file.write(sql)
    settings = ["-D", f"clepsydra.udf.directory={functions}"] if functions else []
    return subprocess.run([binary, "sql", "-f", "example.sql", "--format", "tsv", *settings], stdin=subprocess.DEVNULL,
                          capture_output=True, cwd=directory, timeout=60, check=False)


def run_shell(binary, commands, directory):
    environment = {**os.environ, "HOME": directory, "PATH": f"{os.path.dirname(binary)}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-euo", "pipefail", "-c", commands], stdin=subprocess.DEVNULL, capture_output=True,
                          cwd=directory, env=environment, timeout=60, check=False)


def check(process, kind, expected, has_lines):
    out, err = process.stdout.decode(), process.stderr.decode()
    if has_lines:
        out = out.replace("\\n", "\n")
    if kind == "error":
        missing = [line for line in expected.splitlines() if line not in err]
        if process.returncode == 0:
            return "it did not fail"
        return f"the message lacks {missing[0]!r}:\n{err}" if missing else None
    if process.returncode != 0:
        return f"exit code {process.returncode}:\n{err}"
    if kind == "text" and out != expected:
        return f"printed\n{out}expected\n{expected}"
    return None


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    binary = os.path.abspath(sys.argv[1])
    functions = os.path.abspath(sys.argv[3]) if len(sys.argv) == 4 else ""
    passed = failed = 0
    for page in sorted(os.listdir(sys.argv[2])):
        if not page.endswith(".md"):
            continue
        with open(os.path.join(sys.argv[2], page), encoding="utf-8") as file:
            blocks = BLOCK.findall(file.read())
        with tempfile.TemporaryDirectory() as directory:
            for i, (language, name, body) in enumerate(blocks):
                if language == "csv":
                    with open(os.path.join(directory, os.path.basename(name)), "w", encoding="utf-8") as file:
                        file.write(body)
                if language != "sql" and (language, name) != ("bash", "run"):
                    continue
                kind, info, expected = "", "", ""
                if i + 1 < len(blocks) and blocks[i + 1][0] in ("text", "error"):
                    kind, info, expected = blocks[i + 1]
                process = (run(binary, body, directory, functions) if language == "sql"
                           else run_shell(binary, body, directory))
                problem = check(process, kind, expected, info == "lines")
                passed += problem is None
                failed += problem is not None
                if problem is not None:
                    print(f"FAILED  {page}: {body.strip().splitlines()[0]} ...: {problem}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
