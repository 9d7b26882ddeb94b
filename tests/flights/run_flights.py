#!/usr/bin/env python3
"""Runs the main job over the flights at full speed and compares what it wrote with recompute.py's answer.

Usage: run_flights.py CLEPSYDRA_BINARY SOURCE_DIRECTORY WORK_DIRECTORY

Runs with parallelism 1 and 2. The flights are fetched into build/data/flights when they are not there.
"""

import os
import shutil
import subprocess
import sys


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    binary, source, work = (os.path.abspath(path) for path in sys.argv[1:])
    data = os.path.join(source, "build", "data", "flights")
    subprocess.run([os.path.join(source, "tools", "fetch_flights"), data], check=True)
    with open(os.path.join(source, "docs", "examples", "flights.sql"), encoding="utf-8") as file:
        template = file.read()
    for parallelism in (1, 2):
        results = os.path.join(work, f"results-{parallelism}")
        shutil.rmtree(results, ignore_errors=True)
        sql = template.replace("${DATA}", data).replace("${RESULTS}", results).replace("${RATE}", "0")
        script = os.path.join(work, "flights.sql")
        with open(script, "w", encoding="utf-8") as file:
            file.write(sql)
        summary = os.path.join(work, f"summary-{parallelism}.txt")
        with open(summary, "wb") as messages:
            process = subprocess.run([binary, "sql", "-f", script, "-D", f"parallelism.default={parallelism}"],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=messages,
                                     timeout=300, check=False)
        if process.returncode != 0:
            with open(summary, encoding="utf-8", errors="replace") as file:
                sys.exit(f"parallelism {parallelism}: exit code {process.returncode}\n{file.read()}")
        subprocess.run([sys.executable, os.path.join(source, "tests", "flights", "recompute.py"),
                        os.path.join(data, "flights.csv"), results, summary], check=True)
        print(f"parallelism {parallelism}: all rows are equal")


if __name__ == "__main__":
    main()
