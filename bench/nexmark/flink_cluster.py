"""A real Flink on loopback: installed from its public packages, started, asked and stopped."""

import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import measure

VERSION = "2.3.0"
SOURCE_MODULE = pathlib.Path(__file__).resolve().parent / "flink_source"
SOURCE_JAR = "nexmark-flink-source-1.jar"
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 15
POLL_S = 0.05


class FlinkError(Exception):
    """Flink could not be installed or started, or refused a statement."""


# --- Installation ----------------------------------------------------------------------------


def install(directory):
    """Puts Flink with our table source under `directory`; returns its home. What is there stays."""
    directory = pathlib.Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    venv = directory / "venv"
    done = directory / f"installed-{VERSION}"
    if not done.exists():
        measure.note(f"installing Flink {VERSION} into {directory} (about 500 MB, once)")
        if not (venv / "bin/pip").exists():
            _run([sys.executable, "-m", "venv", venv])
        _run([venv / "bin/pip", "install", "--quiet", "--no-deps",
              f"apache-flink-libraries=={VERSION}", f"apache-flink=={VERSION}"])
        done.touch()
    homes = list(venv.glob("lib/python3*/site-packages/pyflink"))
    if len(homes) != 1:
        raise FlinkError(f"expected one Flink in {venv}, found {homes}; delete {directory}")
    home = homes[0]
    gateway = home / "opt" / f"flink-sql-gateway-{VERSION}.jar"  # Not part of the Python package.
    if not gateway.exists():
        _run(["mvn", "-q", "-B", "dependency:copy",
              f"-Dartifact=org.apache.flink:flink-sql-gateway:{VERSION}",
              f"-DoutputDirectory={gateway.parent}"])
    _build_source(directory / "source", home / "lib")
    return home


def _build_source(target, library):
    jar = library / SOURCE_JAR
    sources = [path for path in SOURCE_MODULE.rglob("*") if path.is_file()]
    if jar.exists() and jar.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return
    measure.note("building the Nexmark table source for Flink")
    _run(["mvn", "-q", "-B", "package", "-f", SOURCE_MODULE / "pom.xml",
          f"-Doutput.directory={target}"])
    # Under its name at once or not at all; a gateway that runs would not see it anyway.
    part = jar.with_suffix(".part")
    shutil.copyfile(target / SOURCE_JAR, part)
    os.replace(part, jar)


def _run(argv):
    argv = [str(part) for part in argv]
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise FlinkError(f"{argv[0]} is not installed") from error
    if answer.returncode != 0:
        raise FlinkError(f"{' '.join(argv)} failed:\n{answer.stdout}{answer.stderr}")


# --- Cluster ---------------------------------------------------------------------------------


class FlinkCluster:
    """One JobManager, one TaskManager and one SQL gateway, as processes of ours. A context manager:
    on leaving, also by Ctrl-C, each is stopped by its process id."""

    def __init__(self, directory, parallelism, memory_mb):
        self._directory = pathlib.Path(directory).resolve()
        self._parallelism = parallelism
        self._memory_mb = memory_mb
        self._processes = {}
        self._rest = ""
        self._gateway = ""

    def __enter__(self):
        home = install(self._directory)
        try:
            self._start(home)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def cpu_s(self, name):
        return measure.process_cpu_s(self._processes[name].pid)

    def peak_mb(self, name):
        return measure.process_peak_mb(self._processes[name].pid)

    def stop(self):
        processes = list(self._processes.values())
        self._processes.clear()
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, home):
        ports = _free_ports(3)
        self._rest = f"http://127.0.0.1:{ports[0]}"
        self._gateway = f"http://127.0.0.1:{ports[2]}"
        conf = self._write_configuration(home, *ports)
        log = self._directory / "log"
        pids = self._directory / "pid"
        for folder in (log, pids, self._directory / "tmp"):
            folder.mkdir(exist_ok=True)
        environment = {**os.environ, "FLINK_CONF_DIR": str(conf), "FLINK_LOG_DIR": str(log),
                       "FLINK_PID_DIR": str(pids), "FLINK_HOME": str(home)}
        for name, script in (("jobmanager", "jobmanager.sh"), ("taskmanager", "taskmanager.sh"),
                             ("gateway", "sql-gateway.sh")):
            with open(log / f"{name}.out", "wb") as output:
                # The scripts replace themselves by the Java process, which so keeps the id. In
                # a session of its own: Ctrl-C is ours to handle, in order.
                self._processes[name] = subprocess.Popen(
                    [str(home / "bin" / script), "start-foreground"], env=environment,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                    start_new_session=True)
        self._await_ready(log)

    def _write_configuration(self, home, rest, rpc, gateway):
        conf = self._directory / "conf"
        conf.mkdir(exist_ok=True)
        for name in ("log4j-console.properties", "log4j-cli.properties", "log4j.properties"):
            shutil.copyfile(home / "conf" / name, conf / name)
        # What Java 17 must be told for Flink to work, as Flink's own configuration says it.
        opened = re.search(r"^\s+all:\s*(--add-exports.*)$",
                           (home / "conf/config.yaml").read_text(encoding="utf-8"), re.MULTILINE)
        if opened is None:
            raise FlinkError("Flink's configuration does not say the options of Java")
        settings = {
            "env.java.opts.all": opened.group(1),
            "rest.address": "127.0.0.1", "rest.bind-address": "127.0.0.1",
            "rest.port": rest,
            "jobmanager.rpc.address": "127.0.0.1", "jobmanager.bind-host": "127.0.0.1",
            "jobmanager.rpc.port": rpc,
            "taskmanager.host": "127.0.0.1", "taskmanager.bind-host": "127.0.0.1",
            "sql-gateway.endpoint.rest.address": "127.0.0.1",
            "sql-gateway.endpoint.rest.bind-address": "127.0.0.1",
            "sql-gateway.endpoint.rest.port": gateway,
            "sql-gateway.endpoint.rest.bind-port": gateway,
            "jobmanager.memory.process.size": "1600m",
            "taskmanager.memory.process.size": f"{self._memory_mb}m",
            "taskmanager.memory.managed.fraction": "0.15",  # State is on the heap.
            "taskmanager.numberOfTaskSlots": self._parallelism,
            "parallelism.default": self._parallelism,
            "pipeline.object-reuse": "true",
            "state.backend.type": "hashmap",
            "io.tmp.dirs": self._directory / "tmp",
        }
        (conf / "config.yaml").write_text(
            "".join(f"{key}: {json.dumps(str(value))}\n" for key, value in settings.items()),
            encoding="utf-8")
        return conf

    def _await_ready(self, log):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise FlinkError(f"Flink's {name} ended; see {log / name}.out")
            with contextlib.suppress(OSError, FlinkError):
                slots = self._ask("GET", f"{self._rest}/overview")["slots-available"]
                self._ask("GET", f"{self._gateway}/v3/info")
                if slots >= self._parallelism:
                    return
            time.sleep(0.2)
        raise FlinkError(f"Flink was not ready in {START_TIMEOUT_S} s; see {log}")

    # --- Statements and jobs -----------------------------------------------------------------

    def open_session(self):
        return self._ask("POST", f"{self._gateway}/v3/sessions", {})["sessionHandle"]

    def close_session(self, session):
        self._ask("DELETE", f"{self._gateway}/v3/sessions/{session}")

    def execute(self, session, statement, timeout_s=120):
        """Runs one statement; for an INSERT, returns the id of the job that it started."""
        base = f"{self._gateway}/v3/sessions/{session}"
        handle = self._ask("POST", f"{base}/statements", {"statement": statement})
        operation = f"{base}/operations/{handle['operationHandle']}"
        deadline = time.monotonic() + timeout_s
        while True:
            status = self._ask("GET", f"{operation}/status")["status"]
            if status not in ("INITIALIZED", "PENDING", "RUNNING"):
                break
            if time.monotonic() > deadline:
                raise FlinkError(f"no answer to: {statement}")
            time.sleep(POLL_S)
        # Where the statement failed, this answers with the reason.
        result = self._ask("GET", f"{operation}/result/0?rowFormat=JSON")
        return result.get("jobID")

    def await_job(self, job, timeout_s):
        """Waits for the end of a job; returns how long it ran, in seconds."""
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._ask("GET", f"{self._rest}/jobs/{job}")
            if answer["state"] == "FINISHED":
                return answer["duration"] / 1e3
            if answer["state"] in ("FAILED", "CANCELED", "SUSPENDED"):
                reason = self._ask("GET", f"{self._rest}/jobs/{job}/exceptions")
                raise FlinkError(f"job {job}: {answer['state']}\n{json.dumps(reason)[:4000]}")
            if time.monotonic() > deadline:
                self._ask("PATCH", f"{self._rest}/jobs/{job}?mode=cancel")
                raise FlinkError(f"job {job} did not end in {timeout_s} s")
            time.sleep(POLL_S)

    @staticmethod
    def _ask(method, url, body=None):
        request = urllib.request.Request(
            url, method=method, headers={"Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode())
        # No proxy: everything is on loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            reason = error.read().decode("utf-8", errors="replace")
            with contextlib.suppress(ValueError):
                reason = "\n".join(json.loads(reason).get("errors", [reason]))
            raise FlinkError(reason) from error
        return json.loads(text) if text else {}


def _free_ports(count):
    """Ports below those that the system gives to outgoing connections: Flink opens such itself
    before it listens on ours."""
    first = 10_000
    last = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = random.sample(range(first, last), k=min(1000, last - first))
    ports = []
    for port in candidates:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            ports.append(port)
        if len(ports) == count:
            return ports
    raise FlinkError("no free ports on loopback")
