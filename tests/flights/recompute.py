#!/usr/bin/env python3
"""Recomputes the main job over the flights without the engine, row by row, and compares every result row.

Usage: recompute.py FLIGHTS_CSV RESULTS_DIRECTORY [SUMMARY_FILE]

RESULTS_DIRECTORY holds hourly_departures/, late_flights/ and alerts/ as the main job wrote them (CSV files,
no header). SUMMARY_FILE is what the job printed at its end; the late rows it names are checked too.
Exit code 0 only if all is equal. Semantics: a watermark three hours behind the largest scheduled departure
so far follows every row that advances it; a row is late when all its windows have closed.
"""

import csv
import datetime
import os
import re
import sys
from collections import Counter

HOUR = 3_600_000
DELAY = 3 * HOUR
EPOCH = datetime.datetime(1970, 1, 1)


def number(text):
    return None if text == "NA" else int(float(text))


def timestamp(millis):
    moment = EPOCH + datetime.timedelta(milliseconds=millis)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{millis % 1000:03d}"


def scheduled(row):
    time = int(row["sched_dep_time"])
    moment = datetime.datetime(int(row["year"]), int(row["month"]), int(row["day"]), time // 100, time % 100)
    return int((moment - EPOCH).total_seconds() * 1000)


class Job:
    def __init__(self):
        self.watermark = None
        self.hourly = {}
        self.late_flights = Counter()
        self.alerts = []
        self.hourly_late = 0
        self.late_flights_late = 0

    def closed(self, window_end):
        return self.watermark is not None and self.watermark >= window_end - 1

    def add(self, row):
        time = scheduled(row)
        delay = number(row["dep_delay"])
        start = time - time % HOUR
        if self.closed(start + HOUR):
            self.hourly_late += 1
        else:
            group = self.hourly.setdefault((start, row["origin"], row["carrier"]), [0, []])
            group[0] += 1
            if delay is not None:
                group[1].append(delay)
        if delay is not None and delay > 60:
            slide = HOUR // 4
            last = time - time % slide
            starts = [last - k * slide for k in range(12)]
            open_starts = [s for s in starts if not self.closed(s + 3 * HOUR)]
            if not open_starts:
                self.late_flights_late += 1
            for s in open_starts:
                self.late_flights[(s, row["origin"])] += 1
        if delay is not None and delay > 180:
            self.alerts.append((timestamp(time), row["carrier"], row["flight"], row["origin"], row["dest"], str(delay)))
        if self.watermark is None or time - DELAY > self.watermark:
            self.watermark = time - DELAY

    def results(self):
        hourly = Counter()
        for (start, origin, carrier), (count, delays) in self.hourly.items():
            mean = round(sum(delays) / len(delays), 9) if delays else ""
            worst = str(max(delays)) if delays else ""
            hourly[(timestamp(start), timestamp(start + HOUR), origin, carrier, str(count), mean, worst)] += 1
        late = Counter((timestamp(s), timestamp(s + 3 * HOUR), origin, str(n))
                       for (s, origin), n in self.late_flights.items())
        return {"hourly_departures": hourly, "late_flights": late, "alerts": Counter(self.alerts)}


def read_results(directory):
    rows = Counter()
    names = [name for name in os.listdir(directory) if not name.startswith((".", "_"))]
    for name in names:
        with open(os.path.join(directory, name), encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                rows[tuple(row)] += 1
    return rows


def normalised(table, rows):
    if table != "hourly_departures":
        return rows
    out = Counter()
    for row, n in rows.items():
        out[(*row[:5], round(float(row[5]), 9) if row[5] else "", row[6])] += n
    return out


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    job = Job()
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            job.add(row)
    failures = 0
    for table, expected in job.results().items():
        found = normalised(table, read_results(os.path.join(sys.argv[2], table)))
        missing, extra = expected - found, found - expected
        print(f"{table}: {sum(expected.values())} rows expected, {sum(found.values())} found, "
              f"{sum(missing.values())} missing, {sum(extra.values())} too many")
        for name, rows in (("missing", missing), ("too many", extra)):
            for row in sorted(rows, key=str)[:5]:
                print(f"  {name}: {row}")
        failures += bool(missing or extra)
    print(f"late rows: {job.hourly_late} for the hourly window, {job.late_flights_late} for the three-hour one")
    if len(sys.argv) == 4:
        with open(sys.argv[3], encoding="utf-8") as file:
            summary = file.read()
        named = sorted(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) late", summary))
        if named != sorted([job.hourly_late, job.late_flights_late]):
            print(f"the summary names {named} late rows")
            failures += 1
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
