#!/usr/bin/env python3
"""The interactive shell, through the program itself in a pseudo-terminal."""

import os
import re
import unittest

from command import BINARY, CommandTest, Terminal, table

PROMPT = "clepsydra> "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
DOWN, PAGE_DOWN = "\x1b[B", "\x1b[6~"
CTRL_C, CTRL_D, CTRL_R, CTRL_X, CTRL_E = "\x03", "\x04", "\x12", "\x18", "\x05"
RUNNING = table("e", "a BIGINT", connector="datagen", rows_per_second=500, fields__a__min=5, fields__a__max=5)
HOLE = table("hole", "a BIGINT", connector="blackhole")
NUMBERS = table("n", "a BIGINT", connector="datagen", number_of_rows=100, fields__a__kind="sequence",
                fields__a__start=1, fields__a__end=100)


class ConsoleTest(CommandTest):
    def console(self, *options, term="xterm", columns=100, rows=30, **variables):
        """A shell that has printed its first prompt."""
        environment = {**os.environ, "TERM": term, "HOME": self.folder, **variables}
        for name in ("VISUAL", "NO_COLOR"):
            environment.pop(name, None)
        console = Terminal([BINARY, "sql", *options], columns=columns, rows=rows, cwd=self.folder, env=environment)
        self.addCleanup(self.end, console.process)
        self.expect(console, re.escape(PROMPT))
        return console

    def expect(self, console, pattern):
        """Waits for the pattern behind what the last call found; what was written up to it, without colours."""
        begin = getattr(console, "seen", 0)
        found = console.read_until(pattern, begin=begin)
        self.assertTrue(found, f"no {pattern!r} in\n{console.text[begin:]}")
        console.seen = found.end()
        return ESCAPES.sub("", console.text[begin:console.seen])

    def run_statement(self, console, statement, pattern):
        """Types it and waits for the pattern and the next prompt."""
        console.type(statement + "\r")
        return self.expect(console, f"(?s){pattern}.*{re.escape(PROMPT)}(\x1b\\[K)?(\x1b\\[J)?\r\x1b\\[11C")

    def leave(self, console, code=0):
        console.type(CTRL_D)
        self.assertEqual(console.close(), code, console.text)


class TypingTest(ConsoleTest):
    def test_a_query_and_its_result(self):
        console = self.console()
        shown = self.run_statement(console, "SELECT 1 AS a, 'Ann' AS name;", "Received a total of 1 row in")
        self.assertIn("+---+------+\n| a | name |\n+---+------+\n| 1 |  Ann |\n+---+------+\n", shown)
        self.leave(console)

    def test_statements_of_several_lines_have_a_prompt_for_each(self):
        console = self.console()
        console.type("SELECT 1 AS a,\r")
        self.expect(console, r" {8}-> ")
        self.run_statement(console, "2 AS b;", r"\| a \| b \|")
        self.run_statement(console, "SET 'sql-client.display.show-line-numbers' = 'true';", "Set '")
        console.type("SELECT 1\r")
        self.expect(console, r" {8}2> ")
        console.type(CTRL_C)
        self.leave(console)

    def test_what_is_typed_has_colors_unless_somebody_minds(self):
        console = self.console()
        console.type("SELECT 'a'")
        self.expect(console, r"\x1b\[1;34mSELECT\x1b\[0m \x1b\[32m'a'")
        console.type(CTRL_C)
        self.run_statement(console, "SET 'sql-client.display.color-schema' = 'obsidian';", "Set '")
        console.type("SELECT")
        self.expect(console, r"\x1b\[1;38;5;107mSELECT")
        console.type(CTRL_C)
        self.leave(console)

    def test_an_error_is_under_its_place_and_nothing_ends(self):
        console = self.console()
        shown = self.run_statement(console, "SELECT b FROM (VALUES (1)) AS t(a);", "error: line 1, column 8: ")
        self.assertIn("  SELECT b FROM (VALUES (1)) AS t(a);\n         ^\n", shown)
        self.run_statement(console, "SELECT 2 AS c;", r"\| c \|")
        self.leave(console)

    def test_tab_completes_from_the_catalog(self):
        console = self.console()
        self.run_statement(console, "CREATE TABLE orders (order_id INT, price INT) WITH ('connector' = 'datagen', "
                           "'number-of-rows' = '1', 'fields.price.kind' = 'sequence', 'fields.price.start' = '7', "
                           "'fields.price.end' = '7');", "created")
        console.type("SELECT pric FROM ord\t")
        self.expect(console, "orders")
        console.type("\x01" + "\x1b[1;5C" * 2 + "\t")  # To the beginning, two words on.
        self.run_statement(console, "\x05;", r"\|\s+price \|.*\|\s+7 \|")
        self.leave(console)

    def test_tab_lists_what_there_is(self):
        console = self.console()
        console.type("CREATE TABLE t (a INT) WITH ('connector' = '\t")
        shown = self.expect(console, r"print")
        self.assertRegex(shown, r"blackhole +datagen")
        console.type("prin\t")
        self.expect(console, r"'print'")
        console.type(CTRL_C)
        self.leave(console)

    def test_a_paste_of_several_statements_runs_when_somebody_says_so(self):
        console = self.console()
        console.type("\x1b[200~SELECT 11 AS a;\nSELECT 22 AS b;\n\x1b[201~")
        self.expect(console, "22")
        self.assertNotIn("| 11 |", console.text)
        self.run_statement(console, "", r"\| 11 \|.*\| 22 \|")
        self.leave(console)

    def test_history_is_kept_from_one_session_to_the_next(self):
        console = self.console()
        self.run_statement(console, "SELECT 41 AS a;", r"\| 41 \|")
        self.run_statement(console, "SHOW TABLES;", "table name")
        self.leave(console)
        with open(self.path(".clepsydra-sql-history"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "SELECT 41 AS a;\nSHOW TABLES;\n")
        console = self.console()
        console.type(CTRL_R + "41")
        self.expect(console, r"\(search '41'\)")
        self.run_statement(console, "", r"\| 41 \|")
        self.leave(console)

    def test_history_is_kept_where_the_command_line_says(self):
        console = self.console("--history", self.path("typed"))
        self.run_statement(console, "SELECT 42 AS a;", r"\| 42 \|")
        self.leave(console)
        with open(self.path("typed"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "SELECT 42 AS a;\n")
        console = self.console("--history=")
        self.run_statement(console, "SELECT 43 AS a;", r"\| 43 \|")
        self.leave(console)
        self.assertFalse(os.path.exists(self.path(".clepsydra-sql-history")))

    def test_ctrl_c_drops_the_line_and_ctrl_d_leaves(self):
        console = self.console()
        console.type("SELEC" + CTRL_C)
        self.run_statement(console, "SELECT 3 AS a;", r"\| 3 \|")
        self.leave(console)
        self.assertNotIn("error", console.text)

    def test_editor(self):
        editor = self.write("editor", "#!/bin/sh\nsed -i s/TABELS/TABLES/ \"$2\"\ntest \"$1\" = --wait\n")
        os.chmod(editor, 0o755)
        console = self.console(EDITOR=f"{editor} --wait")
        console.type("SHOW TABELS;" + CTRL_X + CTRL_E)
        self.expect(console, "TABLES")
        self.run_statement(console, "", "table name")
        self.leave(console)

    def test_output_to_a_file(self):
        console = self.console()
        self.run_statement(console, "\\o out.csv", "")
        self.run_statement(console, "SELECT 1 AS a, 'x,y' AS b;", "finished|total|")
        self.run_statement(console, "\\o", "")
        self.run_statement(console, "SELECT 2 AS c;", r"\| 2 \|")
        self.leave(console)
        with open(self.path("out.csv"), encoding="utf-8") as file:
            self.assertEqual(file.read(), 'a,b\n1,"x,y"\n')

    def test_the_terminal_is_as_it_was_afterwards(self):
        import termios
        console = self.console()
        self.assertFalse(termios.tcgetattr(console.main)[3] & termios.ICANON)
        console.type("quit\r")
        console.read_until(r"(?!)")
        self.assertEqual(console.process.wait(60), 0)
        self.assertEqual(console.modes_before, console.modes())

    def test_an_init_script_runs_first(self):
        init = self.write("init.sql", "CREATE VIEW v AS SELECT 7 AS seven;")
        console = self.console("-i", init)
        self.run_statement(console, "SELECT * FROM v;", r"\| seven \|")
        self.leave(console)


class ResultTest(ConsoleTest):
    def test_a_long_result_is_paged(self):
        console = self.console(rows=12)
        self.run_statement(console, NUMBERS.strip(), "created")
        console.type("SELECT a FROM n;\r")
        self.expect(console, r"rows 1-6 of 100")
        console.type(PAGE_DOWN)
        self.expect(console, r"rows 7-12 of 100")
        console.type("/99\r")
        self.expect(console, r"rows 1-1 of 1 with '99'")
        console.type("/\rsr")
        self.expect(console, r"by a descending")
        self.run_statement(console, "q", "Received a total of 100 rows in ")
        self.leave(console)

    def test_an_endless_result_is_a_live_table(self):
        console = self.console(rows=14)
        self.run_statement(console, RUNNING.strip(), "created")
        console.type("SELECT a FROM e;\r")
        self.expect(console, r"\|\s+5 \|")
        console.type("s")
        self.expect(console, r"by a ")
        shown = self.run_statement(console, "q", "Received a total of")
        self.assertNotIn("error", shown)
        self.leave(console)

    def test_ctrl_c_cancels_the_query_alone(self):
        console = self.console(rows=14)
        self.run_statement(console, RUNNING.strip(), "created")
        self.run_statement(console, HOLE.strip(), "created")
        self.run_statement(console, "INSERT INTO hole SELECT a FROM e;", "has started")
        console.type("SELECT a FROM e;\r")
        self.expect(console, r"\|\s+5 \|")
        console.type(CTRL_C)
        self.expect(console, "Interrupted")
        shown = self.run_statement(console, "jobs", r"RUNNING")
        self.assertEqual(shown.count("RUNNING"), 1)
        self.run_statement(console, "cancel 1", "was cancelled after")
        self.run_statement(console, "jobs", "No job is running")
        self.leave(console)

    def test_changelog_and_tableau(self):
        console = self.console()
        self.run_statement(console, "SET 'sql-client.execution.result-mode' = 'tableau';", "Set '")
        self.run_statement(console, "SELECT 1 AS a;", r"\| \+I \| +1 \|\n")
        self.run_statement(console, "SET 'sql-client.execution.result-mode' = 'changelog';", "Set '")
        self.run_statement(console, "SELECT 1 AS a;", r"\| op \| a \|\n\+----\+---\+\n\| \+I \| 1 \|")
        shown = self.run_statement(console, "SET 'sql-client.execution.result-mode' = 'film';", "error: ")
        self.assertIn("CHANGELOG", shown)
        self.leave(console)

    def test_leaving_with_a_job_asks_once(self):
        console = self.console()
        self.run_statement(console, RUNNING.strip(), "created")
        self.run_statement(console, HOLE.strip(), "created")
        self.run_statement(console, "INSERT INTO hole SELECT a FROM e;", "has started")
        console.type(CTRL_D)
        self.expect(console, "1 job is running")
        self.leave(console)
        self.assertIn("was cancelled after", console.text)

    def test_printed_rows_stand_above_the_prompt(self):
        console = self.console()
        self.run_statement(console, NUMBERS.replace("100", "3").strip(), "created")
        self.run_statement(console, table("p", "a BIGINT", connector="print").strip(), "created")
        console.type("INSERT INTO p SELECT a FROM n;\r")
        self.expect(console, r"\+I\[3\]")
        self.run_statement(console, "SELECT 8 AS a;", r"\| 8 \|")
        self.leave(console)


class DumbTerminalTest(ConsoleTest):
    def test_everything_works_without_escape_sequences(self):
        console = self.console(term="dumb")
        console.type("SELECT 1 AS a,\n")
        self.expect(console, r"-> ")
        console.type("2 AS b;\n")
        self.expect(console, r"Received a total of 1 row in [^\n]*\n" + PROMPT)
        console.type("SELECT nonsense" + CTRL_C)
        self.expect(console, r"\n" + PROMPT)
        console.type("SELECT 1 FROM nowhere;\n")
        self.expect(console, r"error: line 1, column 15: [^\n]*\n.*\n +\^+\n(.*\n)*" + PROMPT)
        console.type(RUNNING.strip() + "\n")
        self.expect(console, "created[^\n]*\n" + PROMPT)
        console.type("SELECT a FROM e;\n")
        self.expect(console, r"\| \+I \|\s+5 \|")
        console.type(CTRL_C)
        self.expect(console, r"Interrupted\.\n" + PROMPT)
        console.type(CTRL_D)
        self.assertEqual(console.close(), 0)
        self.assertNotIn("\x1b", console.text)

    def test_a_terminal_that_goes_away_ends_it(self):
        console = self.console()
        os.close(console.main)
        self.assertIn(console.process.wait(60), (0, 1, 130, -1, 129))


if __name__ == "__main__":
    unittest.main()
