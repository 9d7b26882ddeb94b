#!/usr/bin/env python3
"""EXPLAIN against a checkpoint, jobs by statements, and plans kept in files, through the program itself."""

import os
import re
import unittest

from command import CommandTest
from console_test import ConsoleTest

TABLES = """CREATE TABLE n (a BIGINT, b BIGINT, pt AS PROCTIME()) WITH ('connector' = 'datagen', 'rows-per-second' = '200',
 'fields.a.kind' = 'sequence', 'fields.a.start' = '1', 'fields.a.end' = '1000000', 'fields.b.min' = '1', 'fields.b.max' = '3');
CREATE TABLE t (b BIGINT, c BIGINT) WITH ('connector' = 'filesystem', 'path' = 't', 'format' = 'csv');
"""
COUNTS = ("INSERT INTO t SELECT b, {} AS c FROM TABLE(TUMBLE(TABLE n, DESCRIPTOR(pt), INTERVAL '1' HOUR)) "
          "GROUP BY window_start, window_end, b;")
COUNT = COUNTS.format("COUNT(*)")


class PlanTest(CommandTest):
    def options(self):
        return ["-D", f"execution.checkpointing.dir={self.path('checkpoints')}",
                "-D", "execution.checkpointing.interval=50 ms",
                "-D", "execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION",
                "-D", f"clepsydra.state-directory={self.path('state')}"]

    def checkpoints(self):
        found = []
        for job in os.listdir(self.path("checkpoints")) if os.path.exists(self.path("checkpoints")) else []:
            for name in os.listdir(self.path("checkpoints", job)):
                if name.startswith("chk-") and os.path.exists(self.path("checkpoints", job, name, "_metadata")):
                    found.append((int(name[4:]), self.path("checkpoints", job, name)))
        return [path for _, path in sorted(found)]

    def last_checkpoint(self):
        """Its number; 0: none was seen, as the one before goes while the folder is looked through."""
        return max((int(path.rsplit("-", 1)[1]) for path in self.checkpoints()), default=0)

    def killed_with_state(self, statement=COUNT):
        """A job that runs until it has a few checkpoints with rows in them; its last one."""
        process = self.start(TABLES + statement, *self.options())
        while self.last_checkpoint() < 4:
            self.assertIsNone(process.poll())
        self.end(process)
        return self.checkpoints()[-1]

    def explain(self, statement, path, *more):
        out = self.works(TABLES + f"SET 'execution.state-recovery.path' = '{path}';\nEXPLAIN {statement}", *more).out
        self.assertIn("== State ==", out)
        return out[out.index("== State =="):].replace("\\n", "\n")


class ExplainTest(PlanTest):
    def section(self, text, title):
        return re.search(rf"^{title}:((?: nothing\n)|\n(?:  .*\n)*)", text, re.MULTILINE).group(1)

    def test_the_same_statement_keeps_all(self):
        text = self.explain(COUNT, self.killed_with_state())
        kept = self.section(text, "Kept")
        self.assertRegex(kept, r"  Source: n\[1\] \(uid source-[0-9a-f]{16}\)\n    positions: 1 splits under way")
        self.assertRegex(kept, r"  WindowAggregate\[2\] \(uid window_aggregate-[0-9a-f]{16}\)\n")
        self.assertRegex(kept, r"    state 'slices' \(.*BIGINT.*\): \d+ entries, .*\d+ bytes\n")
        self.assertRegex(kept, r"  Sink: t\[\d\] \(uid sink_writer-[0-9a-f]{16}\)\n")
        self.assertEqual(self.section(text, "Dropped"), " nothing\n")
        self.assertEqual(self.section(text, "New"), " nothing\n")
        self.assertIn("The job would go on from here.\n", text)

    def test_another_aggregate_drops_the_window_and_is_refused(self):
        path = self.killed_with_state()
        text = self.explain(COUNTS.format("COUNT(*) + SUM(a)"), path)
        self.assertIn("  Source: n[1]", self.section(text, "Kept"))
        self.assertRegex(self.section(text, "Dropped"), r"  WindowAggregate\[2\] .*\n(.*\n)*    state 'slices'")
        self.assertRegex(self.section(text, "New"), r"^\n  WindowAggregate\[2\] \(uid window_aggregate-[0-9a-f]{16}\)\n$")
        self.assertRegex(text, r"The job would be refused: .*operator 'WindowAggregate\[2\]'.*ignore-unclaimed-state")
        # The job says the same.
        self.fails(TABLES + COUNTS.format("COUNT(*) + SUM(a)"), r"operator 'WindowAggregate\[2\]'", "ignore-unclaimed-state",
                   options=["-D", f"execution.state-recovery.path={path}"])
        text = self.explain(COUNTS.format("COUNT(*) + SUM(a)"), path,
                            "-D", "execution.state-recovery.ignore-unclaimed-state=true")
        self.assertIn("The job would go on from here.\n", text)
        self.assertIn("WindowAggregate[2]", self.section(text, "Dropped"))

    def test_columns_and_order_keep_all(self):
        path = self.killed_with_state(COUNTS.format("COUNT(*) + SUM(a)"))
        text = self.explain(COUNTS.format("SUM(a) * 2 + COUNT(*) + MOD(b, 2)"), path)
        self.assertEqual(self.section(text, "Dropped"), " nothing\n")
        self.assertEqual(self.section(text, "New"), " nothing\n")

    def test_a_changed_select_goes_on_where_the_former_was(self):
        """Every row once, though the source reads another column and the statement has a predicate more."""
        tables = ("CREATE TABLE n (a BIGINT, b BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '400', "
                  "'rows-per-second' = '{rate}', 'fields.a.kind' = 'sequence', 'fields.a.start' = '1', "
                  "'fields.a.end' = '400', 'fields.b.kind' = 'sequence', 'fields.b.start' = '1001', "
                  "'fields.b.end' = '1400');\n"
                  "CREATE TABLE t (a BIGINT, b BIGINT) WITH ('connector' = 'filesystem', 'path' = 't', "
                  "'format' = 'csv');\n")
        process = self.start(tables.format(rate=200) + "INSERT INTO t SELECT a, 0 FROM n;", *self.options())
        while len(self.checkpoints()) == 0 or not os.path.exists(self.path("t")) or not self.result_rows("t"):
            self.assertIsNone(process.poll())
        self.end(process)
        before = self.result_rows("t")
        self.works(tables.format(rate=100000) + "INSERT INTO t SELECT a, b FROM n WHERE a > 0 AND b > a;",
                   *self.options(), "-D", f"execution.state-recovery.path={self.checkpoints()[-1]}")
        rows = [tuple(int(value) for value in line.split(",")) for line in self.result_rows("t")]
        self.assertEqual(sorted(a for a, _ in rows), list(range(1, 401)))
        self.assertTrue(set(before) <= set(self.result_rows("t")))
        self.assertTrue(any(b == a + 1000 for a, b in rows))

    def test_another_job(self):
        text = self.explain("INSERT INTO t SELECT 1, 2;", self.killed_with_state())
        self.assertIn("Source: n[1]", self.section(text, "Dropped"))
        self.assertRegex(self.section(text, "New"), r"Values\[1\]")
        self.assertIn("The job would be refused: ", text)

    def test_what_is_not_there(self):
        text = self.explain("INSERT INTO t SELECT 1, 2;", self.path("nowhere"))
        self.assertRegex(text, r"The job would be refused: .*nowhere")


class CompiledPlanTest(PlanTest):
    SETUP = ("CREATE TABLE s (product STRING, amount INT) WITH ('connector' = 'filesystem', 'path' = 's.csv', 'format' = 'csv');\n"
             "CREATE TABLE t (product STRING, twice INT) PARTITIONED BY (product) WITH ('connector' = 'filesystem', 'path' = 't', "
             "'format' = 'csv');\n")
    INSERT = "INSERT INTO t SELECT product, amount * 2 FROM s WHERE amount > 1;"

    def lines(self):
        found = []
        for folder, _, files in os.walk(self.path("t")):
            for name in files:
                with open(os.path.join(folder, name), encoding="utf-8") as text:
                    found += [f"{os.path.basename(folder)} {line}" for line in text.read().splitlines()]
        return sorted(found)

    def test_compiled_here_and_executed_there(self):
        self.write("s.csv", "apple,1\npear,2\nplum,3\n")
        self.works(self.SETUP + "COMPILE PLAN 'p.json' FOR " + self.INSERT)
        self.assertFalse(os.path.exists(self.path("t")))
        self.works("EXECUTE PLAN 'p.json';")  # Another session, without the tables.
        self.assertEqual(self.lines(), ["product=pear 4", "product=plum 6"])
        self.fails(self.SETUP + "COMPILE PLAN 'p.json' FOR " + self.INSERT, "line 3, column 14: plan 'p.json' exists already")
        self.works(self.SETUP + "COMPILE PLAN 'p.json' IF NOT EXISTS FOR " + self.INSERT)

    def test_compile_and_execute(self):
        self.write("s.csv", "pear,2\n")
        self.works(self.SETUP + "COMPILE AND EXECUTE PLAN 'p.json' FOR " + self.INSERT)
        self.assertEqual(self.lines(), ["product=pear 4"])
        self.assertTrue(os.path.exists(self.path("p.json")))

    def test_a_plan_goes_on_from_a_savepoint_of_the_statement(self):
        path = self.killed_with_state()
        self.works(TABLES + "COMPILE PLAN 'p.json' FOR " + COUNT)
        process = self.start("EXECUTE PLAN 'p.json';", *self.options(), "-D", f"execution.state-recovery.path={path}")
        before = int(path.rsplit("-", 1)[1])
        while self.last_checkpoint() <= before:
            self.assertIsNone(process.poll())

    def test_files_that_are_no_plans(self):
        self.fails("EXECUTE PLAN 'nowhere.json';", "line 1, column 14: .*nowhere.json")
        self.write("p.json", '{"planVersion": 3}')
        self.fails("EXECUTE PLAN 'p.json';", "plan 'p.json': the plan has version 3; this release reads versions 1 and 2")
        self.write("p.json", b"\xff\x00")
        self.fails("EXECUTE PLAN 'p.json';", "plan 'p.json': line 1, column 1: this is no JSON")


class JobStatementsTest(ConsoleTest):
    """SHOW JOBS, DESCRIBE JOB and STOP JOB, typed in the shell that runs the job."""

    def started(self):
        console = self.console("-D", f"execution.checkpointing.savepoint-dir={self.path('savepoints')}")
        for statement in (TABLES + COUNT).split(";\n"):
            self.run_statement(console, statement.strip().rstrip(";").replace("\n", " ") + ";", "created|has started|submitted")
        shown = ""
        while not re.search(r"RUNNING.*\D[1-9]\d* \|\s+\d+ \|", shown):  # Rows in, rows out.
            shown = self.run_statement(console, "jobs", "job id")
        shown = self.run_statement(console, "SHOW JOBS;", "RUNNING")
        jobs = re.findall(r"\| ([0-9a-f]{32}) \|", shown)
        self.assertEqual(len(jobs), 1, shown)
        return console, jobs[0]

    def leave_ended(self, console):
        """Leaves once the shell has told that its job has ended."""
        self.assertTrue(console.read_until("Job '.*' (finished in|was cancelled after)"), console.text)
        self.leave(console)

    def test_described_and_stopped_with_a_savepoint(self):
        console, job = self.started()
        self.assertIn(job, self.run_statement(console, f"DESCRIBE JOB '{job}';", "job name"))
        shown = self.run_statement(console, f"STOP JOB '{job}' WITH SAVEPOINT;", "savepoint path")
        folder = os.listdir(self.path("savepoints"))[0]
        self.assertIn(folder, shown)
        self.assertTrue(os.path.exists(self.path("savepoints", folder, "_metadata")))
        self.assertFalse(os.path.exists(self.path("t")) and self.result_rows("t"))  # The window is open.
        self.assertIn("FINISHED", self.run_statement(console, "SHOW JOBS;", "job id"))
        self.run_statement(console, f"STOP JOB '{job}';", "has ended already")
        self.leave_ended(console)

    def test_drained_windows_are_given_out(self):
        console, job = self.started()
        self.run_statement(console, f"STOP JOB '{job}' WITH SAVEPOINT WITH DRAIN;", "savepoint path")
        keys = [line.split(",")[0] for line in self.result_rows("t")]
        self.assertTrue(keys)
        self.assertEqual(keys, sorted({"1", "2", "3"}.intersection(keys)))
        self.leave_ended(console)

    def test_stopped_without_a_savepoint(self):
        console, job = self.started()
        self.run_statement(console, f"STOP JOB '{job}';", "is being cancelled")
        self.run_statement(console, "STOP JOB 'nonsense';", "line 1, column 10")
        self.leave_ended(console)
        self.assertFalse(os.path.exists(self.path("savepoints")) and os.listdir(self.path("savepoints")))


if __name__ == "__main__":
    unittest.main()
