"""What the tests of the command share: running the real program on scripts in a folder of their own."""

import os
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

BINARY = os.path.abspath(os.environ.get("CLEPSYDRA", "build/release/bin/clepsydra"))
TIMEOUT_S = int(os.environ.get("CLEPSYDRA_TEST_TIMEOUT_S", "60"))


class Outcome:
    def __init__(self, code, out, err):
        self.code = code
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")

    @property
    def lines(self):
        return self.out.splitlines()

    def __repr__(self):
        return f"exit code {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class CommandTest(unittest.TestCase):
    """Each test has an empty folder, `self.path("name")` inside of it."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="clepsydra_cli_")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    def command(self, *words, stdin=b"", **options):
        """Runs `clepsydra WORDS` to its end; its standard input is never a terminal."""
        process = subprocess.run([BINARY, *words], input=stdin, capture_output=True, timeout=TIMEOUT_S,
                                 check=False, cwd=self.folder, **options)
        return Outcome(process.returncode, process.stdout, process.stderr)

    def sql(self, statements, *options, **more):
        return self.command("sql", *options, "-e", statements, **more)

    def works(self, statements, *options, **more):
        outcome = self.sql(statements, *options, **more)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome

    def fails(self, statements, *patterns, options=()):
        """Exit code 1 and an error that has all patterns; the whole outcome for more."""
        outcome = self.sql(statements, *options)
        self.assertEqual(outcome.code, 1, outcome)
        error = outcome.err[outcome.err.rfind("error: "):]
        for pattern in patterns:
            self.assertRegex(error, pattern, outcome)
        return outcome

    def start(self, statements, *options, **more):
        """A process that runs; killed at the end of the test if it still does."""
        process = subprocess.Popen([BINARY, "sql", *options, "-e", statements], stdin=subprocess.DEVNULL,
                                   cwd=self.folder, **more)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def result_rows(self, name):
        """The lines of all visible files that a filesystem table wrote, sorted."""
        lines = []
        for file in sorted(os.listdir(self.path(name))):
            if not file.startswith((".", "_")):
                with open(self.path(name, file), encoding="utf-8") as text:
                    lines += text.read().splitlines()
        return sorted(lines)


def csv_table(name, columns, path, **options):
    return table(name, columns, connector="filesystem", path=path, format="csv", **options)


def table(name, columns, **options):
    """CREATE TABLE; '__' in the name of an option stands for '.', '_' for '-'."""
    pairs = ", ".join(f"'{key.replace('__', '.').replace('_', '-')}' = '{value}'"
                      for key, value in options.items())
    return f"CREATE TABLE {name} ({columns}) WITH ({pairs});\n"


class Terminal:
    """A program in a terminal of its own (stdin, stdout and stderr)."""

    def __init__(self, words, columns=100, rows=30, stdin_is_terminal=True, cwd=None, env=None):
        import fcntl
        import pty
        import termios

        self.main, side = pty.openpty()
        self.modes_before = self.modes()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(words, stdin=side if stdin_is_terminal else subprocess.DEVNULL,
                                        stdout=side, stderr=side, cwd=cwd, start_new_session=True,
                                        env=env or {**os.environ, "TERM": "xterm"}, preexec_fn=self.take_terminal)
        os.close(side)
        self.text = ""

    @staticmethod
    def take_terminal():
        """In the program: its terminal sends it signals."""
        import fcntl
        import termios

        for descriptor in (0, 1):  # Standard input may be something else.
            if os.isatty(descriptor):
                fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)
                return

    def modes(self):
        import termios

        return termios.tcgetattr(self.main)[:4]

    def type(self, text):
        data = text.encode("utf-8")
        while data:
            data = data[os.write(self.main, data):]

    def read_until(self, pattern, timeout_s=TIMEOUT_S, begin=0):
        """Reads until the pattern has come (behind `begin`) or the program has ended; the match, if it came."""
        pattern = re.compile(pattern)
        while not pattern.search(self.text, begin):
            ready, _, _ = select.select([self.main], [], [], timeout_s)
            if not ready:
                return None
            try:
                data = os.read(self.main, 1 << 16)
            except OSError:  # EIO: the other side is closed.
                data = b""
            if not data:
                return pattern.search(self.text, begin)
            self.text += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return pattern.search(self.text, begin)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def close(self):
        self.read_until(r"(?!)")
        code = self.process.wait(TIMEOUT_S)
        os.close(self.main)
        return code
