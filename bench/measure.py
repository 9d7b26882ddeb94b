"""Runs programs and says what they cost: CPU time, wall time, peak memory."""

import dataclasses
import os
import pathlib
import platform
import select
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
CLEPSYDRA = REPOSITORY / "build/release/bin/clepsydra"
PEAK_POLL_MS = 2


@dataclasses.dataclass
class Run:
    wall_s: float
    cpu_s: float  # User and system time of the whole process.
    peak_mb: float  # Most memory that was resident, in 10^6 bytes.
    output: str = ""

    def as_dict(self):
        return {"wall_s": round(self.wall_s, 4), "cpu_s": round(self.cpu_s, 4),
                "peak_mb": round(self.peak_mb, 1)}


class Failed(Exception):
    """A measured program did not end well; the text says which and what it wrote."""


def run_measured(argv, timeout_s=600):
    """Runs a program to its end. Its children, if any, count only once it has waited for them."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = subprocess.Popen([str(part) for part in argv], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=errors)
        run = wait_measured(process, start, timeout_s)
        run.output = _text(out)
        if process.returncode != 0:
            raise Failed(f"{argv[0]} ended with {process.returncode}:\n{run.output}{_text(errors)}")
    return run


def wait_measured(process, start, timeout_s=600):
    """Waits for a process that began at `start`; killed where the time is over, or on Ctrl-C."""
    own_peak_mb = process_peak_mb(os.getpid())
    seen_peak_mb = 0.0
    pid_file = os.pidfd_open(process.pid)
    try:
        ended = select.poll()
        ended.register(pid_file, select.POLLIN)
        while not ended.poll(PEAK_POLL_MS):
            seen_peak_mb = process_peak_mb(process.pid) or seen_peak_mb
            if time.monotonic() > start + timeout_s:
                raise Failed(f"{process.args[0]} did not end in {timeout_s} s")
        wall_s = time.monotonic() - start
        # wait4() in place of wait(): it alone gives the resources of this one child.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        os.close(pid_file)
    # Linux counts the memory of the parent from which a process was forked as its own. Below
    # that, what was seen while it ran says more.
    peak_mb = usage.ru_maxrss * 1024 / 1e6
    if peak_mb <= own_peak_mb:
        peak_mb = seen_peak_mb
    return Run(wall_s, usage.ru_utime + usage.ru_stime, peak_mb)


def _text(file):
    file.seek(0)
    return file.read().decode("utf-8", errors="replace")


def run_sql(clepsydra, script, settings=(), timeout_s=600):
    """Runs a script with `clepsydra sql -f`."""
    with tempfile.TemporaryDirectory(prefix="clepsydra_bench_") as directory:
        path = pathlib.Path(directory) / "script.sql"
        path.write_text(script, encoding="utf-8")
        options = [part for setting in settings for part in ("-D", setting)]
        return run_measured([clepsydra, "sql", *options, "-f", path], timeout_s)


def process_cpu_s(pid):
    """User and system time of a running process until now."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    fields = stat.rpartition(")")[2].split()  # The name before it may hold spaces.
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def process_peak_mb(pid):
    """Most memory that was resident until now, in 10^6 bytes; 0 once the process has ended."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def median(values):
    return statistics.median(values)


def spread(values):
    """How far the values lie apart, in percent of their median."""
    middle = median(values)
    return (max(values) - min(values)) / middle * 100 if middle else 0.0


def machine():
    """One line about the machine, one about the load it already has."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory_kb = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kb / 2**20, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
    }


def commit():
    answer = subprocess.run(["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"],
                            capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


def table(header, rows):
    """A table that reads well as text and as Markdown."""
    lines = [header, *rows]
    widths = [max(len(str(line[i])) for line in lines) for i in range(len(header))]

    def cells(line):
        return "| " + " | ".join(str(v).ljust(w) if i == 0 else str(v).rjust(w)
                                 for i, (v, w) in enumerate(zip(line, widths))) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":"
                          for i, w in enumerate(widths)) + "|"
    return "\n".join([cells(header), rule, *(cells(row) for row in rows)])


def note(text):
    """Progress goes to standard error: standard output holds results alone."""
    print(text, file=sys.stderr, flush=True)
