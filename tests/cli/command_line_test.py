#!/usr/bin/env python3
"""clepsydra's options, exit codes, output formats and terminal, through the program itself."""

import json
import os
import select
import signal
import subprocess
import unittest

from command import BINARY, TIMEOUT_S, CommandTest, Terminal, csv_table, table


class SinkSettingsTest(CommandTest):
    """What table.exec.sink.* do; the rows are those of Flink 2.3 for the same statements."""

    def rows(self, script):
        return sorted(line[3:-1] for line in self.works(script).out.splitlines() if line.startswith("+I["))

    def test_lengths_are_those_of_the_types_only_when_that_is_asked_for(self):
        self.write("in.csv", "abcdef;abcdef;abcdef\nx;x;x\n")
        script = f"""
            SET 'table.dml-sync' = 'true';
            CREATE TABLE src (a VARCHAR(3), b CHAR(4), c STRING) WITH ('connector' = 'filesystem',
              'path' = '{self.path("in.csv")}', 'format' = 'csv', 'csv.field-delimiter' = ';');
            CREATE TABLE o (a VARCHAR(3), b CHAR(4), c VARCHAR(5)) WITH ('connector' = 'print');
            SET 'table.exec.sink.type-length-enforcer' = '%s';
            INSERT INTO o SELECT %s, b, c FROM src;"""
        self.assertEqual(self.rows(script % ("IGNORE", "a")), ["abcdef, abcdef, abcde", "x, x, x"])
        self.assertEqual(self.rows(script % ("IGNORE", "c")), ["abc, abcdef, abcde", "x, x, x"])
        for column in "ac":
            self.assertEqual(self.rows(script % ("TRIM_PAD", column)), ["abc, abcd, abcde", "x, x   , x"])

    def test_a_null_where_the_type_promises_none_is_dropped_or_an_error(self):
        script = """
            SET 'table.dml-sync' = 'true';
            CREATE TABLE o (a DECIMAL(38, 0) NOT NULL) WITH ('connector' = 'print');
            SET 'table.exec.sink.not-null-enforcer' = '%s';
            EXECUTE STATEMENT SET BEGIN
              INSERT INTO o SELECT x * x FROM (VALUES CAST(1E30 AS DECIMAL(38, 0)), 5) AS t(x);
            END;"""
        self.fails(script % "ERROR", r"column 'a' is DECIMAL\(38, 0\) NOT NULL and got a NULL")
        self.assertEqual(self.rows(script % "DROP"), ["25"])

    def test_a_result_that_is_shown_is_a_sink_too(self):
        self.write("in.csv", "abcdef;abcdef;n/a\nx;x;x\n")
        outcome = self.works(f"""
            CREATE TABLE src (a VARCHAR(3), b CHAR(4), c STRING NOT NULL) WITH ('connector' = 'filesystem',
              'path' = '{self.path("in.csv")}', 'format' = 'csv', 'csv.field-delimiter' = ';',
              'csv.null-literal' = 'n/a');
            SET 'table.exec.sink.not-null-enforcer' = 'DROP';
            SET 'table.exec.sink.type-length-enforcer' = 'TRIM_PAD';
            SELECT a, CONCAT('>', b, '<') AS as_it_is, b, c FROM src""", "--format", "json")
        self.assertEqual([json.loads(line) for line in outcome.lines],
                         [{"a": "x", "as_it_is": ">x<", "b": "x   ", "c": "x"}])


class OptionsTest(CommandTest):
    def test_version_and_help(self):
        self.assertRegex(self.command("--version").out, r"^clepsydra \d+\.\d+\.\d+\n$")
        for words in (["--help"], ["sql", "--help"]):
            outcome = self.command(*words)
            self.assertEqual((outcome.code, outcome.err), (0, ""))
            self.assertIn("Usage: clepsydra", outcome.out)

    def test_wrong_words_are_exit_code_2(self):
        for words, text in [([], "a command is missing"), (["sq"], "unknown command 'sq'"),
                            (["sql", "--formt", "csv"], "Did you mean '--format'?"),
                            (["sql", "-e"], "needs a value"), (["sql", "SELECT 1"], "unexpected argument"),
                            (["sql", "--format", "xml"], "expected tableau, csv, tsv or json"),
                            (["sql", "-D", "novalue", "-e", "SELECT 1"], "novalue"),
                            (["sql", "-D", "parallelism.default=many", "-e", "SELECT 1"], "parallelism.default"),
                            (["sql", "--detach", "-e", "SELECT 1"], "--detach")]:
            outcome = self.command(*words)
            self.assertEqual((outcome.code, outcome.out), (2, ""), outcome)
            self.assertIn(text, outcome.err)

    def test_statements_from_text_file_and_standard_input_are_the_same(self):
        script = "SELECT 1 AS a; SELECT 2 AS b"
        path = self.write("script.sql", script)
        expected = "a\n1\n\nb\n2\n"
        self.assertEqual(self.works(script).out, expected)
        self.assertEqual(self.command("sql", "-f", path).out, expected)
        self.assertEqual(self.command("sql", stdin=script.encode()).out, expected)

    def test_a_missing_script_is_told(self):
        outcome = self.command("sql", "-f", "nothing.sql")
        self.assertEqual(outcome.code, 1)
        self.assertIn("nothing.sql", outcome.err)

    def test_init_runs_first(self):
        init = self.write("init.sql", "CREATE VIEW v AS SELECT 7 AS a;")
        self.assertEqual(self.works("SELECT a FROM v", "-i", init).out, "a\n7\n")

    def test_config_yaml_then_options_then_set(self):
        os.mkdir(self.path("conf"))
        self.write("conf/config.yaml", "a:\n  one: file\n  two: file\n  three: file\n")
        outcome = self.works("SET 'a.three' = 'set'; SET;", "-c", "conf", "-D", "a.two=option",
                             "-D", "a.three=option")
        for line in ("a.one\tfile", "a.two\toption", "a.three\tset"):
            self.assertIn(line, outcome.lines)

    def test_a_broken_config_yaml_is_told_with_its_place(self):
        os.mkdir(self.path("conf"))
        self.write("conf/config.yaml", "a: [1\nb: 2\n")
        outcome = self.sql("SELECT 1", "-c", "conf")
        self.assertEqual(outcome.code, 2)
        self.assertRegex(outcome.err, r"config\.yaml.*line \d")


class OutputTest(CommandTest):
    values = ("SELECT * FROM (VALUES (1, 'x', TRUE, CAST(1.50 AS DECIMAL(10, 2))), "
              "(2, 'a,\"b\"', FALSE, NULL), (3, '', NULL, 2.00)) AS t (i, s, b, d)")

    def test_formats(self):
        self.assertEqual(self.works(self.values, "--format", "csv").out,
                         'i,s,b,d\n1,x,TRUE,1.50\n2,"a,""b""",FALSE,\n3,"",,2.00\n')
        self.assertEqual(self.works(self.values, "--format", "tsv").out,
                         'i\ts\tb\td\n1\tx\tTRUE\t1.50\n2\ta,"b"\tFALSE\t\\N\n3\t\t\\N\t2.00\n')
        rows = [json.loads(line) for line in self.works(self.values, "--format", "json").lines]
        self.assertEqual(rows, [{"i": 1, "s": "x", "b": True, "d": 1.5},
                                {"i": 2, "s": 'a,"b"', "b": False, "d": None},
                                {"i": 3, "s": "", "b": None, "d": 2.0}])

    def test_tableau_is_the_reference_style(self):
        self.assertEqual(self.works("SELECT 1 AS a, 'Ann' AS name", "--format", "tableau").out.splitlines(), [
            "+----+-------------+--------------------------------+",
            "| op |           a |                           name |",
            "+----+-------------+--------------------------------+",
            "| +I |           1 |                            Ann |",
            "+----+-------------+--------------------------------+"])

    def test_tsv_is_the_default_without_a_terminal(self):
        self.assertEqual(self.works("SELECT 1 AS a").out, "a\n1\n")

    def test_standard_output_holds_results_alone(self):
        outcome = self.works("CREATE TABLE t (a INT) WITH ('connector' = 'print'); SET 'a.b' = 'c';"
                             "SHOW TABLES; DESCRIBE t; INSERT INTO t VALUES (1), (CAST(NULL AS INT));")
        results = outcome.out.split("\n\n")
        self.assertEqual(results[0], "table name\nt")
        self.assertEqual(results[1].splitlines()[0].split("\t")[:3], ["name", "type", "null"])
        self.assertEqual(sorted(results[2].splitlines()), ["+I[1]", "+I[null]"])
        self.assertEqual(len(results), 3)

    def test_explain_is_a_table_of_one_column(self):
        lines = self.works("EXPLAIN SELECT 1 AS a").lines
        self.assertEqual(lines[0], "result")
        self.assertEqual(len(lines), 2)
        self.assertIn("== Abstract Syntax Tree ==\\n", lines[1])

    def test_a_summary_follows_on_standard_error(self):
        err = self.works("SELECT 1 AS a").err
        self.assertRegex(err, r"Job 'collect' finished in [\d.]+ s: ")
        self.assertIn("blocked by backpressure", err)
        self.assertIn("peak memory", err)

    def test_standard_output_on_a_full_disk_is_an_error(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([BINARY, "sql", "-e", "SELECT 1 AS a"], stdin=subprocess.DEVNULL,
                                     stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"No space left", process.stderr)


class StatementsTest(CommandTest):
    def test_statements_before_an_error_have_run(self):
        outcome = self.fails("SELECT 1 AS a;\nSELECT 2 AS b;\nSELEKT 3;\nSELECT 4 AS d;", r"line 3, column 1")
        self.assertEqual(outcome.out, "a\n1\n\nb\n2\n")

    def test_inserts_run_side_by_side_and_are_waited_for(self):
        script = "".join(csv_table(name, "a BIGINT", self.path(name)) for name in ("x", "y"))
        script += table("s", "a BIGINT", connector="datagen", number_of_rows=2000, fields__a__kind="sequence",
                        fields__a__start=1, fields__a__end=2000)
        outcome = self.works(script + "INSERT INTO x SELECT a FROM s; INSERT INTO y SELECT a FROM s WHERE a > 1000;")
        self.assertEqual(outcome.out, "")
        self.assertEqual(self.result_rows("x"), sorted(str(a) for a in range(1, 2001)))
        self.assertEqual(len(self.result_rows("y")), 1000)
        self.assertLess(outcome.err.rindex("has started"), outcome.err.index("finished in"))

    def test_dml_sync_waits_at_each(self):
        script = csv_table("x", "a INT", self.path("x")) + csv_table("y", "a INT", self.path("y"))
        outcome = self.works(script + "SET 'table.dml-sync' = 'true'; INSERT INTO x VALUES (1);"
                             "INSERT INTO y SELECT a + 1 FROM x;")
        self.assertEqual(self.result_rows("y"), ["2"])
        self.assertGreater(outcome.err.rindex("has started"), outcome.err.index("finished in"))

    def test_an_error_cancels_the_others_and_publishes_nothing(self):
        script = table("endless", "a BIGINT", connector="datagen", rows_per_second=1000)
        script += csv_table("saved", "a BIGINT", self.path("saved"))
        outcome = self.fails(script + "INSERT INTO saved SELECT a FROM endless; SELECT b FROM endless;", "'b'")
        self.assertIn("was cancelled after", outcome.err)
        self.assertFalse(os.path.exists(self.path("saved")) and self.result_rows("saved"))

    def test_an_error_of_a_running_job_cancels_the_others(self):
        self.write("bad.csv", "1\n2\nthree\n")
        script = table("endless", "a BIGINT", connector="datagen", rows_per_second=1000)
        script += csv_table("bad", "a INT", self.path("bad.csv"))
        script += csv_table("saved", "a BIGINT", self.path("saved")) + table("hole", "a INT", connector="blackhole")
        outcome = self.fails(script + "INSERT INTO saved SELECT a FROM endless; INSERT INTO hole SELECT a FROM bad;",
                             r"bad\.csv", r"line 3", r"three")
        self.assertIn("was cancelled after", outcome.err)
        self.assertFalse(os.path.exists(self.path("saved")) and self.result_rows("saved"))


class EndTest(CommandTest):
    endless = table("endless", "a BIGINT", connector="datagen", fields__a__min=1)

    def test_a_closed_pipe_ends_it_quietly(self):
        for statement in ("SELECT a FROM endless", "INSERT INTO p SELECT a FROM endless"):
            script = self.endless + table("p", "a BIGINT", connector="print") + statement
            process = self.start(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertNotEqual(process.stdout.readline(), b"")
            process.stdout.close()
            err = process.stderr.read().decode()
            self.assertEqual(process.wait(60), 141, err)
            self.assertNotIn("error", err)

    def test_interrupt_cancels_and_tells_the_summary(self):
        process = self.start(self.endless + "SELECT a FROM endless", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertNotEqual(process.stdout.readline(), b"")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn(b"Job 'collect' was cancelled after", err)

    def test_a_second_interrupt_ends_what_cannot_be_cancelled(self):
        # Nobody reads the pipe: the job waits for room in it, and so would its cancellation.
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        process = self.start(self.endless + "SELECT a FROM endless", stdout=writer, stderr=subprocess.DEVNULL)
        while select.select([], [writer], [], 0)[1]:
            self.assertIsNone(process.poll())
        for _ in range(100):  # The first may come while there is still some room.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(0.1)
                break
            except subprocess.TimeoutExpired:
                pass
        # A signal that comes after main() has ended is the system's, with the same code in a shell.
        self.assertIn(process.poll(), (130, -signal.SIGINT))

    def test_a_killed_job_leaves_no_file_that_looks_finished(self):
        script = self.endless + csv_table("saved", "a BIGINT", self.path("saved"))
        process = self.start(script + "INSERT INTO saved SELECT a FROM endless", stderr=subprocess.DEVNULL)
        while not (os.path.isdir(self.path("saved")) and any(
                os.path.getsize(self.path("saved", name)) for name in os.listdir(self.path("saved")))):
            self.assertIsNone(process.poll())
        process.kill()
        process.wait(TIMEOUT_S)
        self.assertEqual(self.result_rows("saved"), [])
        rows = self.works(csv_table("saved", "a BIGINT", self.path("saved")) + "SELECT a FROM saved").lines
        self.assertEqual(rows, ["a"])

    def test_start_takes_little(self):
        outcome = subprocess.run(["/usr/bin/env", "python3", "-c", "import resource, subprocess, sys;"
                                  "code = subprocess.run(sys.argv[1:]).returncode;"
                                  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)",
                                  BINARY, "sql", "-e", "SELECT 1"], capture_output=True, timeout=60, check=True)
        self.assertLess(int(outcome.stdout.split()[-1]), self.memory_limit_kb)

    # 50 MB is the promise; a sanitizer needs far more.
    memory_limit_kb = 50_000 if "release" in BINARY else 2_000_000


class TerminalTest(CommandTest):
    def terminal(self, statements, **options):
        terminal = Terminal([BINARY, "sql", "-e", statements], cwd=self.folder, **options)
        self.addCleanup(self.end, terminal.process)
        return terminal

    def test_tableau_is_the_default(self):
        terminal = self.terminal("SELECT 1 AS a")
        self.assertEqual(terminal.close(), 0)
        self.assertIn("| +I |           1 |\n", terminal.text)
        self.assertIn("Received a total of 1 row\n", terminal.text)

    def test_an_unbounded_select_is_a_live_table(self):
        script = table("e", "a BIGINT", connector="datagen", rows_per_second=500, fields__a__min=5, fields__a__max=5)
        terminal = self.terminal(script + "SELECT a FROM e", rows=12)
        self.assertTrue(terminal.read_until(r"[1-9][\d,]* rows in \| "), terminal.text)
        self.assertTrue(terminal.read_until(r"\| \+I \| +5 \|"), terminal.text)
        terminal.interrupt()
        self.assertEqual(terminal.close(), 130)
        self.assertRegex(terminal.text, r"Received a total of [\d,]+ rows\n")
        self.assertIn("was cancelled after", terminal.text)

    def test_printed_rows_stand_under_the_progress_line(self):
        script = table("e", "a BIGINT", connector="datagen", rows_per_second=500, fields__a__min=5, fields__a__max=5)
        script += table("p", "a BIGINT", connector="print")
        terminal = self.terminal(script + "INSERT INTO p SELECT a FROM e")
        self.assertTrue(terminal.read_until(r"rows in \| [^\n]*\n\.\.\. [\d,]+ rows before[^\n]*\n\+I\[5\]"),
                        terminal.text)
        terminal.interrupt()
        self.assertEqual(terminal.close(), 130)

    def test_a_second_interrupt_ends_it_at_once(self):
        terminal = self.terminal(table("e", "a BIGINT", connector="datagen") + "SELECT a FROM e")
        self.assertTrue(terminal.read_until("rows in"), terminal.text)
        terminal.interrupt()
        terminal.interrupt()
        self.assertEqual(terminal.close(), 130)


if __name__ == "__main__":
    unittest.main()
