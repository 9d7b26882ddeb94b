#!/usr/bin/env python3
"""Wrong input of every kind through the program: clear errors, never a crash, never half a result."""

import os
import resource
import subprocess
import unittest

from command import TIMEOUT_S, CommandTest, csv_table, table


class CsvTest(CommandTest):
    def script(self, text, columns="a INT, b STRING, c INT", **options):
        path = self.write("rows.csv", text)
        return csv_table("t", columns, path, **options) + "SELECT * FROM t;"

    def test_a_bad_number_names_file_line_column_and_value(self):
        self.fails(self.script("1,x,2\n3,y,abc\n"), r"rows\.csv", r"line 2", r"'c'", r"abc", r"INT")

    def test_a_row_with_too_few_fields_names_file_line_and_column(self):
        self.fails(self.script("1,x,2\n3,y\n", csv__fail_on_missing_columns="true"), r"rows\.csv", r"line 2", r"'c'")

    def test_bad_rows_are_skipped_and_counted_when_asked(self):
        outcome = self.works(self.script("1,x,2\n3,y,abc\n4,z,5\n", csv__ignore_parse_errors="true"))
        self.assertIn("1\tx\t2", outcome.lines)
        self.assertIn("4\tz\t5", outcome.lines)

    def test_skipped_rows_are_in_the_summary(self):
        # A line that is no row at all: a quote that is never closed.
        text = "".join(f"{i},x,{i}\n" for i in range(10)) + 'q,"open,1\n'
        outcome = self.works(self.script(text, csv__ignore_parse_errors="true"))
        self.assertEqual(len(outcome.lines), 11)
        self.assertRegex(outcome.err, r"1 dropped at ")

    def test_a_line_that_is_too_long(self):
        text = "1,x,2\n3," + "y" * 5000 + ",4\n"
        self.fails(self.script(text, csv__line_bytes_max="1 kb"), r"rows\.csv", r"line 2", r"csv\.line-bytes-max")

    def test_invalid_utf8(self):
        self.fails(self.script(b"1,x,2\n3,y\xff\xfez,4\n"), r"rows\.csv", r"line 2", r"'b'", r"UTF-8")

    def test_an_empty_file_has_no_rows(self):
        self.assertEqual(self.works(self.script("")).out, "a\tb\tc\n")

    def test_a_missing_file(self):
        self.fails(csv_table("t", "a INT", self.path("nothing.csv")) + "SELECT * FROM t", r"nothing\.csv")


class JsonTest(CommandTest):
    def test_a_broken_line_names_file_line_and_field(self):
        path = self.write("rows.json", '{"a": 1}\n{"a": "x"}\n')
        script = table("t", "a INT", connector="filesystem", path=path, format="json")
        self.fails(script + "SELECT * FROM t", r"rows\.json", r"line 2", r"'a'", r"INT")
        self.write("rows.json", '{"a": 1}\n{"a": \n')
        self.fails(script + "SELECT * FROM t", r"rows\.json", r"line 2", r"JSON")


class DirectoryTest(CommandTest):
    def test_a_bounded_read_takes_the_files_of_the_start(self):
        for i in range(3):
            self.write(f"in/{i}.csv", f"{i}\n")
        script = csv_table("t", "a INT", self.path("in")) + "SELECT a FROM t"
        self.assertEqual(sorted(self.works(script).lines), ["0", "1", "2", "a"])

    def test_a_bounded_read_ignores_files_that_come_later(self):
        for i in range(3):
            self.write(f"in/{i}.csv", f"{i}\n" * 5)
        script = csv_table("t", "a INT", self.path("in"), scan__rows_per_second=30) + "SELECT a FROM t"
        process = self.start(script, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertEqual(process.stdout.readline(), b"a\n")
        self.assertNotEqual(process.stdout.readline(), b"")
        self.write("in/9.csv", "9\n")  # The first row has come: the files were listed before.
        rest, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual((process.returncode, len(rest.splitlines())), (0, 14))
        self.assertNotIn(b"9", rest)

    def test_a_watched_directory_gives_every_new_file_once(self):
        self.write("in/0.csv", "0\n")
        script = csv_table("t", "a INT", self.path("in"), source__monitor_interval="20 ms") + "SELECT a FROM t"
        process = self.start(script, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertEqual(process.stdout.readline(), b"a\n")
        for i in range(4):
            self.assertEqual(process.stdout.readline(), b"%d\n" % i)
            # Appears whole: written under a hidden name first.
            self.write(f"in/.{i + 1}", f"{i + 1}\n")
            os.rename(self.path("in", f".{i + 1}"), self.path("in", f"{i + 1}.csv"))
        process.send_signal(2)
        rest, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertLessEqual(len(rest.splitlines()), 1, rest)
        self.assertEqual(process.returncode, 130)


class DefinitionTest(CommandTest):
    def test_unknown_connector_format_and_option_list_the_known_ones(self):
        self.fails("CREATE TABLE t (a INT) WITH ('connector' = 'kafak'); SELECT * FROM t",
                   r"unknown connector 'kafak'", r"blackhole", r"datagen", r"filesystem", r"nexmark", r"print")
        self.fails("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'cvs');"
                   "SELECT * FROM t", r"unknown format 'cvs'", r"csv", r"json")
        self.fails("CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'number-of-row' = '1'); SELECT * FROM t",
                   r"unknown option 'number-of-row'", r"number-of-rows")

    def test_an_option_of_the_wrong_type(self):
        self.fails("CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = 'many');"
                   "SELECT * FROM t", r"rows-per-second", r"many", r"number")

    def test_a_watermark_column_of_the_wrong_type(self):
        self.fails("CREATE TABLE t (a INT, b STRING, WATERMARK FOR b AS b) WITH ('connector' = 'datagen');"
                   "SELECT * FROM t", r"line 1, column \d+", r"b", r"TIMESTAMP")
        self.fails("CREATE TABLE t (a INT, b TIMESTAMP(3), WATERMARK FOR b AS a) WITH ('connector' = 'datagen');"
                   "SELECT * FROM t", r"line 1, column \d+", r"TIMESTAMP")

    def test_syntax_errors_have_line_column_and_caret(self):
        outcome = self.fails("SELECT 1\n  FROM WHERE x", r"line 2, column 8", r"expected", r"\n +\^+\n")
        self.assertEqual(outcome.out, "")
        for wrong in ("SELECT", "SELECT (1", "SELECT 'open", "CREATE TABLE", "SELECT 1 +", "FROM t SELECT 1"):
            self.fails(wrong, r"line 1, column \d+")

    def test_errors_that_have_nothing_to_do_with_each_other_are_told_together(self):
        script = self.write("two.sql", "SELECT 1;\nSELECT x,\n  nosuch(1)\nFROM (VALUES (1)) AS t(a)")
        outcome = self.command("sql", "-f", script)
        self.assertEqual(outcome.code, 1)
        self.assertIn("two.sql: line 2, column 8: column 'x' not found in any table\n  SELECT x,\n         ^\n"
                      "also line 3, column 3: unknown function 'nosuch'\n    nosuch(1)\n    ^^^^^^\n", outcome.err)

    def test_unknown_names_of_every_kind_and_close_ones(self):
        create = "CREATE TABLE orders (price INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');\n"
        self.fails(create + "SELECT prise FROM orders", r"line 2, column 8", r"prise", r"price")
        self.fails(create + "SELECT price FROM order_s", r"line 2, column 19", r"order_s", r"orders")
        self.fails(create + "SELECT UPPR('a')", r"line 2, column 8", r"UPPR", r"UPPER")
        self.fails(create + "SELECT CAST(1 AS INTT)", r"line 2", r"INTT")
        self.fails(create + "INSERT INTO nowhere SELECT price FROM orders", r"line 2, column 13", r"nowhere")
        self.fails(create + "DROP TABLE ordres", r"ordres")

    def test_what_is_not_built_is_refused_by_name(self):
        create = "CREATE TABLE o (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');\n"
        for query, name in (("SELECT a FROM o ORDER BY a", "ORDER BY"), ("SELECT a, COUNT(*) FROM o GROUP BY a", "GROUP BY"),
                            ("SELECT * FROM o AS x JOIN o AS y ON x.a = y.a", "JOIN")):
            self.fails(create + query, r"line 2, column \d+", name)


class WritingTest(CommandTest):
    def test_a_full_disk_fails_and_leaves_no_result(self):
        # Files of at most 64 kB: writing more fails as on a full disk.
        script = table("s", "a BIGINT, b STRING", connector="datagen", number_of_rows=20000)
        script += csv_table("saved", "a BIGINT, b STRING", self.path("saved"))

        def limit():
            import signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

        outcome = self.sql(script + "INSERT INTO saved SELECT * FROM s", preexec_fn=limit)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertRegex(outcome.err, r"error: .*saved.*(File too large|too large|No space)")
        left = [name for name in os.listdir(self.path("saved"))] if os.path.isdir(self.path("saved")) else []
        self.assertEqual([name for name in left if not name.startswith((".", "_"))], [])

    def test_a_folder_that_cannot_be_written(self):
        self.write("file", "x")
        script = csv_table("saved", "a INT", self.path("file", "saved")) + "INSERT INTO saved VALUES (1)"
        self.fails(script, r"file")


class LateTest(CommandTest):
    def test_late_rows_are_counted_and_sampled(self):
        path = self.write("rows.csv", "2024-01-01 10:00:10,a\n2024-01-01 10:02:00,b\n"
                                      "2024-01-01 10:00:20,late\n2024-01-01 10:02:30,c\n")
        script = csv_table("t", "ts TIMESTAMP(3), s STRING, WATERMARK FOR ts AS ts", path)
        outcome = self.works(script + "SELECT window_start, COUNT(*) AS n FROM TABLE("
                             "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end")
        self.assertEqual(outcome.lines, ["window_start\tn", "2024-01-01 10:00:00.000\t1",
                                         "2024-01-01 10:02:00.000\t2"])
        self.assertRegex(outcome.err, r"(?m)^  1 late at ")
        self.assertRegex(outcome.err, r"for example: .*2024-01-01 10:00:20")


if __name__ == "__main__":
    unittest.main()
