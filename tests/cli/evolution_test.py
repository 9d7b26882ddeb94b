#!/usr/bin/env python3
"""Columns that change between a checkpoint and the job that goes on from it: wider ones keep their state, others are
refused before anything runs; EXPLAIN tells both."""

import collections
import pathlib
import shutil
import signal
import subprocess
import unittest

from command import TIMEOUT_S, csv_table
from stateful_job import ROWS, StatefulJobTest

FORMATS = pathlib.Path(__file__).resolve().parent.parent / "formats"
QUERY = ("INSERT INTO counts SELECT CAST(name AS BIGINT), window_start, COUNT(*), CAST({} AS BIGINT), CAST(MAX(amount) AS BIGINT) "
         "FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' MINUTE)) GROUP BY name, window_start, window_end;\n")


class EvolutionTest(StatefulJobTest):
    def job(self, name="INT", amount="INT", aggregate="SUM(amount)", **options):
        return (csv_table("clicks", f"name {name}, amount {amount}, ts TIMESTAMP(3), "
                          "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND", self.path("clicks.csv"), **options) +
                csv_table("counts", "name BIGINT, moment TIMESTAMP(3), n BIGINT, s BIGINT, m BIGINT",
                          self.path("counts")) + QUERY.format(aggregate))

    def write_clicks(self, rows, keys):
        self.clicks = [(i * 7919 % (keys // 10) - 20, i % 10 - 3, 36_000 + i) for i in range(rows)]
        self.write("clicks.csv", "".join(f"{name},{amount},2024-01-01 {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}\n"
                                         for name, amount, s in self.clicks))

    def expected(self):
        groups = collections.defaultdict(list)
        for name, amount, second in self.clicks:
            groups[name, second // 600 * 600].append(amount)
        return sorted(f"{name},2024-01-01 {s // 3600:02d}:{s // 60 % 60:02d}:00.000,{len(of)},{sum(of)},{max(of)}"
                      for (name, s), of in groups.items())

    def compare(self, rows, outcome):
        rows, expected = collections.Counter(rows), collections.Counter(self.expected())
        self.assertEqual(len(rows), len(expected), outcome)
        self.assertEqual(sorted(rows - expected)[:5], [], outcome)
        self.assertEqual(sorted(expected - rows)[:5], [], outcome)

    def stopped(self, **job):
        """A job that was cancelled in the middle; the folder of its checkpoints."""
        process = self.start(self.job(scan__rows_per_second=ROWS // 2, **job), *self.settings(),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(lambda: len(self.completed()) == 3 and self.completed()[-1].name not in ("chk-3", "chk-4", "chk-5"),
                      "checkpoints", process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
        return self.completed()[-1].parent

    def going_on(self, job, **more):
        return self.settings(**{"execution__checkpointing__dir": self.path("others"),
                                "execution__state_recovery__path": job, **more})

    def explain(self, path, **job):
        tables, query = self.job(**job).rsplit("INSERT", 1)
        out = self.works(tables + "EXPLAIN INSERT" + query, *self.going_on(path)).out
        return out[out.index("== State =="):].replace("\\n", "\n")

    def refused(self, path, *patterns, options=(), **job):
        before = self.shown()
        outcome = self.fails(self.job(**job), r"cannot go on from checkpoint \d+", *patterns,
                             options=(*self.going_on(path), *options))
        self.assertEqual(self.shown(), before, outcome)

    def test_wider_columns_keep_their_state(self):
        for backend in ("hashmap", "rocksdb"):
            with self.subTest(backend):
                path = self.stopped()
                text = self.explain(path, name="BIGINT", amount="BIGINT")
                self.assertIn("    changed: state 'slices': key 1 INT -> BIGINT\n", text)
                self.assertRegex(text, r"    changed: state 'slices': field '\d MAX 0' INT -> BIGINT\n")
                self.assertRegex(text, r"Dropped: nothing\nNew: nothing\nThe job would go on from here\.")
                outcome = self.works(self.job(name="BIGINT", amount="BIGINT"), *self.going_on(path, state__backend__type=backend))
                self.compare(self.result_rows("counts"), outcome)
                for file in self.shown():
                    file.unlink()
                for file in pathlib.Path(self.path("checkpoints")).rglob("_metadata"):
                    file.unlink()

    def test_what_has_not_changed_is_not_told(self):
        self.assertNotIn("changed:", self.explain(self.stopped()))

    def test_other_columns_are_refused_before_anything_runs(self):
        path = self.stopped()
        for job, pattern in (
                ({"amount": "STRING", "aggregate": "SUM(CAST(amount AS INT))"}, None),
                ({"name": "STRING"}, r"key 1 of state 'slices' was stored as INT and cannot be restored as STRING"),
                ({"amount": "SMALLINT"}, r"field '\d MAX 0' of state 'slices' was stored as INT and cannot be restored "
                 "as SMALLINT"),
                ({"amount": "DECIMAL(12, 2)"}, r"state 'slices' cannot be restored: aggregates were stored as \(rows "
                 r"BIGINT, .*\) and are \(rows BIGINT, .*BIGINT \(scale 2\)")):
            if pattern is None:  # Another aggregate is another operator, and its state would be lost.
                self.fails(self.job(**job), "the job has no place for operator", options=self.going_on(path))
                continue
            with self.subTest(pattern):
                self.refused(path, r"operator '.*WindowAggregate", pattern, **job)
                text = self.explain(path, **job)
                self.assertRegex(text, r"    cannot be restored: operator '.*" + pattern)
                self.assertRegex(text, r"The job would be refused: operator '.*" + pattern)

    def test_names_that_are_not_there(self):
        path = self.stopped()
        option = "clepsydra.state-recovery.renamed-fields"
        self.fails(self.job(), option, "'slices/a=b'", options=(*self.going_on(path), "-D", option + "=slices/a=b"))
        uid = next(word for word in self.explain(path).replace(")", " ").split() if word.startswith("window_aggregate-"))
        self.refused(path, "state 'slices' has no field 'number' that 'rows' could have become",
                     options=("-D", f"{option}={uid}/slices/rows=number"))
        self.refused(path, rf"option '{option}' has the state 'slice' and those that are stored are '.*slices",
                     options=("-D", f"{option}={uid}/slice/rows=number"))
        self.fails(self.job(), rf"option '{option}' has the operator '{uid}0', and the job has none",
                   options=(*self.going_on(path), "-D", f"{option}={uid}0/slices/rows=number"))

    def test_a_savepoint_of_an_earlier_version_is_restored_as_it_was_and_wider(self):
        """Written when metadata had version 2 and state version 1, of a job of two subtasks in the middle of its windows."""
        shutil.copytree(FORMATS / "savepoint_v2", self.path("savepoint"))
        shutil.move(self.path("savepoint", "clicks.csv"), self.path("clicks.csv"))
        groups = collections.defaultdict(list)
        for line in pathlib.Path(self.path("clicks.csv")).read_text().splitlines():
            name, amount, price, moment = line.split(",")
            groups[name, int(moment[14:16]) // 15 * 15].append((int(amount), float(price)))
        expected = sorted(f"{name},2024-01-01 10:{minute:02d}:00.000,{len(of)},{sum(a for a, _ in of)},"
                          f"{min(a for a, _ in of)},{max(p for _, p in of)}" for (name, minute), of in groups.items())
        for amount, price, parallelism in (("INT", "FLOAT", 2), ("BIGINT", "DOUBLE", 3)):
            with self.subTest(amount):
                outcome = self.works(
                    csv_table("clicks", f"name STRING, amount {amount}, price {price}, ts TIMESTAMP(3), "
                              "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND", "clicks.csv") +
                    csv_table("counts", "name STRING, moment TIMESTAMP(3), n BIGINT, s BIGINT, least BIGINT, dear DOUBLE",
                              amount) +
                    "INSERT INTO counts SELECT name, window_start, COUNT(*), SUM(amount), CAST(MIN(amount) AS BIGINT), "
                    "CAST(MAX(price) AS DOUBLE) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '15' MINUTE)) "
                    "GROUP BY name, window_start, window_end;\n",
                    *self.going_on(self.path("savepoint"), parallelism__default=parallelism))
                self.assertEqual(self.result_rows(amount), expected, outcome)


if __name__ == "__main__":
    unittest.main()
