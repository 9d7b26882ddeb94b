#!/usr/bin/env python3
"""Kills the program with SIGKILL at random moments and starts it again from its newest checkpoint, until the job
has finished. The files must then hold exactly what Python computes from the same rows, and at no moment a line that
is not among them or is there twice.

With --local-copies its tasks keep second copies of their state, and what is damaged between two runs is sometimes a
copy and sometimes a file of the checkpoint, never both.

Usage: kill_test.py [--kills N] [--seed SEED] [--backend hashmap|rocksdb] [--local-copies] [--keep]

Environment: CLEPSYDRA, the program; CLEPSYDRA_KILLS (default 50).
"""

import argparse
import collections
import csv
import datetime
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

WINDOW_MS = 10_000
DELAY_MS = 3_000  # Of the watermark.
EPOCH = datetime.datetime(2024, 1, 1)
ROWS_PER_RUN = 60_000
KEYS = 50
KILLS_PER_RUN = 10
TIMEOUT_S = 120

SCRIPT = """
SET 'execution.checkpointing.interval' = '20 ms';
SET 'execution.checkpointing.dir' = '{checkpoints}';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'execution.checkpointing.num-retained' = '2';
SET 'parallelism.default' = '2';
CREATE TABLE events (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '{delay}' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{input}', 'format' = 'csv', 'scan.rows-per-second' = '{rate}');
CREATE TABLE counts (k INT, window_start TIMESTAMP(3), rows_in BIGINT, total BIGINT, largest BIGINT)
WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'csv');
INSERT INTO counts
SELECT k, window_start, COUNT(*), SUM(v), MAX(v)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '{window}' SECOND))
GROUP BY k, window_start, window_end;
"""


def timestamp(millis):
    moment = EPOCH + datetime.timedelta(milliseconds=millis)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{millis % 1000:03d}"


def make_rows(seed):
    """(k, v, time): time goes on by 100 ms a row, out of order by up to 6 s, so that some rows are late."""
    rng = random.Random(seed)
    return [(rng.randrange(KEYS), i, max(0, i * 100 - rng.randrange(6_000))) for i in range(ROWS_PER_RUN)]


def expected_lines(rows):
    """A mark follows every row that advances the watermark by more than 200 ms (the default interval)."""
    windows = collections.defaultdict(lambda: [0, 0, 0])
    largest = mark = None
    late = 0
    for k, v, at in rows:
        start = at - at % WINDOW_MS
        if mark is not None and mark >= start + WINDOW_MS - 1:
            late += 1
        else:
            window = windows[k, start]
            window[0] += 1
            window[1] += v
            window[2] = max(window[2], v)
        largest = at if largest is None else max(largest, at)
        if mark is None or largest - DELAY_MS - mark > 200:
            mark = largest - DELAY_MS
    if late == 0:
        raise AssertionError("no row is late: the test would show less than it should")
    return {f"{k},{timestamp(start)},{count},{total},{most}" for (k, start), (count, total, most) in windows.items()}


def newest_checkpoint(checkpoints):
    """The folder whose _metadata is newest; a file that vanishes meanwhile was an older one's."""
    found = []
    for path in checkpoints.glob("*/chk-*/_metadata"):
        try:
            found.append((path.stat().st_mtime_ns, path.parent))
        except FileNotFoundError:
            pass
    return max(found)[1] if found else None


def visible_lines(output):
    lines = []
    for path in sorted(output.rglob("*")) if output.exists() else []:
        if path.is_file() and not path.name.startswith("."):
            text = path.read_text()
            if text and not text.endswith("\n"):
                raise AssertionError(f"{path.name} is visible and ends within a line")
            lines += text.splitlines()
    return lines


def check(lines, expected, whole):
    counts = collections.Counter(lines)
    strange = [line for line in counts if line not in expected]
    twice = [line for line, count in counts.items() if count > 1]
    if strange or twice:
        raise AssertionError(f"{len(strange)} unexpected lines {strange[:3]}, {len(twice)} lines twice {twice[:3]}")
    if whole and len(counts) != len(expected):
        missing = sorted(expected - set(lines))
        raise AssertionError(f"{len(missing)} of {len(expected)} lines are missing: {missing[:3]}")


def damage(rng, folder, checkpoints):
    """Flips a bit of all local copies, or removes some, or flips one of all files that have one; or nothing.

    Where one of the two was damaged before, the other one stays.
    """
    files = {(path.parent.parent.name, path.name): path for path in checkpoints.glob("*/shared/*")}
    copies = {(path.parent.name, path.name): path for path in (folder / "fast").glob("clepsydra-local-copies/*/*")}
    names = sorted(name for name in files.keys() & copies.keys()
                   if files[name].read_bytes() == copies[name].read_bytes())
    kind = rng.choice(["nothing", "copies", "removed", "files"])
    if kind == "removed":
        for name in rng.sample(names, len(names) // 2):
            copies[name].unlink()
    elif kind != "nothing":
        for path in [(copies if kind == "copies" else files)[name] for name in names]:
            data = bytearray(path.read_bytes())
            if data:
                data[rng.randrange(len(data))] ^= 4
                # Another file: they may be two names of one.
                path.unlink()
                path.write_bytes(data)


def run_job(program, folder, seed, kills_wanted, backend, has_copies):
    """One job from its first start to its end; how often it was killed, and from how many checkpoints it went on."""
    rng = random.Random(seed)
    rows = make_rows(seed)
    expected = expected_lines(rows)
    source, output, checkpoints = folder / "rows.csv", folder / "out", folder / "checkpoints"
    with open(source, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows((k, v, timestamp(at)) for k, v, at in rows)
    # A run without kills takes about two seconds.
    script = SCRIPT.format(input=source, output=output, checkpoints=checkpoints, window=WINDOW_MS // 1000,
                           delay=DELAY_MS // 1000, rate=ROWS_PER_RUN // 2)
    kills = restores = 0
    while True:
        argv = [program, "sql", "-e", script, "-D", f"clepsydra.state-directory={folder / 'state'}",
                "-D", f"state.backend.type={backend}", "-D", f"state.backend.rocksdb.localdir={folder / 'local'}",
                "-D", "state.backend.rocksdb.memory.fixed-per-slot=4mb"]
        if has_copies:
            argv += ["-D", "execution.checkpointing.local-backup.enabled=true",
                     "-D", f"execution.checkpointing.local-backup.dirs={folder / 'fast'}",
                     "-D", "execution.checkpointing.data-inline-threshold=0"]
        if (checkpoint := newest_checkpoint(checkpoints)) is not None:
            argv += ["-D", f"execution.state-recovery.path={checkpoint}"]
            restores += 1
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            limit = rng.uniform(0.01, 0.45) if kills < kills_wanted else TIMEOUT_S
            _, errors = process.communicate(timeout=limit)
            if process.returncode != 0:
                raise AssertionError(f"exit code {process.returncode}:\n{errors.decode(errors='replace')}")
            check(visible_lines(output), expected, whole=True)
            return kills, restores
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if kills == kills_wanted:
                raise AssertionError(f"the job has not ended within {TIMEOUT_S} s") from None
            kills += 1
            if has_copies:
                damage(rng, folder, checkpoints)
            lines = visible_lines(output)
            check(lines, expected, whole=False)
            if len(lines) == len(expected):
                # It was killed while it cleared up: there may be nothing left to go on from.
                return kills, restores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=int(os.environ.get("CLEPSYDRA_KILLS", "50")))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--backend", default="hashmap", help="where state is kept")
    parser.add_argument("--local-copies", action="store_true", help="keep second copies of state")
    parser.add_argument("--keep", action="store_true", help="leave the folder of a failure")
    options = parser.parse_args()
    program = os.environ["CLEPSYDRA"]
    print(f"seed {options.seed}", flush=True)
    kills = restores = jobs = 0
    begin = time.monotonic()
    while kills < options.kills:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="clepsydra_kill_"))
        try:
            killed, restored = run_job(program, folder, options.seed + jobs, min(KILLS_PER_RUN, options.kills - kills),
                                       options.backend, options.local_copies)
        except AssertionError as error:
            print(f"FAILED with seed {options.seed + jobs}: {error}", file=sys.stderr)
            if options.keep:
                print(f"files: {folder}", file=sys.stderr)
            else:
                shutil.rmtree(folder, ignore_errors=True)
            sys.exit(1)
        shutil.rmtree(folder, ignore_errors=True)
        kills += killed
        restores += restored
        jobs += 1
        if sys.stderr.isatty():
            print(f"\r{kills} of {options.kills} kills", end="", file=sys.stderr, flush=True)
    print(f"{kills} kills in {jobs} jobs, {restores} starts from a checkpoint, {time.monotonic() - begin:.1f} s: "
          "all rows there once")
    if options.kills >= 10 and restores < options.kills // 4:
        sys.exit("too few starts from a checkpoint for the test to mean anything")


if __name__ == "__main__":
    main()
