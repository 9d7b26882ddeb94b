#!/usr/bin/env python3
"""An S3 server for tests: S3Proxy with its data in a folder of its own, on a port of loopback that is free.

As a program: s3_server.py COMMAND [ARGUMENT...]
starts a server with the buckets 'test' and 'other', runs the command with AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY in its environment, stops the server, and ends as the command did.

Environment: CLEPSYDRA_DATA, where downloads are kept (default: build/data of the source tree).
"""

import hashlib
import hmac
import http.client
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key-4711"
START_TIMEOUT_S = 120


def fetch():
    data = pathlib.Path(os.environ.get("CLEPSYDRA_DATA", SOURCE / "build" / "data"))
    fetched = subprocess.run([SOURCE / "tools" / "fetch_s3proxy", data / "s3proxy"], check=True, text=True,
                             stdout=subprocess.PIPE)
    return fetched.stdout.strip()


class S3Server:
    """`with S3Server() as server:` Objects are files below `server.data`, a folder for each bucket."""

    def __init__(self, buckets=("test", "other")):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="clepsydra_s3_"))
        self.data = self.folder / "data"
        for bucket in buckets:
            (self.data / bucket).mkdir(parents=True)
        self.jar = fetch()
        self.process = None
        self.port = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self):
        """Of a command of clepsydra."""
        return ["-D", f"s3.endpoint={self.endpoint}", "-D", f"s3.access-key={ACCESS_KEY}",
                "-D", f"s3.secret-key={SECRET_KEY}"]

    def put(self, name, data):
        """An object "bucket/key", by another client than the one under test."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        body_hash = hashlib.sha256(data).hexdigest()
        host = f"127.0.0.1:{self.port}"
        headers = {"host": host, "x-amz-content-sha256": body_hash, "x-amz-date": now}
        names = ";".join(headers)
        request = f"PUT\n/{name}\n\n" + "".join(f"{k}:{v}\n" for k, v in headers.items()) + f"\n{names}\n{body_hash}"
        to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{SECRET_KEY}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope},SignedHeaders={names},"
                                    f"Signature={signature}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("PUT", f"/{name}", data, headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"PUT {name}: {answer.status} {answer.read()[:500]}")
        connection.close()

    def start(self):
        """Again after stop(): on the same port, with the same objects."""
        configuration = self.folder / "s3proxy.properties"
        configuration.write_text(
            f"s3proxy.endpoint=http://127.0.0.1:{self.port}\n"
            "s3proxy.authorization=aws-v4\n"
            f"s3proxy.identity={ACCESS_KEY}\ns3proxy.credential={SECRET_KEY}\n"
            "jclouds.provider=filesystem-nio2\njclouds.identity=none\njclouds.credential=none\n"
            f"jclouds.filesystem.basedir={self.data}\n")
        log = open(self.folder / "log", "wb")
        # A server for tests need not get fast, only start fast.
        self.process = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-jar", self.jar,
             "--properties", configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        log.close()
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            text = (self.folder / "log").read_text(errors="replace")
            if found := re.search(r"Started ServerConnector.*\{127\.0\.0\.1:(\d+)\}", text):
                self.port = int(found[1])
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"S3Proxy does not start:\n{text[-2000:]}")
            time.sleep(0.02)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    with S3Server() as server:
        environment = dict(os.environ, AWS_ENDPOINT_URL_S3=server.endpoint, AWS_ACCESS_KEY_ID=ACCESS_KEY,
                           AWS_SECRET_ACCESS_KEY=SECRET_KEY)
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
