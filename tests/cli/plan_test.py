#!/usr/bin/env python3
"""EXPLAIN against a checkpoint, jobs by statements, and plans kept in files, through the program itself."""

import os
import re
import unittest

from command import CommandTest

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

    def killed_with_state(self, statement=COUNT):
        """A job that runs until it has a few checkpoints with rows in them; its last one."""
        process = self.start(TABLES + statement, *self.options())
        while len(self.checkpoints()) == 0 or int(self.checkpoints()[-1].rsplit("-", 1)[1]) < 4:
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

    def test_another_job(self):
        text = self.explain("INSERT INTO t SELECT 1, 2;", self.killed_with_state())
        self.assertIn("Source: n[1]", self.section(text, "Dropped"))
        self.assertRegex(self.section(text, "New"), r"Values\[1\]")
        self.assertIn("The job would be refused: ", text)

    def test_what_is_not_there(self):
        text = self.explain("INSERT INTO t SELECT 1, 2;", self.path("nowhere"))
        self.assertRegex(text, r"The job would be refused: .*nowhere")


if __name__ == "__main__":
    unittest.main()
