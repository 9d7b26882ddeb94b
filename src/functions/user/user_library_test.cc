// Libraries of functions: the example of docs/examples, and those that break the rules.
#include "functions/user/user_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "functions/aggregate_function.h"
#include "functions/expression_program.h"
#include "functions/function_registry.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/source_path.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using testing::build_path;
using testing::column_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::test_pool;
using testing::type_of;

class UserLibraryTest : public ::testing::Test {
 public:
  ~UserLibraryTest() override { set_user_library_directory(""); }

 protected:
  UserLibraryTest() { set_user_library_directory(build_path("functions")); }
  UserLibraryTest(const UserLibraryTest&) = delete;
  UserLibraryTest& operator=(const UserLibraryTest&) = delete;

  static ExpressionPtr column(const Batch& batch, int i) {
    return Expression::column(i, batch.schema()->field(i).type, batch.schema()->field(i).name);
  }
  static std::vector<ExpressionPtr> columns(const Batch& batch) {
    std::vector<ExpressionPtr> all;
    for (int i = 0; i < batch.column_count(); ++i) all.push_back(column(batch, i));
    return all;
  }
  static Result<ExpressionPtr> bind(std::string_view function,
                                    std::vector<ExpressionPtr> arguments) {
    const auto group = find_user_functions(function);
    if (!group.is_ok()) return group.status();
    return resolve_user_scalar(**group, std::move(arguments));
  }
  static Result<Column> evaluate(const ExpressionPtr& expression, const Batch& batch) {
    auto program = ExpressionProgram::make({expression}, {.pool = &test_pool()});
    if (!program.is_ok()) return program.status();
    auto results = program->evaluate(batch);
    if (!results.is_ok()) return results.status();
    return (*results)[0];
  }
  // The function over all columns of the batch.
  static Result<Column> call(std::string_view function, const Batch& batch) {
    const Result<ExpressionPtr> expression = bind(function, columns(batch));
    if (!expression.is_ok()) return expression.status();
    return evaluate(*expression, batch);
  }
  static std::string error(std::string_view function,
                           const Batch& batch = batch_of("n BIGINT", {"1", "2", "3"})) {
    const Result<Column> result = call(function, batch);
    return result.is_ok() ? "no error" : result.status().to_string();
  }
};

TEST_F(UserLibraryTest, scalar_function_answers_and_skips_nulls) {
  const Batch batch =
      batch_of("t STRING, n INT",
               {"a | 2", "NULL | 1", "a longer text than twelve bytes | 1", "b | NULL", "c | 0"});
  const Column result = call("libtext_functions.so#shout", batch).value();
  EXPECT_EQ(result.type().to_string(), "STRING");
  EXPECT_THAT(lines_of(result),
              ElementsAre("a!!", "NULL", "a longer text than twelve bytes!", "NULL", "c"));
}

TEST_F(UserLibraryTest, name_with_several_argument_lists_takes_the_one_that_fits) {
  EXPECT_THAT(
      lines_of(call("libtext_functions.so#shout", batch_of("t STRING", {"a", "NULL"})).value()),
      ElementsAre("a!", "NULL"));
  // SMALLINT becomes INT, CHAR becomes STRING.
  EXPECT_THAT(lines_of(call("libtext_functions.so#shout",
                            batch_of("t CHAR(1) NOT NULL, n SMALLINT NOT NULL", {"a | 3"}))
                           .value()),
              ElementsAre("a!!!"));
  EXPECT_THAT(error("libtext_functions.so#shout"),
              HasSubstr("'shout' does not take (BIGINT); it takes (STRING), (STRING, INT)"));
}

TEST_F(UserLibraryTest, optional_argument_sees_nulls_and_optional_result_gives_them) {
  const Batch batch = batch_of("t STRING NOT NULL", {"' two words'", "'  '", "one"});
  const Column result = call("libtext_functions.so#first_word", batch).value();
  EXPECT_EQ(result.type().to_string(), "STRING");
  EXPECT_THAT(lines_of(result), ElementsAre("two", "NULL", "one"));
}

TEST_F(UserLibraryTest, result_is_not_null_when_nothing_can_make_it_so) {
  const auto expression =
      bind("libtext_functions.so#shout", columns(batch_of("t STRING NOT NULL", {})));
  EXPECT_EQ(expression.value()->type().to_string(), "STRING NOT NULL");
}

TEST_F(UserLibraryTest, runs_only_for_rows_that_need_it) {
  const Batch batch = batch_of("t STRING NOT NULL, n INT NOT NULL", {"a | 1", "b | -1", "c | 2"});
  const FunctionRegistry& registry = FunctionRegistry::built_in();
  EXPECT_THAT(error("libtext_functions.so#shout", batch),
              HasSubstr("function 'shout' of 'libtext_functions.so' failed: shout: cannot shout "
                        "less than not at all"));
  const ExpressionPtr positive =
      registry.resolve(">", {column(batch, 1), integer_literal(0)}).value();
  const ExpressionPtr loud = bind("libtext_functions.so#shout", columns(batch)).value();
  const ExpressionPtr guarded =
      registry.resolve("CASE", {positive, loud, column(batch, 0)}).value();
  EXPECT_THAT(lines_of(evaluate(guarded, batch).value()), ElementsAre("a!", "b", "c!!"));
}

TEST_F(UserLibraryTest, constants_are_folded_unless_the_function_forbids_it) {
  const EvaluationContext context{.pool = &test_pool()};
  const auto folded =
      fold_constants(bind("libtext_functions.so#shout", {text_literal("a")}).value(), context);
  EXPECT_EQ((*folded)->kind(), Expression::Kind::kLiteral);
  const ExpressionPtr counter = bind("libtext_functions.so#call_number", {}).value();
  EXPECT_EQ((*fold_constants(counter, context))->kind(), Expression::Kind::kCall);
  EXPECT_FALSE(FunctionRegistry::built_in().is_deterministic(*counter));
  const Batch batch = batch_of("n INT", {"0", "0", "0"});
  EXPECT_THAT(lines_of(evaluate(counter, batch).value()), ElementsAre("1", "2", "3"));
}

TEST_F(UserLibraryTest, async_function_keeps_the_order) {
  std::vector<std::string> lines;
  std::vector<std::string> expected;
  for (int i = 0; i < 250; ++i) {
    lines.emplace_back(static_cast<std::size_t>(i % 7 + 1), 'x');
    expected.push_back(std::to_string(i % 7 + 1));
  }
  const std::vector<std::string_view> views(lines.begin(), lines.end());
  const Column result =
      call("libtext_functions.so#slow_length", batch_of("t STRING", views)).value();
  EXPECT_EQ(lines_of(result), expected);
}

TEST_F(UserLibraryTest, aggregate_adds_merges_and_travels) {
  const std::vector<DataType> types = {type_of("DOUBLE")};
  const DataType result = type_of("DOUBLE");
  const auto make = [&] {
    return make_aggregate("libtext_functions.so#geometric_mean", types, result, false).value();
  };
  const AggregateFunctionPtr function = make();
  PoolStateAllocator allocator(test_pool());
  const auto bytes = static_cast<std::size_t>(function->state_bytes());
  std::vector<std::byte> memory(3 * bytes);
  std::byte* const a = memory.data();
  std::byte* const b = a + bytes;
  std::byte* const empty = b + bytes;
  const std::vector<Column> values = {column_of("DOUBLE", {"2", "NULL", "8", "1", "3"})};
  const std::vector<std::byte*> states = {a, a, a, b, b};
  const Column filter = column_of("BOOLEAN", {"TRUE", "TRUE", "TRUE", "TRUE", "FALSE"});
  ASSERT_TRUE(
      function->update({.states = states, .arguments = values, .filter = &filter}, allocator)
          .is_ok());
  const std::vector<std::byte*> all = {a, b, empty};
  EXPECT_THAT(lines_of(function->emit(all, 0, test_pool()).value()),
              ElementsAre("4.0", "1.0", "NULL"));
  std::vector<Column> partials;
  ASSERT_TRUE(function->write_state(all, 0, test_pool(), partials).is_ok());
  // Two partials of each: the mean stays.
  const AggregateFunctionPtr global = make();
  std::vector<std::byte> other(3 * bytes);
  const std::vector<std::byte*> into = {other.data(), other.data() + bytes,
                                        other.data() + 2 * bytes};
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(global->merge_columns({.states = into, .arguments = partials}, allocator).is_ok());
  }
  ASSERT_TRUE(
      global->merge(std::span(into).subspan(2, 1), std::span(all).subspan(0, 1), 0, allocator)
          .is_ok());
  EXPECT_THAT(lines_of(global->emit(into, 0, test_pool()).value()),
              ElementsAre("4.0", "1.0", "4.0"));
  // What was kept by another version of the library is not read as if it were this one's.
  const std::vector<Column> shorter = {column_of("BYTES", {"x'00ff'"})};
  const std::vector<std::byte*> one = {into[0]};
  EXPECT_THAT(global->merge_columns({.states = one, .arguments = shorter}, allocator).to_string(),
              HasSubstr("was kept with 2 bytes, now it has 16"));
}

TEST_F(UserLibraryTest, exception_of_an_aggregate_is_an_error) {
  const AggregateFunctionPtr function =
      make_aggregate("libtext_functions.so#geometric_mean", {type_of("DOUBLE")}, type_of("DOUBLE"),
                     false)
          .value();
  PoolStateAllocator allocator(test_pool());
  std::vector<std::byte> memory(static_cast<std::size_t>(function->state_bytes()));
  const std::vector<std::byte*> states = {memory.data()};
  const std::vector<Column> values = {column_of("DOUBLE", {"-1"})};
  EXPECT_THAT(
      function->update({.states = states, .arguments = values}, allocator).to_string(),
      HasSubstr("function 'geometric_mean' of 'libtext_functions.so' failed: geometric_mean: takes "
                "positive numbers only"));
}

TEST_F(UserLibraryTest, plan_of_another_library_is_refused) {
  EXPECT_THAT(make_aggregate("libtext_functions.so#geometric_mean", {type_of("DOUBLE")},
                             type_of("BIGINT"), false)
                  .status()
                  .to_string(),
              HasSubstr("does not answer BIGINT for (DOUBLE): the library is another one"));
  const ExpressionPtr wrong = Expression::call("libtext_functions.so#shout", {text_literal("a")},
                                               type_of("DECIMAL(10, 2)"));
  EXPECT_FALSE(evaluate(wrong, batch_of("n INT", {"1"})).is_ok());
  const ExpressionPtr aggregate =
      Expression::call("libtext_functions.so#geometric_mean", {}, type_of("DOUBLE"));
  EXPECT_FALSE(evaluate(aggregate, batch_of("n INT", {"1"})).is_ok());
}

TEST_F(UserLibraryTest, hostile_functions_are_errors) {
  const auto failure = [](std::string_view name) {
    return error("libhostile_functions.so#" + std::string(name));
  };
  EXPECT_THAT(failure("throws"), HasSubstr("'throws' of 'libhostile_functions.so' failed: thrown "
                                           "across the border"));
  EXPECT_THAT(failure("throws_number"), HasSubstr("an exception of an unknown type"));
  EXPECT_THAT(failure("fails"), HasSubstr("failed: xxxx"));
  EXPECT_THAT(failure("silent"), HasSubstr("it answered 0 of 3 rows"));
  EXPECT_THAT(failure("text_for_number"), HasSubstr("it answered a text, its result is BIGINT"));
  EXPECT_THAT(failure("text_too_far"), HasSubstr("it answered 1 bytes for row 3 of 3"));
  EXPECT_THAT(failure("text_below_zero"), HasSubstr("it answered -1 bytes for row 0 of 3"));
  EXPECT_THAT(failure("same_row"), HasSubstr("it gave no answer for row 1"));
  EXPECT_THAT(failure("no_text"), HasSubstr("its answer is no STRING: its bytes are not UTF-8"));
  EXPECT_THAT(failure("null_answer"), HasSubstr("it answered NULL, and says it never does"));
  EXPECT_THAT(failure("no_boolean"), HasSubstr("its answer is no BOOLEAN"));
  EXPECT_THAT(failure("no_time"), HasSubstr("its answer is no TIME(0): -1 ms"));
  EXPECT_THAT(failure("not_opened"), HasSubstr("failed: not today"));
}

TEST_F(UserLibraryTest, hostile_libraries_are_refused) {
  const auto refusal = [](std::string_view library) { return error(std::string(library) + "#f"); };
  EXPECT_THAT(refusal("libhostile_version.so"),
              HasSubstr("built for version 7 of the function interface, this is version 1"));
  EXPECT_THAT(refusal("libhostile_missing.so"),
              HasSubstr("exports no function 'clepsydra_function_library'"));
  EXPECT_THAT(refusal("libhostile_throws.so"), HasSubstr("threw an exception"));
  EXPECT_THAT(refusal("libhostile_nothing.so"), HasSubstr("answered nothing"));
  EXPECT_THAT(refusal("libhostile_unresolved.so"), HasSubstr("clepsydra_nobody_has_this"));
  EXPECT_THAT(refusal("libhostile_twice.so"), HasSubstr("'f' is there twice"));
  EXPECT_THAT(refusal("libhostile_decimal.so"),
              HasSubstr("its function 'f' has a result of the unknown type 8 (39, 0)"));
  EXPECT_THAT(refusal("libtext_functions.so"),
              HasSubstr("library 'libtext_functions.so' has no function 'f'; it has call_number, "
                        "first_word, geometric_mean, shout, slow_length"));
}

TEST_F(UserLibraryTest, libraries_come_from_below_one_folder_only) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(::testing::TempDir()) / "clepsydra_user_libraries";
  fs::remove_all(folder);
  fs::create_directories(folder / "root" / "sub");
  fs::copy_file(build_path("functions/libtext_functions.so"), folder / "outside.so");
  fs::copy_file(build_path("functions/libtext_functions.so"), folder / "root/sub/inside.so");
  fs::create_symlink(folder / "outside.so", folder / "root/link.so");
  fs::create_symlink("sub/inside.so", folder / "root/inner_link.so");
  fs::create_symlink("..", folder / "root/up");
  fs::create_directories(folder / "root/folder.so");
  const auto refusal = [](std::string_view library) {
    const auto found = find_user_functions(std::string(library) + "#shout");
    return found.is_ok() ? "fine" : found.status().to_string();
  };
  EXPECT_THAT(refusal("x.so"), HasSubstr("NotFound"));
  set_user_library_directory("");
  EXPECT_THAT(refusal("sub/inside.so"), HasSubstr("'clepsydra.udf.directory', which is not set"));
  set_user_library_directory((folder / "root").string());
  EXPECT_EQ(refusal("sub/inside.so"), "fine");
  EXPECT_EQ(refusal("inner_link.so"), "fine");
  EXPECT_THAT(refusal("link.so"), HasSubstr("leads out of the folder of libraries"));
  EXPECT_THAT(refusal("up/outside.so"), HasSubstr("leads out of the folder of libraries"));
  EXPECT_THAT(refusal("../outside.so"), HasSubstr("without '.', '..' or empty parts"));
  EXPECT_THAT(refusal((folder / "outside.so").string()), HasSubstr("without '.', '..'"));
  EXPECT_THAT(refusal("sub//inside.so"), HasSubstr("empty parts"));
  EXPECT_THAT(refusal("folder.so"), HasSubstr("is not a plain file"));
  EXPECT_THAT(refusal("none.so"), HasSubstr("NotFound"));
  EXPECT_THAT(refusal(std::string(65536, 'x')), HasSubstr("cannot find the library"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace clepsydra
