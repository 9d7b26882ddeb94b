// Runs a fuzz target without libFuzzer, the same way every time: first every file of the corpus,
// then seeded mutations of them.
//
// Usage: <name>_fuzz [FILE | DIRECTORY]...
//
// Environment: CLEPSYDRA_FUZZ_RUNS, number of mutated inputs (default 2000);
//              CLEPSYDRA_FUZZ_SEED, seed of the mutations (default 1).
// An input that ends the process is written to <name>_fuzz.crash in the current directory; give
// that file as the argument, with CLEPSYDRA_FUZZ_RUNS=0, to run it again.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Defined by the address sanitizer's runtime, absent otherwise.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the runtime's own name
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kInputBytesMax = 65536;
constexpr int kMutationsMax = 8;

// What a dying process can still write down; nothing is allocated then.
std::string current_input;
std::string crash_path;

void save_current_input() {
  const int file = ::open(crash_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return;
  std::string_view rest = current_input;
  while (!rest.empty()) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(file);
}

void on_fatal_signal(int signal) {
  save_current_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(std::string input) {
  current_input = std::move(input);
  // A copy of exactly this size, so that the address sanitizer sees a read past its end.
  const std::vector<std::uint8_t> bytes(current_input.begin(), current_input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> read_corpus(const std::vector<std::string>& arguments) {
  std::vector<std::filesystem::path> files;
  for (const std::string& argument : arguments) {
    if (!std::filesystem::is_directory(argument)) {
      // A corpus directory may be absent; a file that was asked for may not.
      if (std::filesystem::exists(argument)) files.emplace_back(argument);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argument)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

class Mutator {
 public:
  Mutator(std::uint64_t seed, const std::vector<std::string>& corpus)
      : random_(seed), corpus_(corpus) {}

  std::string next() {
    std::string input = corpus_.empty() ? std::string() : corpus_[below(corpus_.size())];
    for (std::size_t count = 1 + below(kMutationsMax); count > 0; --count) mutate(input);
    input.resize(std::min(input.size(), kInputBytesMax));
    return input;
  }

 private:
  // Uniform enough below a small bound, and the same on every standard library.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  char any_byte() { return static_cast<char>(below(256)); }

  void mutate(std::string& input) {
    // Values at which lengths and numbers go wrong, and bytes that text formats give a meaning to.
    static constexpr std::string_view kTelling = "\0\1\x7f\x80\xff\"'\\\n\r,;:-+.09eE{}[]()<> "sv;
    if (input.empty()) {
      input.assign(1 + below(16), any_byte());
      return;
    }
    const std::size_t at = below(input.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(input.size() - at, 64));
    switch (below(8)) {
      case 0:
        input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 1:
        input[at] = any_byte();
        break;
      case 2:
        input[at] = kTelling[below(kTelling.size())];
        break;
      case 3:
        input.insert(at, 1, kTelling[below(kTelling.size())]);
        break;
      case 4:
        input.erase(at, length);
        break;
      case 5:
        input.insert(at, std::string(input, at, length));
        break;
      case 6:
        input.resize(at);
        break;
      default: {
        const std::string& other = corpus_.empty() ? input : corpus_[below(corpus_.size())];
        if (!other.empty()) input = input.substr(0, at) + other.substr(below(other.size()));
      }
    }
  }

  std::mt19937_64 random_;
  const std::vector<std::string>& corpus_;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): there is one thread
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = std::filesystem::path(argv[0]).filename();
  crash_path = name + ".crash";
  current_input.reserve(kInputBytesMax);
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    // The address sanitizer's own handlers say more; its death callback saves the input.
    if (__sanitizer_set_death_callback == nullptr || signal == SIGABRT) {
      std::signal(signal, on_fatal_signal);
    }
  }
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(save_current_input);
  }

  const std::vector<std::string> corpus = read_corpus({argv + 1, argv + argc});
  run("");
  for (const std::string& input : corpus) run(input);
  const std::uint64_t runs = number_from_environment("CLEPSYDRA_FUZZ_RUNS", 2000);
  Mutator mutator(number_from_environment("CLEPSYDRA_FUZZ_SEED", 1), corpus);
  for (std::uint64_t i = 0; i < runs; ++i) run(mutator.next());
  std::printf("%s: %zu inputs of the corpus and %llu mutations of them\n", name.c_str(),
              corpus.size(), static_cast<unsigned long long>(runs));
  return 0;
}
