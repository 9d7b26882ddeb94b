#!/usr/bin/env python3
"""Second copies of state on a local disk: a job that was killed goes on from them, and without them when they are gone or
damaged; they do not outlive their job."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from command import TIMEOUT_S
from stateful_job import ROWS, StatefulJobTest


class LocalCopiesTest(StatefulJobTest):
    def setUp(self):
        super().setUp()
        self.copies = pathlib.Path(self.path("fast"))

    def settings(self, **more):
        return super().settings(**{"execution__checkpointing__local_backup__enabled": "true",
                                   "execution__checkpointing__local_backup__dirs": self.copies,
                                   "execution__checkpointing__num_retained": 1, **more})

    def kept(self):
        """Local copies, by name."""
        return {path.name: path for path in self.copies.glob("clepsydra-local-copies/*/*")}

    def kill_a_job(self):
        """A job that was killed after some checkpoints; the folder of its checkpoints."""
        process = self.start(self.script(scan__rows_per_second=ROWS), *self.settings(), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.wait_for(lambda: len(self.kept()) >= 8, "local copies", process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=TIMEOUT_S)
        return self.completed()[-1].parent

    def goes_on(self, job):
        outcome = self.works(self.script(), *self.settings(execution__state_recovery__path=job))
        self.assertEqual(sum(int(line.split(",")[2]) for line in self.result_rows("counts")), ROWS, outcome)
        return outcome

    def damage(self, paths):
        """Replaces files, so that other names of them stay as they are."""
        for path in paths:
            data = bytearray(path.read_bytes() or b" ")  # It may have been killed before the first byte.
            data[len(data) // 2] ^= 1
            path.unlink()
            path.write_bytes(data)

    def test_a_killed_job_goes_on_from_copies_alone(self):
        job = self.kill_a_job()
        self.damage(job.glob("shared/*"))
        outcome = self.goes_on(job)
        self.assertNotIn("local cop", outcome.err)
        # The job has ended, and so has the process.
        self.assertEqual(list(self.copies.glob("clepsydra-local-copies/*")), [])

    def test_damaged_copies_are_passed_over_and_said(self):
        job = self.kill_a_job()
        self.damage(self.kept().values())
        outcome = self.goes_on(job)
        self.assertRegex(outcome.err, r"restored GlobalWindowAggregate.*: 0 of \d+ files from local copies, the others from "
                         rf"'{job}' \(DataLoss: the local copy is damaged: the checksum of the state file '{self.copies}/[^']+' is wrong")

    def test_some_copies_are_gone(self):
        job = self.kill_a_job()
        newest = int(self.completed()[-1].name[4:])
        for name, path in self.kept().items():
            # Of the two that each task needs, the later one, which has the number of the checkpoint.
            if int(name.split("-")[0]) == newest:
                path.unlink()
        outcome = self.goes_on(job)
        self.assertRegex(outcome.err, r"restored .*: [1-9]\d* of \d+ files from local copies, the others from .*NotFound")

    def test_all_copies_are_gone(self):
        job = self.kill_a_job()
        shutil.rmtree(self.copies)
        self.goes_on(job)

    def test_what_is_damaged_here_and_there_is_refused(self):
        job = self.kill_a_job()
        self.damage(job.glob("shared/*"))
        self.damage(self.kept().values())
        shutil.rmtree(self.path("counts"), ignore_errors=True)
        self.refuses(r"no checkpoint in .* can be used", r"damaged", execution__state_recovery__path=job)

    def test_copies_are_only_written_when_they_are_not_to_be_read(self):
        job = self.kill_a_job()
        self.damage(job.glob("shared/*"))
        shutil.rmtree(self.path("counts"), ignore_errors=True)
        self.refuses(r"damaged", execution__state_recovery__path=job, execution__state_recovery__from_local="false")

    def test_a_cancelled_job_leaves_no_copies(self):
        self.leave_checkpoints(lambda: len(self.kept()) >= 2, execution__checkpointing__num_retained=3)
        self.assertEqual(list(self.copies.glob("clepsydra-local-copies/*")), [])

    def test_on_another_disk_files_are_written_twice(self):
        if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(self.folder).st_dev:
            self.skipTest("there is no other disk")
        self.copies = pathlib.Path(tempfile.mkdtemp(prefix="clepsydra_cli_", dir="/dev/shm"))
        self.addCleanup(shutil.rmtree, self.copies, ignore_errors=True)
        job = self.kill_a_job()
        # What was being written when it was killed has no whole copy.
        both = [(job / "shared" / name, path) for name, path in self.kept().items() if (job / "shared" / name).exists()]
        self.assertGreaterEqual(len([1 for file, copy in both if file.read_bytes() == copy.read_bytes()]), 3)
        for _, copy in both:
            self.assertEqual(copy.stat().st_nlink, 1)
        self.damage(job.glob("shared/*"))
        self.goes_on(job)

    def test_a_full_disk_for_copies_costs_copies_only(self):
        small = self.path("small")
        outcome = self.on_small_disk(small, "16k", self.script(scan__rows_per_second=ROWS), *self.settings(
            execution__checkpointing__local_backup__dirs=small))
        if outcome is None:
            self.skipTest("may not mount")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertRegex(outcome.err, rf"no local copy of '{self.checkpoints}/.*No space left on device")
        self.assertNotRegex(outcome.err, r"checkpoints failed")
        self.assertEqual(sum(int(line.split(",")[2]) for line in self.result_rows("counts")), ROWS)

    def test_one_process_at_a_time_has_the_folder(self):
        process = self.start(self.script(scan__rows_per_second=500), *self.settings(), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.wait_for(self.kept, "local copies", process)
        outcome = self.sql(self.script(out="second"), *self.settings())
        self.assertEqual(outcome.code, 1, outcome)
        self.assertRegex(outcome.err, r"execution\.checkpointing\.local-backup\.dirs.*in use by process "
                         rf"{process.pid}\b")
        self.assertIsNone(process.poll())

    def test_a_folder_that_cannot_be_written(self):
        self.refuses(r"execution\.checkpointing\.local-backup\.dirs", r"/proc/sys/clepsydra",
                     execution__checkpointing__local_backup__dirs="/proc/sys/clepsydra")

    def test_where_nothing_is_said_processes_do_not_meet(self):
        def environment():
            return {**os.environ, "TMPDIR": self.path("tmp")}
        os.mkdir(self.path("tmp"))
        options = self.settings(execution__checkpointing__local_backup__dirs=None)
        process = self.start(self.script(scan__rows_per_second=500), *options, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=environment())
        place = pathlib.Path(self.path("tmp", "clepsydra-local-copies-0"))
        self.wait_for(lambda: list(place.glob("*/*")), "local copies", process)
        outcome = self.sql(self.script(out="second"), *options, env=environment())
        self.assertEqual(outcome.code, 0, outcome)
        self.assertTrue(os.path.isdir(self.path("tmp", "clepsydra-local-copies-1")))


if __name__ == "__main__":
    unittest.main()
