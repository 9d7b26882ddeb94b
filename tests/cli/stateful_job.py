"""What the tests of state share: jobs over the same rows, that leave checkpoints behind."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from command import BINARY, TIMEOUT_S, CommandTest, Outcome, csv_table

ROWS = 6_000
QUERY = ("INSERT INTO counts SELECT name, window_start, COUNT(*), SUM(amount) FROM TABLE(TUMBLE(TABLE clicks, "
         "DESCRIPTOR(ts), INTERVAL '10' MINUTE)) GROUP BY name, window_start, window_end;\n")


class StatefulJobTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.write_clicks(ROWS, 500)
        self.checkpoints = pathlib.Path(self.path("checkpoints"))

    def write_clicks(self, rows, keys):
        self.write("clicks.csv", "".join(f"a user whose name is {i * 7919 % keys},{i % 10},2024-01-01 {10 + i // 3600:02d}:"
                                         f"{i // 60 % 60:02d}:{i % 60:02d}\n" for i in range(rows)))

    def script(self, query=QUERY, out="counts", **options):
        return (csv_table("clicks", "name STRING, amount INT, ts TIMESTAMP(3), "
                          "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND", self.path("clicks.csv"), **options) +
                csv_table("counts", "name STRING, moment TIMESTAMP(3), n BIGINT, s BIGINT", self.path(out)) + query)

    def settings(self, **more):
        """-D options; '__' stands for '.', '_' for '-'; None leaves one out."""
        values = {"execution__checkpointing__interval": "20 ms", "execution__checkpointing__dir": self.checkpoints,
                  "execution__checkpointing__num_retained": 3,
                  "execution__checkpointing__externalized_checkpoint_retention": "RETAIN_ON_CANCELLATION",
                  "execution__checkpointing__data_inline_threshold": 0,
                  "restart_strategy__type": "none", "parallelism__default": 2, **more}
        return [word for key, value in values.items() if value is not None
                for word in ("-D", f"{key.replace('__', '.').replace('_', '-')}={value}")]

    def wait_for(self, condition, what, process):
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            self.assertIsNone(process.poll(), f"the job has ended, without {what}")
            self.assertLess(time.monotonic(), deadline, f"no {what}")
            time.sleep(0.01)

    def completed(self):
        """Folders of complete checkpoints, oldest first."""
        found = [path.parent for path in self.checkpoints.glob("*/chk-*/_metadata")]
        return sorted(found, key=lambda path: int(path.name[4:]))

    def leave_checkpoints(self, is_enough=None, **settings):
        """A job that is cancelled when it has three checkpoints; its folder."""
        is_enough = is_enough or (lambda: len(self.completed()) == 3 and
                                  len(list(self.checkpoints.glob("*/shared/*"))) >= 6)
        process = self.start(self.script(scan__rows_per_second=ROWS), *self.settings(**settings),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(is_enough, "checkpoints", process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
        shutil.rmtree(self.path("counts"), ignore_errors=True)
        return self.completed()[-1].parent

    def refuses(self, *patterns, query=QUERY, **settings):
        """The job fails with an error of all patterns and shows no rows."""
        outcome = self.fails(self.script(query), *patterns, options=self.settings(**settings))
        self.assertEqual(self.shown(), [], outcome)
        return outcome

    def shown(self):
        folder = pathlib.Path(self.path("counts"))
        return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]

    def on_small_disk(self, mounted, size, statements, *options, read_only=False):
        """The script in a mount namespace of its own, where the folder `mounted` is a disk of `size`; None: not allowed."""
        os.makedirs(mounted, exist_ok=True)
        prepare = f"mount -t tmpfs -o size={size} none '{mounted}' || exit 99; "
        if read_only:
            prepare += f"mount -o remount,ro '{mounted}' || exit 99; "
        # What is left on it goes with it.
        process = subprocess.run(["unshare", "-m", "sh", "-c", prepare + 'exec "$@"', "sh", BINARY, "sql", *options,
                                  "-e", statements], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S,
                                 check=False, cwd=self.folder)
        may_not = process.returncode == 99 or process.stderr.startswith(b"unshare:")
        return None if may_not else Outcome(process.returncode, process.stdout, process.stderr)
