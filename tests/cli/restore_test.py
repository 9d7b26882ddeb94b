#!/usr/bin/env python3
"""Wrong input of state: what cannot be gone on from, folders that cannot be used, settings that make no sense. Each is
a clear error that names what is wrong, where, and what to do; none is a crash, and none leaves half a result."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

from command import TIMEOUT_S, csv_table
from stateful_job import ROWS, StatefulJobTest

FORMATS = pathlib.Path(__file__).resolve().parent.parent / "formats"
OTHER_QUERY = "INSERT INTO counts SELECT name, ts, amount, amount FROM clicks WHERE amount > 3;\n"


def flip(path, at=None):
    """One bit of one byte, of the middle unless said otherwise."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 0x10
    path.write_bytes(data)


class RestoreTest(StatefulJobTest):
    def copy_of(self, job):
        copy = pathlib.Path(self.path("copy"))
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(job, copy)
        return copy

    def newest(self, job):
        return max(job.glob("chk-*"), key=lambda path: int(path.name[4:]))

    def files_of(self, checkpoint):
        """The files that a checkpoint names, relative to the folder of its job."""
        names = set(re.findall(rb"(?:shared|chk-\d+)/[-0-9a-z]+", (checkpoint / "_metadata").read_bytes()))
        return sorted(pathlib.Path(name.decode()) for name in names)

    def refuses_path(self, path, *patterns, **more):
        return self.refuses(*patterns, **{"execution__checkpointing__dir": self.path("others"),
                                          "execution__state_recovery__path": path, **more})

    def goes_on(self, path, **more):
        outcome = self.works(self.script(), *self.settings(**{"execution__checkpointing__dir": self.path("others"),
                                                              "execution__state_recovery__path": path, **more}))
        shutil.rmtree(self.path("counts"))
        return outcome

    def test_paths_that_are_no_checkpoint(self):
        empty = self.path("empty")
        os.mkdir(empty)
        other = self.write("pictures/cat.jpg", "meow")
        os.makedirs(self.path("job", "chk-7"))
        os.makedirs(self.path("savepoint-123456-000000000000"))
        for path, patterns in (
                (self.path("nowhere"), (r"nowhere", r"No such file")),
                (empty, (r"no checkpoint in '.*empty'", r"it is empty")),
                (other, (r"cat\.jpg' is a file", r"expected the folder of a checkpoint or savepoint")),
                (self.path("pictures"), (r"no checkpoint in '.*pictures', which has 'cat\.jpg'", r"chk-7")),
                (self.path("job", "chk-7"), (r"chk-7' has no file _metadata", r"never completed, or it is damaged")),
                (self.path("job"), (r"no checkpoint in '.*job'", r"'chk-7'")),
                (self.path("savepoint-123456-000000000000"), (r"has no file _metadata", )),
                ("gopher://host/chk-7", (r"execution\.state-recovery\.path", r"gopher")),
                ("", (r"execution\.state-recovery\.path", ))):
            with self.subTest(path=path):
                self.refuses_path(path, *patterns)

    def test_a_later_version_is_told_from_a_broken_file_and_not_passed_over(self):
        job = self.leave_checkpoints()
        # Made with another implementation of the checksum.
        shutil.copy(FORMATS / "checkpoint_metadata_v1000.bin", self.newest(job) / "_metadata")
        for path in (job, self.newest(job)):
            self.refuses_path(path, r"chk-\d+'", r"written in version 1000", r"reads up to version \d+")
        for command in ("list", "inspect"):
            outcome = self.command("checkpoint", command, str(job if command == "list" else self.newest(job)))
            self.assertIn("version 1000", outcome.out + outcome.err)

    def test_every_file_that_is_missing_is_named(self):
        job = self.leave_checkpoints()
        newest = self.newest(job).name
        self.goes_on(self.copy_of(job) / newest)
        used = self.files_of(job / newest)
        self.assertGreaterEqual(len(used), 4)
        for file in used:
            with self.subTest(file=file):
                copy = self.copy_of(job)
                (copy / file).unlink()
                self.refuses_path(copy / newest, re.escape(str(copy / newest)), re.escape(str(file)), r"is missing")

    def test_a_flipped_byte_in_every_file_is_found(self):
        job = self.leave_checkpoints()
        newest = self.newest(job).name
        files = self.files_of(job / newest)
        chains = [re.fullmatch(r"shared/\d+-(.*)", str(file)).group(1) for file in files]
        self.assertLess(len(set(chains)), len(chains), "there is no delta")
        for file in [*files, pathlib.Path(newest, "_metadata")]:
            with self.subTest(file=file):
                copy = self.copy_of(job)
                flip(copy / file)
                self.refuses_path(copy / newest, re.escape(str(copy / newest)),
                             r"checksum" if file.name == "_metadata" else re.escape(str(file)), r"damaged")

    def test_every_byte_of_the_head_of_the_metadata_counts(self):
        job = self.leave_checkpoints()
        newest = self.newest(job)
        for at in (0, 4, 8, 15, 16, 23, 24):
            with self.subTest(at=at):
                copy = self.copy_of(job)
                flip(copy / newest.name / "_metadata", at)
                self.refuses_path(copy / newest.name, re.escape(str(copy / newest.name)), r"_metadata|metadata")
        for size in (0, 10, 24, newest.joinpath("_metadata").stat().st_size - 1):
            with self.subTest(size=size):
                copy = self.copy_of(job)
                os.truncate(copy / newest.name / "_metadata", size)
                self.refuses_path(copy / newest.name, re.escape(str(copy / newest.name)), r"_metadata|metadata")

    def test_a_broken_checkpoint_is_passed_over_for_the_one_before_and_said(self):
        job = self.leave_checkpoints()
        newest = self.newest(job).name
        older = {int(path.parent.name[4:]): set(self.files_of(path.parent)) for path in job.glob("chk-*/_metadata")}
        latest = max(older)
        own = older[latest] - set().union(*(files for id, files in older.items() if id != latest))
        self.assertTrue(own, "the newest checkpoint has no file of its own")
        for file in [pathlib.Path(newest, "_metadata"), min(own)]:
            with self.subTest(file=file):
                copy = self.copy_of(job)
                flip(copy / file)
                outcome = self.goes_on(copy)
                self.assertRegex(outcome.err, rf"checkpoint {latest} in '.*{newest}' cannot be used: .*(damaged|wrong)")
                self.assertRegex(outcome.err, rf"going back to checkpoint {sorted(older)[-2]}")
        # A file of each of them.
        copy = self.copy_of(job)
        for file in {min(files) for files in older.values()}:
            flip(copy / file)
        self.refuses_path(copy, r"no checkpoint in '.*copy' can be used", *(rf"checkpoint {id} in" for id in older))

    def test_what_was_in_flight_counts_too(self):
        job = self.leave_checkpoints(
            lambda: len(self.completed()) == 3 and any(list(path.glob("*-in*")) for path in self.completed()),
            execution__checkpointing__unaligned__enabled="true")
        with_rows = [path.parent for path in job.glob("chk-*/_metadata") if list(path.parent.glob("*-in*"))]
        self.assertTrue(with_rows)
        checkpoint = with_rows[-1].name
        file = sorted(with_rows[-1].glob("*-in*"))[0].name
        copy = self.copy_of(job)
        flip(copy / checkpoint / file)
        self.refuses_path(copy / checkpoint, re.escape(file), r"damaged")
        (copy / checkpoint / file).unlink()
        self.refuses_path(copy / checkpoint, re.escape(file), r"is missing")

    def test_a_savepoint_counts_as_a_checkpoint_does(self):
        savepoint = self.take_savepoint()
        self.goes_on(savepoint)
        copies = pathlib.Path(self.path("copies", savepoint.name))
        files = sorted(path.name for path in savepoint.iterdir())
        self.assertGreater(len(files), 1)
        for file in files:
            with self.subTest(file=file):
                shutil.rmtree(copies, ignore_errors=True)
                shutil.copytree(savepoint, copies)
                flip(copies / file)
                self.refuses_path(copies, savepoint.name, r"damaged")
                (copies / file).unlink()
                self.refuses_path(copies, savepoint.name, r"has no file _metadata" if file == "_metadata" else r"is missing")

    def take_savepoint(self):
        state = ("-D", f"clepsydra.state-directory={self.path('state')}")
        process = self.start(self.script(scan__rows_per_second=ROWS), *self.settings(), *state,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(self.completed, "checkpoints", process)
        job = next(self.checkpoints.iterdir()).name
        outcome = self.command("savepoint", *state, job, self.path("savepoints"))
        self.assertEqual(outcome.code, 0, outcome)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=TIMEOUT_S)
        shutil.rmtree(self.path("counts"), ignore_errors=True)
        return next(pathlib.Path(self.path("savepoints")).iterdir())

    def test_a_checkpoint_of_another_job(self):
        job = self.leave_checkpoints()
        self.refuses_path(job, r"the job has no place for operator '.*Aggregate", r"state of \d subtasks",
                     r"ignore-unclaimed-state = true", query=OTHER_QUERY)
        self.refuses_path(job, r"this is a checkpoint of job 'insert-into_[^']*counts'", r"none of its operators",
                     r"ignore-unclaimed-state = true", query=csv_table("others", "a INT", self.path("counts")) +
                     "INSERT INTO others VALUES (1);\n")

    def test_parallelism_above_the_maximum(self):
        job = self.leave_checkpoints()
        self.refuses_path(job, r"pipeline\.max-parallelism.* 128, less than the parallelism 200", parallelism__default=200)
        self.refuses_path(job, r"maximal parallelism is 256, it was 128", r"set pipeline\.max-parallelism to 128",
                     pipeline__max_parallelism=256)
        self.refuses_path(job, r"maximal parallelism is 1, it was 128", pipeline__max_parallelism=1, parallelism__default=1)
        self.goes_on(job, parallelism__default=5)

    def test_a_checkpoint_whose_job_still_runs(self):
        process = self.start(self.script(scan__rows_per_second=500), *self.settings(), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.wait_for(self.completed, "checkpoints", process)
        job = next(self.checkpoints.iterdir())
        outcome = self.sql(self.script(out="second"), *self.settings(
            execution__checkpointing__dir=self.path("others"), execution__state_recovery__path=job))
        self.assertEqual(outcome.code, 1, outcome)
        self.assertRegex(outcome.err, rf"the job whose checkpoint it is still runs")
        self.assertRegex(outcome.err, rf"process {process.pid}\b")
        self.assertFalse(os.path.isdir(self.path("second")) and self.result_rows("second"))


if __name__ == "__main__":
    unittest.main()
