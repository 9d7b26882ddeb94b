#!/usr/bin/env python3
"""State on local disk: the same results with little memory, and what cannot work is refused by name."""

import os
import time
import unittest

from command import CommandTest, csv_table

ROCKSDB = ("-D", "state.backend.type=rocksdb", "-D", "state.backend.rocksdb.memory.fixed-per-slot=4mb")
COUNTS = """
INSERT INTO counts SELECT name, window_start, COUNT(*), SUM(amount), COUNT(DISTINCT amount)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY name, window_start, window_end;
"""


class StateBackendTest(CommandTest):
    def script(self, out, **options):
        clicks = csv_table("clicks", "name STRING, amount INT, ts TIMESTAMP(3), "
                           "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND", "clicks.csv", **options)
        counts = csv_table("counts", "name STRING, window_start TIMESTAMP(3), n BIGINT, s BIGINT, d BIGINT", out)
        return clicks + counts + COUNTS

    def write_clicks(self, rows, keys):
        """Each key comes again after all others have come."""
        self.write("clicks.csv", "".join(
            f"a user with a long name {i * 7919 % keys},{i % 100},2024-01-01 10:{i * 3 // rows:02d}:{i % 60:02d}\n"
            for i in range(rows)))

    def test_state_larger_than_its_memory_gives_the_same_results(self):
        self.write_clicks(90_000, 15_000)
        self.works(self.script("in_memory"))
        self.works(self.script("on_disk"), *ROCKSDB, "-D", f"state.backend.rocksdb.localdir={self.path('local')}",
                   "-D", "execution.checkpointing.interval=20 ms")
        self.assertGreater(len(self.result_rows("in_memory")), 40_000)
        self.assertEqual(self.result_rows("on_disk"), self.result_rows("in_memory"))
        # Nothing but the lock is left.
        left = [name for _, _, files in os.walk(self.path("local")) for name in files]
        self.assertEqual(left, ["LOCK"])

    def test_too_little_memory(self):
        self.write_clicks(10, 10)
        for size in ("1mb", "0", "9000tb"):
            self.fails(self.script("out"), r"state\.backend\.rocksdb\.memory\.fixed-per-slot",
                       options=("-D", "state.backend.type=rocksdb",
                                "-D", f"state.backend.rocksdb.memory.fixed-per-slot={size}"))

    def test_a_directory_that_cannot_be_written(self):
        self.write_clicks(10, 10)
        folder = self.path("read_only")
        os.mkdir(folder, 0o555)
        if os.geteuid() == 0:
            folder = "/proc/sys/clepsydra"  # Where root cannot write either.
        self.fails(self.script("out"), "local state directory", folder,
                   options=(*ROCKSDB, "-D", f"state.backend.rocksdb.localdir={folder}"))

    def test_a_file_in_place_of_the_directory(self):
        self.write_clicks(10, 10)
        self.fails(self.script("out"), "local state directory", "clicks.csv",
                   options=(*ROCKSDB, "-D", f"state.backend.rocksdb.localdir={self.path('clicks.csv')}"))

    def test_a_directory_that_another_process_has(self):
        self.write_clicks(1000, 100)
        options = (*ROCKSDB, "-D", f"state.backend.rocksdb.localdir={self.path('local')}")
        self.start(self.script("first", scan__rows_per_second=10), *options)
        stores = self.path("local", "clepsydra-state")
        deadline = time.monotonic() + 30
        while not (os.path.isdir(stores) and len(os.listdir(stores)) > 1):
            self.assertLess(time.monotonic(), deadline, "the first job has not opened its state")
            time.sleep(0.02)
        self.fails(self.script("second"), "in use by another process", r"state\.backend\.rocksdb\.localdir",
                   options=options)

    def test_an_unknown_backend(self):
        self.write_clicks(10, 10)
        self.fails(self.script("out"), "no state backend 'rock'", "hashmap, rocksdb",
                   options=("-D", "state.backend.type=rock"))


if __name__ == "__main__":
    unittest.main()
