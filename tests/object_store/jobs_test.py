#!/usr/bin/env python3
"""The real program on a real S3 server: checkpoints, savepoints, sources and sinks on s3://, killed, cut off from the
server, with bytes flipped in objects, and with everything wrong that settings can be.

Environment: CLEPSYDRA, the program.
"""

import gzip
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "recovery"))
import kill_test  # noqa: E402
from s3_server import ACCESS_KEY, SECRET_KEY, S3Server  # noqa: E402

BINARY = os.path.abspath(os.environ.get("CLEPSYDRA", "build/release/bin/clepsydra"))
TIMEOUT_S = 120


def wait_for(what, condition):
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {TIMEOUT_S} s: {what}")
        time.sleep(0.005)


class ObjectStoreTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = S3Server()
        cls.server.start()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="clepsydra_objects_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # Below a name of its own: tests share the bucket.
        self.root = self.id().rsplit(".", 1)[1]
        self.uri = f"s3://test/{self.root}"
        self.objects = self.server.data / "test" / self.root

    def arguments(self, script, *options, settings=None):
        return [BINARY, "sql", "-e", script, "-D", f"clepsydra.state-directory={self.folder / 'state'}",
                *(self.server.settings if settings is None else settings), *options]

    def run_sql(self, script, *options, settings=None, environment=None):
        outcome = subprocess.run(self.arguments(script, *options, settings=settings), stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                                 env=environment)
        for secret in (SECRET_KEY, "wrong-secret-4712"):
            self.assertNotIn(secret, outcome.stdout + outcome.stderr)
        return outcome

    def works(self, script, *options, **more):
        outcome = self.run_sql(script, *options, **more)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        return outcome

    def fails(self, script, *words, **more):
        outcome = self.run_sql(script, **more)
        self.assertEqual(outcome.returncode, 1, outcome.stdout + outcome.stderr)
        for word in words:
            self.assertIn(word, outcome.stderr)
        return outcome

    def command(self, *words):
        environment = dict(os.environ, AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY,
                           AWS_ENDPOINT_URL_S3=self.server.endpoint)
        outcome = subprocess.run([BINARY, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=TIMEOUT_S, check=False, env=environment)
        self.assertNotIn(SECRET_KEY, outcome.stdout + outcome.stderr)
        return outcome

    def visible_lines(self, folder):
        lines = []
        for path in sorted((self.objects / folder).rglob("*.csv")):
            lines += path.read_text().splitlines()
        return lines

    def uploads(self):
        """Parts that wait for their upload's completion: the server keeps them as files with such names."""
        return [path for path in self.objects.parent.rglob("*") if f"-{self.root}" in path.name]

    def table(self, name="t", folder="out", extra=""):
        return (f"CREATE TABLE {name} (id BIGINT, s STRING) WITH ('connector' = 'filesystem', "
                f"'path' = '{self.uri}/{folder}', 'format' = 'csv'{extra});\n")

    def window_job(self, **changes):
        """The job of kill_test, its rows and the lines that it must write."""
        seed = changes.pop("seed")
        rows = kill_test.make_rows(seed)
        source = self.folder / "rows.csv"
        source.write_text("".join(f"{k},{v},{kill_test.timestamp(at)}\n" for k, v, at in rows))
        values = dict(input=source, output=f"{self.uri}/out", checkpoints=f"{self.uri}/checkpoints",
                      window=kill_test.WINDOW_MS // 1000, delay=kill_test.DELAY_MS // 1000,
                      rate=kill_test.ROWS_PER_RUN // 2)
        values.update(changes)
        # Every checkpoint is several requests to a server that is not fast.
        script = kill_test.SCRIPT.format(**values).replace("'20 ms'", "'100 ms'")
        return script, kill_test.expected_lines(rows)

    # ---- Tables ----

    def test_tables_are_written_and_read(self):
        self.works(self.table() + "INSERT INTO t VALUES (1, 'a'), (2, 'b');")
        outcome = self.works(self.table() + "SELECT * FROM t;")
        self.assertEqual(sorted(outcome.stdout.splitlines()[1:]), ["1\ta", "2\tb"])
        self.works(self.table() + "INSERT INTO t VALUES (3, 'c');")
        self.assertEqual(sorted(self.visible_lines("out")), ["1,a", "2,b", "3,c"])
        self.assertEqual(self.uploads(), [])

    def test_large_and_compressed_files_are_read(self):
        rows = [f"{i},row-{i}-{'x' * (i % 90)}\n" for i in range(400_000)]
        self.server.put(f"test/{self.root}/in/large.csv", "".join(rows[:300_000]).encode())
        self.server.put(f"test/{self.root}/in/more.csv.gz", gzip.compress("".join(rows[300_000:]).encode()))
        # More than a part, so that it goes up in several.
        script = (self.table(folder="in") + self.table("copies") + "INSERT INTO copies SELECT * FROM t;")
        self.works(script, "-D", "parallelism.default=2", "-D", "s3.upload.min.part.size=5 mb")
        copies = [line + "\n" for line in self.visible_lines("out")]
        self.assertEqual(len(copies), len(rows))
        self.assertTrue(sorted(copies) == sorted(rows))
        self.assertEqual(self.uploads(), [])

    def test_partitions_with_success_files(self):
        table = (f"CREATE TABLE p (id BIGINT, d STRING) PARTITIONED BY (d) WITH ('connector' = 'filesystem', "
                 f"'path' = '{self.uri}/out', 'format' = 'csv', "
                 "'sink.partition-commit.policy.kind' = 'success-file');\n")
        self.works(table + "INSERT INTO p VALUES (1, 'a b'), (2, 'c'), (3, 'c');")
        self.assertEqual(sorted(self.visible_lines("out/d=c")), ["2", "3"])
        self.assertEqual({path.parent.name for path in self.objects.rglob("_SUCCESS")}, {"d=a b", "d=c"})
        self.assertEqual(list(self.objects.rglob(".pending*")), [])

    # ---- Checkpoints ----

    def test_killed_jobs_go_on_from_their_newest_checkpoint(self):
        rng = random.Random(4711)
        script, expected = self.window_job(seed=rng.randrange(1000), rate=kill_test.ROWS_PER_RUN // 4)
        kills = restores = 0
        while True:
            arguments = self.arguments(script)
            found = kill_test.newest_checkpoint(self.objects / "checkpoints")
            if found is not None:
                arguments += ["-D", "execution.state-recovery.path="
                                    f"{self.uri}/checkpoints/{found.parent.name}/{found.name}"]
                restores += 1
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            if kills < 5:
                # A life has at least one checkpoint of its own, however slow the machine is.
                wait_for("a checkpoint or the end", lambda: process.poll() is not None or kill_test.newest_checkpoint(
                    self.objects / "checkpoints") not in (None, found))
                time.sleep(rng.uniform(0, 0.3))
            if kills == 5 or process.poll() is not None:
                _, errors = process.communicate(timeout=TIMEOUT_S)
                self.assertEqual(process.returncode, 0, errors)
                break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            kill_test.check(self.visible_lines("out"), expected, whole=False)
        kill_test.check(self.visible_lines("out"), expected, whole=True)
        self.assertGreaterEqual(kills, 2)
        self.assertGreaterEqual(restores, 2)
        self.assertEqual(self.uploads(), [])

    def stopped_job(self, script):
        """Runs until there are two checkpoints, then ends it without a word; the folder of its checkpoints."""
        process = subprocess.Popen(self.arguments(script), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        folder = self.objects / "checkpoints"
        wait_for("two checkpoints", lambda: len(list(folder.glob("*/chk-*/_metadata"))) >= 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return next(folder.glob("*"))

    def test_a_flipped_bit_in_an_object_is_found(self):
        script, expected = self.window_job(seed=1)
        job = self.stopped_job(script)
        newest = kill_test.newest_checkpoint(self.objects / "checkpoints") / "_metadata"
        metadata = bytearray(newest.read_bytes())
        metadata[len(metadata) // 2] ^= 4
        newest.write_bytes(metadata)
        uri = f"{self.uri}/checkpoints/{job.name}"
        outcome = self.works(script, "-D", f"execution.state-recovery.path={uri}")
        self.assertIn("passed over a checkpoint", outcome.stderr)
        # What the broken one had made visible is made again, and that is said.
        self.assertIn("is made again", outcome.stderr)
        self.assertEqual(set(self.visible_lines("out")), expected)
        # Alone it is refused.
        self.fails(f"SET 'execution.state-recovery.path' = '{uri}/{newest.parent.name}';" + script, "checksum")

    def test_checkpoints_are_listed_and_inspected(self):
        script, _ = self.window_job(seed=2)
        job = self.stopped_job(script)
        listed = self.command("checkpoint", "list", f"{self.uri}/checkpoints/{job.name}")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("chk-", listed.stdout)
        newest = kill_test.newest_checkpoint(self.objects / "checkpoints")
        shown = self.command("checkpoint", "inspect", f"{self.uri}/checkpoints/{job.name}/{newest.name}")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("window", shown.stdout.lower())
        nothing = self.command("checkpoint", "list", f"{self.uri}/nothing")
        self.assertEqual(nothing.returncode, 1)
        self.assertIn("there is no checkpoint in", nothing.stderr)

    def test_a_finished_job_leaves_nothing_but_its_results(self):
        script, expected = self.window_job(seed=3)
        script = script.replace("RETAIN_ON_CANCELLATION", "DELETE_ON_CANCELLATION")
        self.works(script)
        kill_test.check(self.visible_lines("out"), expected, whole=True)
        left = [str(path) for path in (self.objects / "checkpoints").rglob("*") if path.is_file()]
        self.assertEqual(left, [])
        self.assertEqual(self.uploads(), [])

    def test_a_savepoint_on_s3_and_going_on_from_it(self):
        script, expected = self.window_job(seed=4)
        process = subprocess.Popen(self.arguments(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        state = f"clepsydra.state-directory={self.folder / 'state'}"
        job = []

        def is_running():
            listed = self.command("list", "-D", state)
            job[:] = [word for word in listed.stdout.split() if len(word) == 32 and word.isalnum()]
            return bool(job) and bool(list((self.objects / "checkpoints").glob("*/chk-*/_metadata")))

        wait_for("a running job with a checkpoint", is_running)
        stopped = self.command("stop", job[0], "-p", f"{self.uri}/savepoints", "-D", state)
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        process.communicate(timeout=TIMEOUT_S)
        path = stopped.stdout.split("Path: ")[1].strip()
        self.assertTrue(path.startswith(f"{self.uri}/savepoints/savepoint-"), path)
        shown = self.command("savepoint", "inspect", path)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.works(script, "-D", f"execution.state-recovery.path={path}")
        kill_test.check(self.visible_lines("out"), expected, whole=True)

    def test_the_commands_of_the_guide(self):
        page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "guide" / "object-stores.md").read_text()
        blocks = re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        self.assertGreaterEqual(len(blocks), 4)
        script = "\n".join(["set -e", *blocks])
        for there, here in (("my-access-key", ACCESS_KEY), ("my-secret-key", SECRET_KEY),
                            ("http://localhost:9000", self.server.endpoint)):
            self.assertIn(there, script)
            script = script.replace(there, here)
        environment = dict(os.environ, PATH=f"{os.path.dirname(BINARY)}:{os.environ['PATH']}",
                           XDG_STATE_HOME=str(self.folder))
        outcome = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=TIMEOUT_S, check=False, env=environment)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertIn("bob\t/help", outcome.stdout)
        copies = (self.server.data / "test" / "guide" / "copies").glob("part-*.csv")
        self.assertEqual(sum(len(path.read_text().splitlines()) for path in copies), 3000)

    # ---- The server goes away ----

    def test_a_job_outlives_an_outage_of_the_server(self):
        with S3Server() as server:
            # Long enough for a server that starts slowly.
            script, expected = self.window_job(seed=5, output=self.folder / "out", rate=6000)
            script = "SET 'execution.checkpointing.tolerable-failed-checkpoints' = '1000';\n" + script
            checkpoints = server.data / "test" / self.root / "checkpoints"
            process = subprocess.Popen(
                self.arguments(script, "-D", "s3.retry.max-num-retries=0", settings=server.settings),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

            def newest():
                found = kill_test.newest_checkpoint(checkpoints)
                return 0 if found is None else int(found.name[4:])

            wait_for("a checkpoint", newest)
            server.stop()
            before = newest()
            time.sleep(0.5)  # The outage itself.
            server.start()
            wait_for("a checkpoint after the outage", lambda: newest() > before + 1 or process.poll() is not None)
            self.assertIsNone(process.poll(), "the job ended before it could go on")
            _, errors = process.communicate(timeout=TIMEOUT_S)
            self.assertEqual(process.returncode, 0, errors)
            kill_test.check(kill_test.visible_lines(self.folder / "out"), expected, whole=True)

    def test_a_short_outage_is_bridged_by_retries(self):
        with S3Server() as server:
            script, expected = self.window_job(seed=6)
            process = subprocess.Popen(
                self.arguments(script, "-D", "s3.retry.max-num-retries=30", settings=server.settings),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            objects = server.data / "test" / self.root
            wait_for("a checkpoint", lambda: kill_test.newest_checkpoint(objects / "checkpoints"))
            server.stop()
            server.start()
            _, errors = process.communicate(timeout=TIMEOUT_S)
            self.assertEqual(process.returncode, 0, errors)
            self.objects = objects
            kill_test.check(self.visible_lines("out"), expected, whole=True)

    # ---- Wrong settings ----

    def test_wrong_credentials(self):
        for key, secret in ((ACCESS_KEY, "wrong-secret-4712"), ("nobody", "wrong-secret-4712")):
            settings = ["-D", f"s3.endpoint={self.server.endpoint}", "-D", f"s3.access-key={key}",
                        "-D", f"s3.secret-key={secret}"]
            self.fails(self.table() + "SELECT * FROM t;", "403", "s3.secret-key", "s3://test", settings=settings)
            self.fails(self.table() + "INSERT INTO t VALUES (1, 'a');", "403", "s3.secret-key", settings=settings)

    def test_no_credentials(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.server.put(f"test/{self.root}/out/a.csv", b"1,a\n")
        self.fails(self.table() + "SELECT * FROM t;", "403", "AWS_ACCESS_KEY_ID", environment=environment,
                   settings=["-D", f"s3.endpoint={self.server.endpoint}"])

    def test_credentials_of_the_environment(self):
        environment = dict(os.environ, AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY,
                           AWS_ENDPOINT_URL_S3=self.server.endpoint)
        self.works(self.table() + "INSERT INTO t VALUES (1, 'a');", settings=[], environment=environment)
        self.assertEqual(self.visible_lines("out"), ["1,a"])

    def test_a_missing_bucket(self):
        table = self.table().replace("s3://test", "s3://nowhere-at-all")
        self.fails(table + "SELECT * FROM t;", "NoSuchBucket", "create the bucket")
        self.fails(table + "INSERT INTO t VALUES (1, 'a');", "NoSuchBucket", "create the bucket")
        self.fails("SET 'execution.checkpointing.interval' = '100 ms';\n"
                   "SET 'execution.checkpointing.dir' = 's3://nowhere-at-all/c';\n"
                   + self.table() + "INSERT INTO t VALUES (1, 'a');",
                   "execution.checkpointing.dir", "NoSuchBucket")

    def test_an_endpoint_that_refuses(self):
        self.fails(self.table() + "SELECT * FROM t;", "127.0.0.1:1 after 3 attempts",
                   settings=["-D", "s3.endpoint=http://127.0.0.1:1", "-D", "s3.retry.max-num-retries=2"])

    def test_wrong_values(self):
        for option, word in (("s3.endpoint=ftp://x", "http://localhost:9000"), ("s3.access-key=alone", "both"),
                             ("s3.retry.max-num-retries=-1", "0 to 100"),
                             ("s3.upload.min.part.size=1 kb", "5 mb")):
            self.fails(self.table() + "SELECT * FROM t;", option.split("=")[0], word, settings=["-D", option],
                       environment={"PATH": os.environ["PATH"]})
        self.fails("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'format' = 'csv', "
                   "'path' = 's3:///x'); SELECT * FROM t;", "bucket")
        self.fails("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'format' = 'csv', "
                   "'path' = 'gs://bucket/x'); SELECT * FROM t;", "'gs'", "s3://")

    def test_settings_of_s3_are_of_the_process(self):
        self.fails("SET 's3.endpoint' = 'http://localhost:1'; SELECT 1;", "s3.endpoint", "-D")

    def test_nothing_is_loaded_without_s3(self):
        environment = dict(os.environ, LD_DEBUG="files")
        self.assertNotIn("libcurl", self.works("SELECT 1;", environment=environment).stderr)
        self.assertIn("libcurl", self.run_sql(self.table() + "SELECT * FROM t;", environment=environment).stderr)


if __name__ == "__main__":
    unittest.main()
