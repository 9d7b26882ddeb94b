// The main function of every GoogleTest program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Libraries of the system are not instrumented: what they do with locks of their own looks like a
// race. The sanitizer calls this before main; without the sanitizer nobody does.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1:halt_on_error=1";
}

int main(int argc, char** argv) {
  // Also initializes GoogleTest.
  testing::InitGoogleMock(&argc, argv);
  // Death tests fork; a fresh process is safe whatever threads the program has.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  return RUN_ALL_TESTS();
}
