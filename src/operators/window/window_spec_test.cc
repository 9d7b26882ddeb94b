#include "operators/window/window_spec.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace clepsydra {
namespace {

ValueTree tree(const char* kind, std::int64_t size, const char* step_key, std::int64_t step,
               std::int64_t offset) {
  ValueTree result;
  result.set("kind", kind);
  result.set("size_ms", size);
  if (step_key[0] != '\0') result.set(step_key, step);
  result.set("offset_ms", offset);
  return result;
}

// Windows of a time by their definition: [start, end) for all starts that are tried.
std::set<std::int64_t> ends_by_definition(const std::string& kind, std::int64_t size,
                                          std::int64_t step, std::int64_t offset,
                                          std::int64_t time) {
  std::set<std::int64_t> ends;
  const std::int64_t period = kind == "hop" ? step : size;
  for (std::int64_t n = -200; n <= 200; ++n) {
    const std::int64_t start = n * period + offset;
    if (kind == "cumulate") {
      for (std::int64_t end = start + step; end <= start + size; end += step) {
        if (start <= time && time < end) ends.insert(end);
      }
    } else if (start <= time && time < start + size) {
      ends.insert(start + size);
    }
  }
  return ends;
}

struct Case {
  const char* kind;
  std::int64_t size;
  const char* step_key;
  std::int64_t step;
  std::int64_t offset;
};

class WindowSpecTest : public ::testing::TestWithParam<Case> {};

TEST_P(WindowSpecTest, slices_belong_to_the_windows_of_their_rows) {
  const Case& c = GetParam();
  const WindowSpec spec =
      WindowSpec::from_tree(tree(c.kind, c.size, c.step_key, c.step, c.offset)).value();
  for (std::int64_t time = -120; time <= 120; ++time) {
    const std::int64_t slice_end = spec.slice_end(time);
    ASSERT_LT(time, slice_end);
    ASSERT_GE(time, slice_end - spec.slice());
    std::set<std::int64_t> ends;
    for (std::int64_t end = spec.first_window_end(slice_end);
         end <= spec.last_window_end(slice_end); end += spec.step()) {
      ends.insert(end);
    }
    const auto expected = ends_by_definition(c.kind, c.size, c.step, c.offset, time);
    ASSERT_EQ(ends, expected) << "time " << time;
    for (const std::int64_t end : expected) {
      ASSERT_LE(spec.window_start(end), time);
      if (std::string(c.kind) != "cumulate") {
        ASSERT_EQ(spec.window_start(end), end - c.size);
      }
      // The first window after the one before.
      ASSERT_EQ(spec.first_window_end_after(slice_end, end - 1), end);
      ASSERT_EQ(spec.first_window_end_after(slice_end, end), end + spec.step());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, WindowSpecTest,
    ::testing::Values(Case{"tumble", 10, "", 0, 0}, Case{"tumble", 10, "", 0, 3},
                      Case{"tumble", 7, "", 0, -4}, Case{"hop", 12, "slide_ms", 4, 0},
                      Case{"hop", 12, "slide_ms", 4, 3}, Case{"hop", 12, "slide_ms", 5, 1},
                      Case{"hop", 4, "slide_ms", 6, 1}, Case{"hop", 10, "slide_ms", 10, -1},
                      Case{"cumulate", 12, "step_ms", 3, 0}, Case{"cumulate", 12, "step_ms", 3, 8},
                      Case{"cumulate", 5, "step_ms", 5, -2}));

TEST(WindowSpecErrorsTest, values_out_of_range_are_named) {
  const auto message = [](const ValueTree& spec) {
    return std::string(WindowSpec::from_tree(spec).status().message());
  };
  EXPECT_NE(message(tree("tumble", 0, "", 0, 0)).find("size_ms"), std::string::npos);
  EXPECT_NE(message(tree("hop", 10, "slide_ms", -1, 0)).find("slide_ms"), std::string::npos);
  EXPECT_NE(message(tree("hop", 10, "", 0, 0)).find("slide_ms"), std::string::npos);
  EXPECT_NE(message(tree("cumulate", 10, "step_ms", 3, 0)).find("multiple of its step"),
            std::string::npos);
  EXPECT_NE(message(tree("session", 10, "", 0, 0)).find("'session'"), std::string::npos);
  EXPECT_NE(message(tree("tumble", 10, "", 0, std::int64_t{1} << 62)).find("offset"),
            std::string::npos);
  EXPECT_NE(message(tree("tumble", std::int64_t{1} << 62, "", 0, 0)).find("size_ms"),
            std::string::npos);
}

}  // namespace
}  // namespace clepsydra
