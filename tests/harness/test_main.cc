// The main function of every GoogleTest program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  // Also initializes GoogleTest.
  testing::InitGoogleMock(&argc, argv);
  // Death tests fork; a fresh process is safe whatever threads the program has.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  return RUN_ALL_TESTS();
}
