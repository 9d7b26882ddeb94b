// An example library of functions: docs/guide/functions.md shows its use.
#include <clepsydra/user_function.h>

#include <cmath>
#include <cstdint>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

namespace udf = clepsydra::udf;

// SHOUT(text): in front of as many exclamation marks as wanted.
std::string shout(std::string_view text, std::int32_t times) {
  if (times < 0) throw std::invalid_argument("shout: cannot shout less than not at all");
  std::string loud(text);
  loud.append(static_cast<std::size_t>(times), '!');
  return loud;
}

std::string shout_once(std::string_view text) {
  return shout(text, 1);
}

// FIRST_WORD(text): NULL when there is none. Takes NULL too.
std::optional<std::string> first_word(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  const std::size_t begin = text->find_first_not_of(' ');
  if (begin == std::string_view::npos) return std::nullopt;
  return std::string(text->substr(begin, text->find(' ', begin) - begin));
}

// Counts its own calls: each place of a plan has an object of its own.
class CallNumber {
 public:
  std::int64_t operator()() { return ++calls_; }

 private:
  std::int64_t calls_ = 0;
};

// SLOW_LENGTH(text): as if somebody far away had to be asked.
std::future<std::int64_t> slow_length(std::string text) {
  return std::async(std::launch::async,
                    [text = std::move(text)] { return static_cast<std::int64_t>(text.size()); });
}

// GEOMETRIC_MEAN(value): NULL of nothing.
struct GeometricMean {
  struct State {
    double log_sum = 0;
    std::int64_t count = 0;
  };
  static void add(State& state, double value) {
    if (!(value > 0)) throw std::domain_error("geometric_mean: takes positive numbers only");
    state.log_sum += std::log(value);
    ++state.count;
  }
  static void merge(State& into, const State& from) {
    into.log_sum += from.log_sum;
    into.count += from.count;
  }
  static std::optional<double> result(const State& state) {
    if (state.count == 0) return std::nullopt;
    return std::exp(state.log_sum / static_cast<double>(state.count));
  }
};

}  // namespace

CLEPSYDRA_FUNCTION_LIBRARY(udf::scalar<shout_once>("shout"), udf::scalar<shout>("shout"),
                           udf::scalar<first_word>("first_word"),
                           udf::scalar<CallNumber>("call_number").not_deterministic(),
                           udf::async_scalar<slow_length>("slow_length"),
                           udf::aggregate<GeometricMean>("geometric_mean"))
