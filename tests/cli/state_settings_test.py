#!/usr/bin/env python3
"""Folders of state that cannot be used, and settings of state that make no sense: errors that name the setting, what it
is, what it may be, and never a job that runs without what was asked for."""

import pathlib
import re
import shutil
import subprocess
import unittest

from command import TIMEOUT_S
from stateful_job import QUERY, ROWS, StatefulJobTest

LOCAL = {"state__backend__type": "rocksdb", "state__backend__rocksdb__memory__fixed_per_slot": "4mb"}
# Where not even root can write.
UNWRITABLE = "/proc/sys/clepsydra"

# Key, what else must be set for it to be read, and values, each with what the error says of it beside the key.
DURATIONS = (("-1 s", "a duration such as"), ("often", "a duration such as"), ("99999999999999999999 d", "a duration"))
BOOLEANS = (("perhaps", "true or false"), ("1", "true or false"))
WHOLE = (("many", "a whole number"), ("1.5", "a whole number"), ("99999999999999999999", "a whole number"))
SIZES = (("-1 mb", "a memory size such as"), ("large", "a memory size such as"))
NUMBERS = (("nan", "a number such as"), ("inf", "a number such as"), ("much", "a number such as"))
FIXED = {"restart-strategy.type": "fixed-delay"}
RATE = {"restart-strategy.type": "failure-rate"}
GROWING = {"restart-strategy.type": "exponential-delay"}
ROCKS = {"state.backend.type": "rocksdb"}
APART = {**ROCKS, "state.backend.rocksdb.memory.managed": "false"}
WRONG = (
    ("execution.checkpointing.interval", {}, (*DURATIONS, ("0", "from 10 ms to 365 d"), ("9 ms", "from 10 ms"),
                                              ("400 d", "from 10 ms to 365 d"))),
    ("execution.checkpointing.timeout", {}, (*DURATIONS, ("0", "from 10 ms"), ("400 d", "to 365 d"))),
    ("execution.checkpointing.min-pause", {}, (*DURATIONS, ("400 d", "to 365 d"))),
    ("execution.checkpointing.aligned-checkpoint-timeout", {}, (*DURATIONS, ("400 d", "to 365 d"))),
    ("execution.checkpointing.max-concurrent-checkpoints", {}, (*WHOLE, ("0", "from 1 to 100"), ("-1", "from 1 to 100"),
                                                                ("101", "from 1 to 100"))),
    ("execution.checkpointing.tolerable-failed-checkpoints", {}, (*WHOLE, ("-1", "from 0"))),
    ("execution.checkpointing.num-retained", {}, (*WHOLE, ("0", "from 1 to 10000"), ("-1", "from 1"),
                                                  ("10001", "from 1 to 10000"))),
    ("execution.checkpointing.data-inline-threshold", {}, (*SIZES, ("2 mb", "to 1 mb"))),
    ("execution.checkpointing.incremental", {}, BOOLEANS),
    ("execution.checkpointing.unaligned.enabled", {}, BOOLEANS),
    ("execution.checkpointing.local-backup.enabled", {}, BOOLEANS),
    ("execution.checkpointing.local-backup.dirs", {}, (("", "path"), ("s3://bucket/a", "a folder of this machine"),
                                                       ("/a;/b", "name one"))),
    ("execution.state-recovery.from-local", {}, BOOLEANS),
    ("execution.checkpointing.checkpoints-after-tasks-finish", {}, BOOLEANS),
    ("execution.checkpointing.mode", {}, (("EXACTLY_TWICE", "EXACTLY_ONCE AT_LEAST_ONCE"), )),
    ("execution.checkpointing.externalized-checkpoint-retention", {}, (("KEEP", "RETAIN_ON_CANCELLATION"), )),
    ("execution.checkpointing.storage", {}, (("tape", "jobmanager filesystem"), ("jobmanager", "remove one of them"))),
    ("execution.checkpointing.dir", {}, (("", "path"), ("gopher://host/a", "gopher"), ("s3://", "bucket"))),
    ("execution.checkpointing.savepoint-dir", {}, (("", "path"), ("gopher://host/a", "gopher"))),
    ("execution.checkpointing.snapshot-compression", {}, (*BOOLEANS, ("true", "not built yet; remove it"))),
    ("execution.state-recovery.claim-mode", {}, (("LEGACY", "NO_CLAIM CLAIM"), )),
    ("execution.state-recovery.ignore-unclaimed-state", {}, BOOLEANS),
    ("clepsydra.state-recovery.renamed-fields", {}, (("a=b", "operator/state/old=new"), ("a/b/c=", "operator/state/old=new"),
                                                     ("a/b=c", "'a/b=c'"))),
    ("state.changelog.enabled", {}, (*BOOLEANS, ("true", "not built yet; remove it"))),
    ("state.backend.type", {}, (("rock", "hashmap, rocksdb"), ("", "hashmap, rocksdb"))),
    ("state.backend.rocksdb.localdir", ROCKS, (("", "path"), ("gopher://host/a", "gopher"), ("s3://bucket/a", "s3"))),
    ("state.backend.rocksdb.memory.managed", ROCKS, BOOLEANS),
    ("state.backend.rocksdb.memory.fixed-per-slot", ROCKS, (*SIZES, ("0", "4194304"), ("4095 kb", "4194304"),
                                                            ("9000 tb", "between"))),
    ("state.backend.rocksdb.memory.write-buffer-ratio", ROCKS, (*NUMBERS, ("0", "above 0 and below 1"), ("-0.5", "above 0"),
                                                                ("1", "below 1"))),
    ("state.backend.rocksdb.block.blocksize", APART, (*SIZES, ("1", "between 512"), ("1 gb", "between 512"))),
    ("state.backend.rocksdb.block.cache-size", APART, (*SIZES, ("9000 tb", "between 0"))),
    ("state.backend.rocksdb.writebuffer.size", APART, (*SIZES, ("1", "between 65536"), ("5 gb", "between 65536"))),
    ("state.backend.rocksdb.writebuffer.count", APART, (*WHOLE, ("0", "between 1 and 64"), ("-3", "between 1"),
                                                        ("65", "between 1 and 64"))),
    ("state.backend.rocksdb.use-bloom-filter", ROCKS, BOOLEANS),
    ("state.backend.rocksdb.bloom-filter.bits-per-key", ROCKS, (*NUMBERS, ("-1", "between 0 and 100"),
                                                                ("101", "between 0 and 100"))),
    ("state.backend.rocksdb.compaction.style", ROCKS, (("FIFO", "UNIVERSAL or LEVEL"), ("", "UNIVERSAL or LEVEL"))),
    ("state.backend.rocksdb.compression.per.level", ROCKS, (("STRONG", "SNAPPY_COMPRESSION, LZ4_COMPRESSION"), )),
    ("state.backend.rocksdb.predefined-options", ROCKS, (("FLASH_SSD_OPTIMIZED", "can only be DEFAULT"), )),
    ("state.backend.rocksdb.memory.fixed-per-tm", ROCKS, (*SIZES, ("1 gb", "cannot be set yet"))),
    ("restart-strategy.type", {}, (("sometimes", "none, fixed-delay, failure-rate or exponential-delay"), )),
    ("restart-strategy.fixed-delay.delay", FIXED, (*DURATIONS, ("400 d", "to 365 days"))),
    ("restart-strategy.fixed-delay.attempts", FIXED, (*WHOLE, ("-1", "from 0 to 2147483647"))),
    ("restart-strategy.failure-rate.max-failures-per-interval", RATE, (*WHOLE, ("0", "from 1"), ("-1", "from 1"))),
    ("restart-strategy.failure-rate.failure-rate-interval", RATE, (*DURATIONS, ("0", "from 1 ms"))),
    ("restart-strategy.failure-rate.delay", RATE, (*DURATIONS, ("400 d", "to 365 days"))),
    ("restart-strategy.exponential-delay.initial-backoff", GROWING, (*DURATIONS, ("0", "from 1 ms"), ("2 min", "at most"))),
    ("restart-strategy.exponential-delay.max-backoff", GROWING, (*DURATIONS, ("0", "from 1 ms"))),
    ("restart-strategy.exponential-delay.backoff-multiplier", GROWING, (*NUMBERS, ("0.5", "from 1"), ("-2", "from 1"))),
    ("restart-strategy.exponential-delay.jitter-factor", GROWING, (*NUMBERS, ("-0.1", "from 0 to 1"), ("2", "from 0 to 1"))),
    ("restart-strategy.exponential-delay.reset-backoff-threshold", GROWING, (*DURATIONS, ("0", "from 1 ms"))),
    ("restart-strategy.exponential-delay.attempts-before-reset-backoff", GROWING, (*WHOLE, ("0", "from 1"))),
    ("jobmanager.execution.failover-strategy", {}, (("maybe", "region"), )),
    ("parallelism.default", {}, (*WHOLE, ("0", "between 1 and 4096"), ("-1", "between 1"), ("4097", "between 1 and 4096"))),
    ("pipeline.max-parallelism", {}, (*WHOLE, ("0", "between 1 and 32768"), ("-2", "between 1"), ("40000", "and 32768"))),
    ("clepsydra.batch.rows-max", {}, (*WHOLE, ("0", "between 1 and 1048576"), ("-1", "between 1"), ("9999999", "between 1"))),
    ("clepsydra.batch.bytes-max", {}, (*SIZES, ("0", "between 1 and"), ("9000 tb", "between 1 and"))),
    ("clepsydra.channel.bytes-max", {}, (*SIZES, ("0", "between 1 and"), ("9000 tb", "between 1 and"))),
    # Mistyped, or of another version: a job without what was asked for.
    ("execution.checkpointing.intervall", {}, (("1 s", "Did you mean 'execution.checkpointing.interval'"), )),
    ("execution.state-recovery.paths", {}, (("/a", "Did you mean 'execution.state-recovery.path'"), )),
    ("state.backend.rocksdb.local-dir", {}, (("/a", "state.backend.rocksdb.localdir"), )),
    ("restart-strategy.fixed-delay.attempt", {}, (("1", "restart-strategy.fixed-delay.attempts"), )),
    ("clepsydra.batch.row-max", {}, (("1", "clepsydra.batch.rows-max"), )),
)

# Any text is one, and whether it is there is another matter.
PATHS = {"execution.state-recovery.path", "io.tmp.dirs"}


class SettingsTest(StatefulJobTest):
    def test_negative_and_absurd_values(self):
        for key, others, values in WRONG:
            for value, expected in values:
                with self.subTest(key=key, value=value):
                    shutil.rmtree(self.path("counts"), ignore_errors=True)
                    words = self.settings(restart_strategy__type=None, parallelism__default=None)
                    for name, text in {**others, key: value}.items():
                        words += ["-D", f"{name}={text}"]
                    outcome = self.sql(self.script(), *words)
                    # 2 where the command line is refused, 1 where the job is.
                    self.assertIn(outcome.code, (1, 2), outcome)
                    error = outcome.err[outcome.err.rfind("error: "):]
                    self.assertIn(key, error, outcome)
                    self.assertIn(expected, error, outcome)
                    self.assertEqual(self.shown(), [], outcome)

    def test_the_table_has_every_setting_of_state_that_the_program_reads(self):
        """Or a new one would be forgotten here."""
        source = pathlib.Path(__file__).resolve().parents[2] / "src"
        read = set()
        for path in [*source.glob("checkpoint/*.cc"), *source.glob("state/*.cc"), *source.glob("jobmanager/**/*.cc")]:
            read.update(re.findall(r'ConfigOption<[^>]+>\s+k\w+\{\s*"([^"]+)"', path.read_text()))
        self.assertIn("execution.checkpointing.interval", read)
        self.assertEqual(read - {key for key, _, _ in WRONG} - PATHS, set())

    def test_a_statement_is_held_to_the_same(self):
        for setting, expected in (("'execution.checkpointing.interval' = '-1 s'", "a duration such as"),
                                  ("'execution.checkpointing.intervall' = '1 s'", "Did you mean"),
                                  ("'state.changelog.enabled' = 'perhaps'", "true or false")):
            self.fails(f"SET {setting};", expected)

    def test_a_configuration_file_is_held_to_the_same(self):
        self.write("conf/config.yaml", "execution:\n  checkpointing:\n    intervall: 10 s\n")
        outcome = self.command("sql", "--config-dir", self.path("conf"), "-e", "SELECT 1")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn("Did you mean 'execution.checkpointing.interval'", outcome.err)


class FolderTest(StatefulJobTest):
    def test_checkpoints_where_nobody_can_write(self):
        self.refuses(r"execution\.checkpointing\.dir", UNWRITABLE, execution__checkpointing__dir=UNWRITABLE)
        self.write("file", "x")
        self.refuses(r"execution\.checkpointing\.dir", r"file", execution__checkpointing__dir=self.path("file"))

    def test_local_state_where_nobody_can_write(self):
        self.refuses(r"state\.backend\.rocksdb\.localdir", UNWRITABLE, state__backend__rocksdb__localdir=UNWRITABLE,
                     **LOCAL)

    def test_read_only_disks(self):
        for setting, expected in (("execution__checkpointing__dir", r"execution\.checkpointing\.dir"),
                                  ("state__backend__rocksdb__localdir", r"state\.backend\.rocksdb\.localdir")):
            disk = self.path("disk")
            outcome = self.on_small_disk(disk, "1m", self.script(), *self.settings(**{**LOCAL, setting: disk}),
                                         read_only=True)
            if outcome is None:
                self.skipTest("may not mount")
            self.assertEqual(outcome.code, 1, outcome)
            error = outcome.err[outcome.err.rfind("error: "):]
            for pattern in (expected, disk, "Read-only file system"):
                self.assertRegex(error, pattern)
            self.assertEqual(self.shown(), [], outcome)

    def test_a_disk_that_gets_full_fails_the_job_and_says_where(self):
        disk = self.path("disk")
        outcome = self.on_small_disk(disk, "100k", self.script(scan__rows_per_second=ROWS * 2),
                                     *self.settings(execution__checkpointing__dir=disk))
        if outcome is None:
            self.skipTest("may not mount")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertRegex(outcome.err, rf"error: .*cannot write '{disk}/[0-9a-f]+/(shared|chk-\d+)/.*No space left on device")
        self.assertRegex(outcome.err, r"execution\.checkpointing\.tolerable-failed-checkpoints")

    def test_a_disk_that_gets_full_only_costs_checkpoints_where_that_is_tolerated(self):
        # State grows until the only window ends: then there is little of it, and room for that.
        self.write_clicks(ROWS, ROWS)
        query = QUERY.replace("'10' MINUTE", "'1' DAY")
        self.works(self.script(query, out="plain"))
        disk = self.path("disk")
        outcome = self.on_small_disk(disk, "160k", self.script(query, scan__rows_per_second=ROWS * 2), *self.settings(
            execution__checkpointing__dir=disk, execution__checkpointing__num_retained=1,
            execution__checkpointing__tolerable_failed_checkpoints=1_000_000))
        if outcome is None:
            self.skipTest("may not mount")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertRegex(outcome.err, r"\d+ checkpoints failed, .*No space left on device")
        self.assertEqual(self.result_rows("counts"), self.result_rows("plain"))

    def test_a_full_disk_for_local_state(self):
        self.write_clicks(50_000, 50_000)
        disk = self.path("disk")
        query = self.script().replace("'10' MINUTE", "'1' DAY")
        outcome = self.on_small_disk(disk, "1m", query, *self.settings(
            execution__checkpointing__interval=None, state__backend__rocksdb__localdir=disk, **LOCAL))
        if outcome is None:
            self.skipTest("may not mount")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertRegex(outcome.err, rf"error: .*local store '{disk}/.*No space left on device")
        self.assertEqual(self.shown(), [], outcome)

    def test_a_savepoint_that_cannot_be_written_leaves_the_job_alone(self):
        state = ("-D", f"clepsydra.state-directory={self.path('state')}")
        process = self.start(self.script(scan__rows_per_second=ROWS // 2), *self.settings(), *state,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(self.completed, "checkpoints", process)
        job = self.completed()[0].parent.name
        outcome = self.command("savepoint", *state, job, UNWRITABLE)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertRegex(outcome.err, rf"{UNWRITABLE}")
        outcome = self.command("savepoint", *state, job)
        self.assertRegex(outcome.err, r"execution\.checkpointing\.savepoint-dir")
        self.assertEqual(process.wait(TIMEOUT_S), 0)
        self.assertEqual(sum(int(line.split(",")[2]) for line in self.result_rows("counts")), ROWS)

    def test_jobs_run_where_no_socket_can_be_made(self):
        self.works(self.script(), *self.settings(), "-D", f"clepsydra.state-directory={UNWRITABLE}")


if __name__ == "__main__":
    unittest.main()
