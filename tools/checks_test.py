#!/usr/bin/env python3
"""Tests of the checks: each must find what it is there to find, and accept what is right."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
GOOD_CMAKE = "clepsydra_room(stream\n  SOURCES batch.cc\n  DEPENDS clepsydra::base)\n"


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.write("src/base/CMakeLists.txt", "clepsydra_room(base\n  SOURCES status.cc)\n")
        self.write("src/base/status.cc", '#include "clepsydra/status.h"\n')
        self.write("src/base/README.md", "# base\n")
        self.write("src/stream/CMakeLists.txt", GOOD_CMAKE)
        self.write("src/stream/batch.cc", '#include "stream/batch.h"\n')
        self.write("src/stream/batch.h", '#include "base/check.h"\n')
        self.write("src/stream/README.md", "# stream\n")
        self.write("src/base/check.h", "")
        self.write("include/clepsydra/status.h", "#include <string>\n")
        for name in ("layers.toml", "system_calls.toml"):
            self.write(f"tools/{name}", (TOOLS / name).read_text())
        self.write("tools/README.md", "# tools\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_check(self, name, *arguments):
        return subprocess.run([sys.executable, TOOLS / name, *map(str, arguments)], capture_output=True, text=True)

    def assert_accepts(self, name, *arguments):
        result = self.run_check(name, *arguments)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def assert_finds(self, expected, name, *arguments):
        result = self.run_check(name, *arguments)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(expected, result.stdout)


class CheckLayersTest(CheckTest):
    def test_a_tree_that_keeps_the_rules_passes(self):
        self.assert_accepts("check_layers", self.root)

    def test_an_include_upwards(self):
        self.write("src/base/check.h", '#include "stream/batch.h"\n')
        self.assert_finds('src/base/check.h:1: "stream/batch.h": base may not depend on stream',
                          "check_layers", self.root)

    def test_rooms_of_one_level_do_not_see_each_other(self):
        self.write("src/state/backend.h", "")
        self.write("src/network/gate.h", '#include "state/backend.h"\n')
        self.assert_finds("network may not depend on state", "check_layers", self.root)

    def test_operators_see_one_header_of_graph(self):
        self.write("src/graph/operator_spec.h", "")
        self.write("src/graph/job_graph.h", "")
        self.write("src/operators/filter.h", '#include "graph/operator_spec.h"\n')
        self.assert_accepts("check_layers", self.root)
        self.write("src/operators/filter.h", '#include "graph/job_graph.h"\n')
        self.assert_finds("operators may include of graph only graph/operator_spec.h", "check_layers", self.root)

    def test_a_plug_in_is_not_included_from_another_room(self):
        self.write("src/connectors/print/print_sink.h", "")
        self.write("src/main/cluster.h", '#include "connectors/print/print_sink.h"\n')
        self.assert_finds("is reached by its registered name", "check_layers", self.root)

    def test_generated_contracts_are_fenced(self):
        self.write("src/main/job_codec.cc", '#include "job.pb.h"\n')
        self.assert_accepts("check_layers", self.root)
        self.write("src/main/job.cc", '#include "job.pb.h"\n')
        self.assert_finds("src/main/job.cc:1: <job.pb.h> is for", "check_layers", self.root)

    def test_public_headers_include_only_std_and_each_other(self):
        self.write("include/clepsydra/status.h", '#include "base/check.h"\n')
        self.assert_finds("public headers include only", "check_layers", self.root)

    def test_depends_upwards(self):
        self.write("src/base/CMakeLists.txt", "clepsydra_room(base SOURCES status.cc DEPENDS clepsydra::stream)\n")
        self.assert_finds("base may not depend on it", "check_layers", self.root)

    def test_an_included_room_missing_from_depends(self):
        self.write("src/stream/CMakeLists.txt", "clepsydra_room(stream\n  SOURCES batch.cc)\n")
        self.assert_finds("DEPENDS lacks clepsydra::base, included at src/stream/batch.h:1",
                          "check_layers", self.root)

    def test_listed_and_present_files_differ(self):
        self.write("src/stream/CMakeLists.txt", GOOD_CMAKE.replace("batch.cc", "batch.cc gone.cc"))
        self.assert_finds("SOURCES lists gone.cc, which does not exist", "check_layers", self.root)
        self.write("src/stream/CMakeLists.txt", GOOD_CMAKE)
        self.write("src/stream/forgotten.cc", "")
        self.assert_finds("src/stream/forgotten.cc: is not listed", "check_layers", self.root)

    def test_an_unknown_room(self):
        self.write("src/core/thing.h", "")
        self.assert_finds("src/core: is not a room", "check_layers", self.root)


class CheckDocsTest(CheckTest):
    def test_a_tree_that_keeps_the_rules_passes(self):
        self.write("docs/README.md", "# Docs\n\n[rooms](../src/base/README.md), [here](#docs), [net](https://a.b)\n")
        self.assert_accepts("check_docs", self.root)

    def test_a_link_that_leads_nowhere(self):
        self.write("README.md", "x\n[gone](docs/gone.md)\n")
        self.assert_finds("README.md:2: link to 'docs/gone.md' leads nowhere", "check_docs", self.root)

    def test_a_missing_heading(self):
        self.write("README.md", "# Start here\n[a](#start-here) [b](#end-here)\n")
        self.assert_finds("'#end-here' names no heading", "check_docs", self.root)

    def test_links_in_code_are_text(self):
        self.write("README.md", "`[a](b)`\n```\n[a](b)\n```\n")
        self.assert_accepts("check_docs", self.root)

    def test_a_room_without_readme(self):
        (self.root / "src/stream/README.md").unlink()
        self.assert_finds("src/stream: a room has a README.md", "check_docs", self.root)

    def test_an_empty_folder(self):
        (self.root / "src/stream/codec").mkdir()
        self.assert_finds("src/stream/codec: the folder is empty", "check_docs", self.root)

    def test_a_name_that_says_nothing(self):
        self.write("src/stream/string_utils.h", "")
        self.assert_finds("string_utils.h: the name says 'utils'", "check_docs", self.root)


class CheckSystemCallsTest(CheckTest):
    def compile(self, room, name, code):
        self.write(f"src/{room}/{name}", code)
        target = self.root / f"build/src/{room}/CMakeFiles/clepsydra_{room}.dir/{name}.o"
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["g++", "-c", "-o", target, self.root / f"src/{room}/{name}"], check=True)

    def check_finds(self, expected):
        self.assert_finds(expected, "check_system_calls", self.root / "build", self.root)

    def check_accepts(self):
        self.assert_accepts("check_system_calls", self.root / "build", self.root)

    def test_base_may_call_and_others_may_not(self):
        code = "#include <ctime>\nlong f() { timespec t; return clock_gettime(CLOCK_REALTIME, &t); }\n"
        self.compile("base", "clock.cc", code)
        self.check_accepts()
        self.compile("stream", "batch.cc", code)
        self.check_finds("src/stream/batch.cc: calls clock_gettime (clock)")

    def test_the_standard_library_is_a_way_out_too(self):
        self.compile("stream", "batch.cc", "#include <chrono>\n"
                     "auto f() { return std::chrono::steady_clock::now(); }\n")
        self.check_finds("std::chrono::_V2::steady_clock::now() (clock)")

    def test_a_listed_port_may_call_as_long_as_it_does(self):
        port = '[[ports]]\nsource = "stream/batch.cc"\nsymbols = ["open"]\nreason = "a test"\n'
        self.write("tools/system_calls.toml", (TOOLS / "system_calls.toml").read_text() + port)
        self.compile("stream", "batch.cc", '#include <fcntl.h>\nint f() { return open("x", 0); }\n')
        self.check_accepts()
        self.compile("stream", "batch.cc", "int f() { return 1; }\n")
        self.check_finds("the port stream/batch.cc does not call open any more")

    def test_objects_of_removed_sources_do_not_count(self):
        self.compile("stream", "old.cc", '#include <cstdio>\nvoid f() { fopen("x", "r"); }\n')
        self.compile("stream", "batch.cc", "int f() { return 1; }\n")
        (self.root / "src/stream/old.cc").unlink()
        self.check_accepts()

    def test_nothing_built_is_not_a_pass(self):
        (self.root / "build").mkdir()
        result = self.run_check("check_system_calls", self.root / "build", self.root)
        self.assertEqual(result.returncode, 1)
        self.assertIn("build first", result.stderr)


if __name__ == "__main__":
    unittest.main()
