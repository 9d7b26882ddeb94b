// Runs seeds of the simulation: clepsydra_simulate [--first SEED] [--count N] [--seconds S]
// [--verbose]. Without --first the seeds are new ones. Ends with 1 at the first seed that fails and
// prints the command that repeats it.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "base/logging.h"
#include "simulated_run.h"

namespace clepsydra::testing {
namespace {

// One seed in so many is run twice: the same must happen.
constexpr std::uint64_t kRepeatedOneIn = 100;

struct Arguments {
  std::uint64_t first = std::random_device()() % 1'000'000'000;  // Short enough to be typed again.
  std::uint64_t count = 1000;
  double seconds = 0;  // 0: no limit.
  bool is_verbose = false;
};

void print_totals(const RunReport& totals, std::uint64_t seeds, std::uint64_t repeated,
                  double seconds) {
  fmt::print(
      "{} seeds in {:.1f} s, {:.1f} ms each; {} of them run twice with the same trace\n"
      "{} lives ({} from a checkpoint or savepoint), {} attempts, {} checkpoints, {} that failed\n"
      "{} cuts compared with the oracle; {} file operations, {} of local stores\n"
      "{} rows, {} steps, {} s of virtual time; after the last fault {} s at most\n{}\n",
      seeds, seconds, 1000 * seconds / static_cast<double>(seeds + repeated), repeated,
      totals.lives, totals.restored, totals.attempts, totals.checkpoints, totals.failed_checkpoints,
      totals.cuts_checked, totals.file_operations, totals.local_store_operations, totals.rows,
      totals.steps, totals.virtual_ms / 1000, (totals.healed_ms_max + 999) / 1000,
      totals.happened.describe());
}

int fail(std::uint64_t seed, const RunReport& report, std::string_view problem,
         const char* program) {
  fmt::print(stderr,
             "FAILED: seed {}: {}\n  {}\n{}to repeat it: {} --first {} --count 1 --verbose\n", seed,
             problem, draw_scenario(seed).describe(), report.story, program, seed);
  return 1;
}

int run(const Arguments& arguments, const char* program) {
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  fmt::print("seeds from {}\n", arguments.first);
  std::fflush(stdout);
  RunReport totals;
  std::uint64_t seeds = 0;
  std::uint64_t repeated = 0;
  for (; seeds < arguments.count; ++seeds) {
    if (arguments.seconds > 0 && elapsed() > arguments.seconds) break;
    const std::uint64_t seed = arguments.first + seeds;
    if (arguments.is_verbose) {
      fmt::print("seed {}: {}\n", seed, draw_scenario(seed).describe());
      std::fflush(stdout);
    }
    const RunReport report = run_seed(seed);
    if (!report.problem.empty()) return fail(seed, report, report.problem, program);
    if (arguments.is_verbose) fmt::print("{}", report.story);
    if (seed % kRepeatedOneIn == 0) {
      ++repeated;
      if (run_seed(seed).trace != report.trace) {
        return fail(seed, report, "it ran differently the second time", program);
      }
    }
    totals.add(report);
  }
  print_totals(totals, seeds, repeated, elapsed());
  return 0;
}

int usage(std::string_view wrong) {
  fmt::print(stderr,
             "unexpected '{}'\nusage: clepsydra_simulate [--first SEED] [--count N] [--seconds S] "
             "[--verbose]\n",
             wrong);
  return 2;
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  LoggingOptions logging;
  logging.level = LogLevel::kOff;  // Of what goes wrong on purpose.
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--verbose") {
      arguments.is_verbose = true;
      logging.level = LogLevel::kDebug;
      continue;
    }
    if (i + 1 == argc) return usage(argument);
    const char* value = argv[++i];
    if (argument == "--first") {
      arguments.first = std::strtoull(value, nullptr, 10);
    } else if (argument == "--count") {
      arguments.count = std::strtoull(value, nullptr, 10);
    } else if (argument == "--seconds") {
      arguments.seconds = std::strtod(value, nullptr);
    } else {
      return usage(argument);
    }
  }
  const Status configured = configure_logging(logging);
  if (!configured.is_ok()) return usage(configured.to_string());
  return run(arguments, argv[0]);
}

}  // namespace
}  // namespace clepsydra::testing

int main(int argc, char** argv) {
  return clepsydra::testing::main_of(argc, argv);
}
