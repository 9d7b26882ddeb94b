#!/usr/bin/env python3
"""Tables in folders named by the columns that they are PARTITIONED BY, through the program itself."""

import os
import unittest

from command import CommandTest

ROWS = """(VALUES ('Ann', 3, 'eu', DATE '2024-01-31'), ('Bob', 4, 'us', DATE '2024-01-31'),
 ('Cid', 5, 'eu', DATE '2024-02-01'), ('Dan', 6, CAST(NULL AS STRING), DATE '2024-02-01')) AS v (name, amount, region, d)"""


def partitioned(name="t", keys="region, d", path="t", **options):
    pairs = "".join(f", '{key.replace('__', '.').replace('_', '-')}' = '{value}'" for key, value in options.items())
    return (f"CREATE TABLE {name} (name STRING, amount INT, region STRING, d DATE) PARTITIONED BY ({keys}) "
            f"WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv'{pairs});\n")


class PartitionTest(CommandTest):
    def folders(self, path="t"):
        """Relative paths of the folders with files, each with the lines of its visible files."""
        found = {}
        for folder, _, files in os.walk(self.path(path)):
            for file in sorted(files):
                if not file.startswith((".", "_")):
                    with open(os.path.join(folder, file), encoding="utf-8") as text:
                        found.setdefault(os.path.relpath(folder, self.path(path)), []).extend(text.read().splitlines())
        return {folder: sorted(lines) for folder, lines in found.items()}

    def values(self, statements):
        return sorted(self.works(statements).lines[1:])

    def fill(self, **options):
        self.works(partitioned(**options) + f"INSERT INTO t SELECT * FROM {ROWS};")


class WritingTest(PartitionTest):
    def test_rows_go_to_the_folders_of_their_values(self):
        self.fill()
        self.assertEqual(self.folders(), {
            "region=eu/d=2024-01-31": ["Ann,3"], "region=us/d=2024-01-31": ["Bob,4"],
            "region=eu/d=2024-02-01": ["Cid,5"], "region=__DEFAULT_PARTITION__/d=2024-02-01": ["Dan,6"]})

    def test_values_given_once(self):
        self.works(partitioned() + "INSERT INTO t PARTITION (region = 'a/../b', d = '2024-01-31') VALUES ('Ann', 3);\n"
                   "INSERT INTO t PARTITION (region = '..') VALUES ('Bob', 4, DATE '2024-02-01');")
        self.assertEqual(self.folders(), {"region=a%2F..%2Fb/d=2024-01-31": ["Ann,3"],
                                          "region=%2E%2E/d=2024-02-01": ["Bob,4"]})
        self.assertEqual(sorted(os.listdir(self.folder)), ["t"])

    def test_a_success_file_says_that_a_partition_is_complete(self):
        self.fill(sink__partition_commit__policy__kind="success-file", partition__default_name="none")
        for folder in ("region=eu/d=2024-01-31", "region=none/d=2024-02-01"):
            self.assertIn("_SUCCESS", os.listdir(self.path("t", folder)))
            self.assertNotIn(".pending-partition", os.listdir(self.path("t", folder)))

    def test_partition_time_with_a_pattern(self):
        self.works("CREATE TABLE t (name STRING, d STRING, h STRING) PARTITIONED BY (d, h) WITH "
                   "('connector' = 'filesystem', 'path' = 't', 'format' = 'csv', "
                   "'sink.partition-commit.trigger' = 'partition-time', "
                   "'partition.time-extractor.timestamp-pattern' = '$d $h:00:00', "
                   "'sink.partition-commit.delay' = '1 h', "
                   "'sink.partition-commit.policy.kind' = 'success-file', "
                   "'sink.partition-commit.success-file.name' = '_DONE');\n"
                   "INSERT INTO t VALUES ('a', '2024-01-31', '07'), ('b', '2024-01-31', '08');")
        self.assertIn("_DONE", os.listdir(self.path("t", "d=2024-01-31", "h=07")))

    def test_create_table_as(self):
        self.works("CREATE TABLE t PARTITIONED BY (region) WITH ('connector' = 'filesystem', 'path' = 't', "
                   f"'format' = 'json') AS SELECT name, region FROM {ROWS} WHERE amount < 5;")
        self.assertEqual(self.folders(), {"region=eu": ['{"name":"Ann"}'], "region=us": ['{"name":"Bob"}']})

    def test_killed_and_started_again_from_its_checkpoint(self):
        """The last checkpoint's rows are there once, in their folders."""
        numbers = ("CREATE TABLE n (a BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '300', "
                   "'rows-per-second' = '{rate}', 'fields.a.kind' = 'sequence', 'fields.a.start' = '1', "
                   "'fields.a.end' = '300');\n"
                   "CREATE TABLE t (a BIGINT, k BIGINT) PARTITIONED BY (k) WITH "
                   "('connector' = 'filesystem', 'path' = 't', 'format' = 'csv');\n"
                   "INSERT INTO t SELECT a, MOD(a, 3) FROM n;")
        options = ["-D", f"execution.checkpointing.dir={self.path('checkpoints')}",
                   "-D", "execution.checkpointing.interval=50 ms",
                   "-D", "execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION"]
        process = self.start(numbers.format(rate=100), *options)
        while not self.folders():  # A checkpoint has completed: something was committed.
            self.assertIsNone(process.poll())
        self.end(process)
        job = os.listdir(self.path("checkpoints"))[0]
        last = max((name for name in os.listdir(self.path("checkpoints", job)) if name.startswith("chk-") and
                    os.path.exists(self.path("checkpoints", job, name, "_metadata"))), key=lambda name: int(name[4:]))
        self.works(numbers.format(rate=100000), *options, "-D",
                   f"execution.state-recovery.path={self.path('checkpoints', job, last)}")
        expected = {f"k={k}": sorted(str(a) for a in range(1, 301) if a % 3 == k) for k in range(3)}
        self.assertEqual(self.folders(), expected)


class ReadingTest(PartitionTest):
    def test_columns_come_back_from_the_folders(self):
        self.fill()
        self.assertEqual(self.values(partitioned() + "SELECT d, region, amount, name FROM t;"),
                         ["2024-01-31\teu\t3\tAnn", "2024-01-31\tus\t4\tBob", "2024-02-01\t\\N\t6\tDan",
                          "2024-02-01\teu\t5\tCid"])
        self.assertEqual(self.values(partitioned() + "SELECT region FROM t WHERE region IS NOT NULL;"),
                         ["eu", "eu", "us"])

    def test_every_type_of_a_key_comes_back(self):
        keys = [("BOOLEAN", "TRUE"), ("TINYINT", "CAST(-5 AS TINYINT)"), ("BIGINT", "CAST(9223372036854775807 AS BIGINT)"),
                ("DECIMAL(10, 2)", "CAST(-12.50 AS DECIMAL(10, 2))"), ("FLOAT", "CAST(1.5 AS FLOAT)"), ("DOUBLE", "1e300"),
                ("DATE", "DATE '0001-01-01'"), ("TIME(0)", "TIME '23:59:59'"),
                ("TIMESTAMP(6)", "TIMESTAMP '2024-01-31 07:00:00.123456'"),
                ("TIMESTAMP_LTZ(3)", "CAST(TIMESTAMP '2024-01-31 07:00:00' AS TIMESTAMP_LTZ(3))"),
                ("CHAR(3)", "'ab '"), ("VARCHAR(5)", "'a/b'"), ("STRING", "'%2F \"é\" ..'")]
        columns = ", ".join(f"k{i} {kind}" for i, (kind, _) in enumerate(keys))
        names = ", ".join(f"k{i}" for i in range(len(keys)))
        create = (f"CREATE TABLE t (a INT, {columns}) PARTITIONED BY ({names}) WITH ('connector' = 'filesystem', "
                  "'path' = 't', 'format' = 'json');\n")
        zone = ["-D", "table.local-time-zone=Asia/Shanghai"]
        self.works(create + f"INSERT INTO t SELECT 1, {', '.join(value for _, value in keys)};", *zone)
        same = ", ".join(f"k{i} = {value}" for i, (_, value) in enumerate(keys))
        self.assertEqual(self.works(create + f"SELECT {same} FROM t;", *zone).lines[1], "\t".join(["TRUE"] * len(keys)))

    def test_predicates_leave_folders_out(self):
        self.fill()
        # What cannot be read does no harm where nobody looks.
        self.write("t/region=us/d=never/broken.csv", "x\n")
        self.assertEqual(self.values(partitioned() + "SELECT name FROM t WHERE region = 'eu' AND d > DATE '2024-01-31';"),
                         ["Cid"])
        self.fails(partitioned() + "SELECT name FROM t;", "partition 'd=never' has no value of type DATE")
        plan = self.works(partitioned() + "EXPLAIN SELECT name FROM t WHERE region IN ('eu', 'us');").out
        self.assertIn("partitions=[region IN ('eu', 'us')]", plan)

    def test_show_partitions(self):
        self.fill()
        self.assertEqual(self.works(partitioned() + "SHOW PARTITIONS t;").lines,
                         ["partition name", "region=__DEFAULT_PARTITION__/d=2024-02-01", "region=eu/d=2024-01-31",
                          "region=eu/d=2024-02-01", "region=us/d=2024-01-31"])
        self.assertEqual(self.works(partitioned() + "SHOW PARTITIONS t PARTITION (d = '2024-02-01', region = 'eu');").lines,
                         ["partition name", "region=eu/d=2024-02-01"])

    def test_partitions_that_come_later_are_read_too(self):
        self.fill()
        outcome = self.start(partitioned(source__monitor_interval="10 ms") +
                             "CREATE TABLE o (name STRING, region STRING) WITH ('connector' = 'filesystem', 'path' = 'o', "
                             "'format' = 'csv');\nINSERT INTO o SELECT name, region FROM t WHERE region = 'asia';",
                             "-D", "execution.checkpointing.interval=20 ms")
        self.write("t/region=asia/d=2024-03-01/x.csv", "Eve,7\n")
        while not self.folders("o"):
            self.assertIsNone(outcome.poll())
        self.assertEqual(self.folders("o"), {".": ["Eve,asia"]})


class RefusalTest(PartitionTest):
    def test_what_is_wrong_is_said_where_it_is(self):
        self.fails(partitioned(keys="regio"), "line 1, column 81: partition column 'regio'", "did you mean 'region'")
        self.fails(partitioned(keys="name, amount, region, d"), "a partitioned table needs a column beside its keys")
        self.fails(partitioned(sink__partition_commit__policy__kind="metastore"), "not built")
        self.fails(partitioned() + "INSERT OVERWRITE t PARTITION (region = 'x') SELECT 'a', 1, CURRENT_DATE;", "OVERWRITE")
        self.fails(partitioned() + "ALTER TABLE t DROP PARTITION (region = 'x');", "PARTITION")

    def test_columns_that_are_no_names(self):
        for kind in ("ARRAY<INT>", "ROW<a INT>", "BYTES"):
            self.fails(f"CREATE TABLE t (a INT, k {kind}) PARTITIONED BY (k) WITH ('connector' = 'filesystem', "
                       "'path' = 't', 'format' = 'json');", "cannot be partitioned by column 'k' of type ",
                       "expected text, a number, a boolean or a time")

    def test_a_name_that_is_too_long(self):
        self.fails(partitioned() + "INSERT INTO t PARTITION (region = '%s') VALUES ('a', 1, DATE '2024-01-31');" %
                   ("x" * 300), "makes a partition's name of 307 bytes")


if __name__ == "__main__":
    unittest.main()
