// State that was stored with other fields and types: which of it is read, how, and what is refused.
#include "state/schema_evolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "state/entry_states.h"
#include "state/state_backend.h"
#include "state/state_blocks.h"
#include "state/state_test_backends.h"
#include "state/type_widening.h"
#include "state/value_state.h"
#include "stream/key_group.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/source_path.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using testing::column_of;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::schema_of;
using testing::test_pool;
using testing::type_of;

constexpr int kMaxParallelism = 128;

// ---- Types ----

struct Widening {
  const char* from;
  const char* to;
  std::vector<std::string_view> values;
  std::vector<std::string> wide;
  bool keeps_hash;
};

std::vector<Widening> widenings() {
  return {
      {"TINYINT", "SMALLINT", {"-128", "NULL", "127"}, {"-128", "NULL", "127"}, true},
      {"TINYINT", "BIGINT", {"-128", "5"}, {"-128", "5"}, true},
      {"SMALLINT", "INT", {"-32768", "NULL"}, {"-32768", "NULL"}, true},
      {"INT", "BIGINT", {"-2147483648", "7"}, {"-2147483648", "7"}, true},
      {"SMALLINT", "FLOAT", {"-32768", "7"}, {"-32768.0", "7.0"}, false},
      {"INT", "DOUBLE", {"2147483647", "NULL"}, {"2.147483647E9", "NULL"}, false},
      {"INT", "DECIMAL(12, 2)", {"-2147483648", "7"}, {"-2147483648.00", "7.00"}, false},
      {"BIGINT", "DECIMAL(19, 0)", {"9223372036854775807"}, {"9223372036854775807"}, false},
      {"FLOAT", "DOUBLE", {"0.5", "-0.0", "NaN", "NULL"}, {"0.5", "-0.0", "NaN", "NULL"}, true},
      {"DECIMAL(5, 2)", "DECIMAL(9, 2)", {"-999.99", "NULL"}, {"-999.99", "NULL"}, true},
      {"DECIMAL(5, 2)",
       "DECIMAL(38, 35)",
       {"-999.99"},
       {"-999.99000000000000000000000000000000000"},
       false},
      {"CHAR(2)", "CHAR(4)", {"ab", "äö", "NULL"}, {"'ab  '", "'äö  '", "NULL"}, false},
      {"CHAR(2)", "VARCHAR(2)", {"ab", "'a '"}, {"ab", "'a '"}, true},
      {"VARCHAR(3)", "STRING", {"abc", "''"}, {"abc", "''"}, true},
      {"BINARY(2)", "VARBINARY(5)", {"x'0aff'"}, {"x'0aff'"}, true},
      {"VARBINARY(2)", "BYTES", {"x'0aff'", "NULL"}, {"x'0aff'", "NULL"}, true},
      {"TIME(0)", "TIME(3)", {"10:11:12"}, {"10:11:12.000"}, true},
      {"TIMESTAMP(1)",
       "TIMESTAMP(3)",
       {"2024-01-01 10:00:00.5"},
       {"2024-01-01 10:00:00.500"},
       true},
      {"TIMESTAMP(3)",
       "TIMESTAMP(6)",
       {"1969-12-31 23:59:59.999", "NULL"},
       {"1969-12-31 23:59:59.999000", "NULL"},
       false},
      {"ARRAY<INT>", "ARRAY<BIGINT>", {"[1, NULL]", "[]"}, {"[1, NULL]", "[]"}, false},
      {"MAP<INT, FLOAT>", "MAP<BIGINT, DOUBLE>", {"{1=0.5}"}, {"{1=0.5}"}, false},
      {"MULTISET<INT>", "MULTISET<BIGINT>", {"{7=2}"}, {"{7=2}"}, false},
      {"ROW<a INT, b STRING>",
       "ROW<a BIGINT, b STRING>",
       {"(1, x)", "NULL"},
       {"(1, x)", "NULL"},
       false},
  };
}

TEST(TypeWideningTest, values_stay_what_they_are) {
  for (const Widening& each : widenings()) {
    SCOPED_TRACE(std::string(each.from) + " -> " + each.to);
    ASSERT_TRUE(can_widen(type_of(each.from), type_of(each.to)));
    const Column column = column_of(each.from, each.values);
    const Result<Column> wide = widen(column, type_of(each.to), test_pool());
    ASSERT_TRUE(wide.is_ok()) << wide.status().to_string();
    EXPECT_EQ(wide->type(), type_of(each.to));
    EXPECT_TRUE(validate(*wide, true).is_ok());
    EXPECT_THAT(lines_of(*wide), ElementsAreArray(each.wide));
  }
}

TEST(TypeWideningTest, keys_may_be_widened_where_their_hashes_stay) {
  for (const Widening& each : widenings()) {
    SCOPED_TRACE(std::string(each.from) + " -> " + each.to);
    EXPECT_EQ(can_widen_key(type_of(each.from), type_of(each.to)), each.keeps_hash);
    if (!each.keeps_hash) continue;
    const Column column = column_of(each.from, each.values);
    const Column wide = widen(column, type_of(each.to), test_pool()).value();
    std::vector<std::uint64_t> before(each.values.size());
    std::vector<std::uint64_t> after(each.values.size());
    hash_rows({&column, 1}, column.length(), before.data());
    hash_rows({&wide, 1}, wide.length(), after.data());
    EXPECT_EQ(before, after);
  }
}

TEST(TypeWideningTest, what_could_lose_something_is_no_widening) {
  const std::vector<std::pair<const char*, const char*>> refused = {
      {"BIGINT", "INT"},
      {"INT", "FLOAT"},
      {"BIGINT", "DOUBLE"},
      {"INT", "DECIMAL(10, 1)"},
      {"INT", "STRING"},
      {"BOOLEAN", "INT"},
      {"DOUBLE", "FLOAT"},
      {"DOUBLE", "DECIMAL(38, 10)"},
      {"DECIMAL(5, 2)", "DECIMAL(5, 3)"},
      {"DECIMAL(5, 2)", "DECIMAL(9, 1)"},
      {"DECIMAL(5, 0)", "BIGINT"},
      {"VARCHAR(3)", "VARCHAR(2)"},
      {"VARCHAR(3)", "CHAR(3)"},
      {"STRING", "BYTES"},
      {"BINARY(2)", "BINARY(3)"},
      {"TIMESTAMP(6)", "TIMESTAMP(3)"},
      {"TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"},
      {"DATE", "TIMESTAMP(3)"},
      {"ARRAY<BIGINT>", "ARRAY<INT>"},
      {"ARRAY<INT>", "MULTISET<INT>"},
      {"ROW<a INT>", "ROW<b INT>"},
      {"ROW<a INT>", "ROW<a INT, b INT>"},
  };
  for (const auto& [from, to] : refused) {
    EXPECT_FALSE(can_widen(type_of(from), type_of(to))) << from << " -> " << to;
    EXPECT_FALSE(can_widen_key(type_of(from), type_of(to))) << from << " -> " << to;
  }
}

TEST(TypeWideningTest, a_time_that_the_finer_unit_cannot_say_is_an_error) {
  const Column column =
      column_of("TIMESTAMP(3)", {"2024-01-01 00:00:00.000", "9999-12-31 23:59:59.999"});
  EXPECT_EQ(widen(column, type_of("TIMESTAMP(9)"), test_pool()).status().code(),
            StatusCode::kOutOfRange);
  EXPECT_TRUE(widen(column, type_of("TIMESTAMP(6)"), test_pool()).is_ok());
}

// ---- Schemas ----

std::vector<DataType> types_of(std::string_view text) {
  std::vector<DataType> types;
  if (text.empty()) return types;
  const SchemaPtr schema = schema_of(text);
  for (const Field& field : schema->fields()) types.push_back(field.type);
  return types;
}

KeyedRowsSpec spec_of(std::string_view keys, std::string_view fields) {
  const auto codec = ValueColumns::make(schema_of(fields)->fields()).value();
  return {.name = "s",
          .key_types = types_of(keys),
          .value_bytes = codec->value_bytes(),
          .codec = codec};
}

Result<SchemaEvolution> plan(std::string_view stored_keys, std::string_view stored_fields,
                             const KeyedRowsSpec& spec, std::vector<FieldRename> renames = {}) {
  const StoredSchema stored{.name = "s",
                            .key_types = types_of(stored_keys),
                            .fields = schema_of(stored_fields)->fields()};
  return SchemaEvolution::plan(stored, spec, renames, test_pool());
}

TEST(SchemaEvolutionTest, changes_are_told) {
  const Result<SchemaEvolution> evolution = plan("k INT", "a INT, gone STRING, old FLOAT",
                                                 spec_of("k BIGINT", "a BIGINT, b DATE, new FLOAT"),
                                                 {{"s", "old", "new"}, {"other", "x", "y"}});
  ASSERT_TRUE(evolution.is_ok()) << evolution.status().to_string();
  EXPECT_THAT(
      evolution->changes(),
      ElementsAre("state 's': key 1 INT -> BIGINT", "state 's': field 'old' is named 'new' now",
                  "state 's': field 'a' INT -> BIGINT", "state 's': field 'b' DATE is new",
                  "state 's': field 'gone' STRING is dropped"));
  EXPECT_THAT(plan("k INT", "a INT", spec_of("k INT NOT NULL", "a INT NOT NULL"))->changes(),
              IsEmpty());
}

TEST(SchemaEvolutionTest, what_cannot_be_read_is_refused_with_both_types) {
  struct Case {
    const char* keys;
    const char* fields;
    KeyedRowsSpec spec;
    std::vector<FieldRename> renames;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"k INT",
       "a BIGINT",
       spec_of("k INT", "a INT"),
       {},
       "field 'a' of state 's' was stored as BIGINT and cannot be restored as INT"},
      {"k INT, l STRING",
       "a INT",
       spec_of("k INT, l INT", "a INT"),
       {},
       "key 2 of state 's' was stored as STRING and cannot be restored as INT"},
      {"k INT",
       "a INT",
       spec_of("k DECIMAL(10, 0)", "a INT"),
       {},
       "key 1 of state 's' was stored as INT and cannot be restored as DECIMAL(10, 0)"},
      {"k INT",
       "a INT",
       spec_of("k INT, l INT", "a INT"),
       {},
       "state 's' was stored with 1 keys and has 2 now"},
      {"k INT",
       "a INT",
       spec_of("k INT", "b INT"),
       {{"s", "x", "b"}},
       "state 's' was stored without a field 'x', which is said to have become 'b'"},
      {"k INT",
       "a INT",
       spec_of("k INT", "b INT"),
       {{"s", "a", "c"}},
       "state 's' has no field 'c' that 'a' could have become"},
      {"k INT",
       "a INT, b INT",
       spec_of("k INT", "b INT"),
       {{"s", "a", "b"}},
       "field 'a' of state 's' cannot have become 'b': there is another one of that name"},
      {"k INT",
       "a STRING",
       spec_of("k INT", "b INT"),
       {{"s", "a", "b"}},
       "field 'b' of state 's' was stored as STRING and cannot be restored as INT"},
  };
  for (const Case& each : cases) {
    const Status status = plan(each.keys, each.fields, each.spec, each.renames).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << each.message;
    EXPECT_THAT(status.message(), HasSubstr(each.message));
  }
}

TEST(SchemaEvolutionTest, a_name_that_was_changed_before_is_no_error) {
  const Result<SchemaEvolution> evolution =
      plan("k INT", "b INT", spec_of("k INT", "b INT"), {{"s", "a", "b"}});
  ASSERT_TRUE(evolution.is_ok()) << evolution.status().to_string();
  EXPECT_THAT(evolution->changes(), IsEmpty());
}

TEST(SchemaEvolutionTest, names_may_be_exchanged) {
  const KeyedRowsSpec spec = spec_of("", "a INT, b INT, c INT");
  // What was `a` is `b`, and there is a new `a`.
  const Result<SchemaEvolution> evolution = plan("", "a INT, c INT", spec, {{"s", "a", "b"}});
  ASSERT_TRUE(evolution.is_ok()) << evolution.status().to_string();
  const Batch stored = batch_of("a INT, c INT", {"1 | 3"});
  const auto columns = evolution->convert_rows(stored.columns(), 1, test_pool()).value();
  EXPECT_THAT(lines_of(Batch(schema_of("a INT, b INT, c INT"), 1, columns)),
              ElementsAre("NULL | 1 | 3"));
}

TEST(SchemaEvolutionTest, new_fields_are_null_or_as_in_a_new_value) {
  const KeyedRowsSpec spec = spec_of(
      "k INT",
      "a INT, b STRING, c BIGINT NOT NULL, d STRING NOT NULL, e DECIMAL(5, 2) NOT NULL, f BOOLEAN");
  const SchemaEvolution evolution = plan("k INT", "a INT", spec).value();
  const Batch stored = batch_of("k INT, a INT", {"1 | 10", "2 | NULL"});
  const auto columns = evolution.convert_rows(stored.columns(), 2, test_pool()).value();
  const SchemaPtr now = schema_of(
      "k INT, a INT, b STRING, c BIGINT NOT NULL, d STRING NOT NULL, e DECIMAL(5, 2) NOT NULL, "
      "f BOOLEAN");
  EXPECT_THAT(lines_of(Batch(now, 2, columns)),
              ElementsAre("1 | 10 | NULL | 0 | '' | 0.00 | NULL",
                          "2 | NULL | NULL | 0 | '' | 0.00 | NULL"));
}

TEST(SchemaEvolutionTest, null_has_no_place_where_it_is_not_allowed_any_more) {
  const SchemaEvolution evolution =
      plan("k INT", "a INT", spec_of("k INT NOT NULL", "a INT NOT NULL")).value();
  EXPECT_TRUE(evolution.convert_rows(batch_of("k INT, a INT", {"1 | 2"}).columns(), 1, test_pool())
                  .is_ok());
  const Status status =
      evolution.convert_rows(batch_of("k INT, a INT", {"1 | NULL"}).columns(), 1, test_pool())
          .status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("field 'a' of state 's' is NOT NULL now"));
}

// The state "counts" of a file that the first version wrote: keys BIGINT and STRING, fields `rows`
// BIGINT NOT NULL and `0 MAX 0` STRING.
std::string golden_base() {
  std::ifstream file(testing::source_path("tests/formats/state_v1.txt"));
  std::string bytes;
  bool is_base = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) is_base = line == "# base";
    std::istringstream words(is_base && !line.starts_with("#") ? line : "");
    for (std::string word; words >> word;) {
      bytes.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
    }
  }
  return bytes;
}

TEST(SchemaEvolutionTest, a_file_of_the_first_version_is_read_into_other_types) {
  const std::string bytes = golden_base();
  const StoredSnapshot snapshot = read_state_blocks(bytes).value();
  const StoredRows* const counts = snapshot.find_state("counts");
  ASSERT_NE(counts, nullptr);
  KeyedRowsSpec spec = spec_of("a BIGINT, b STRING",
                               "rows DECIMAL(20, 1) NOT NULL, hits BIGINT NOT NULL, text STRING");
  spec.name = "counts";
  const std::vector<FieldRename> renames = {{"counts", "0 MAX 0", "text"}};
  const SchemaEvolution evolution =
      SchemaEvolution::plan(counts->schema, spec, renames, test_pool()).value();
  const Batch stored = counts->decode_rows(counts->rows[0], test_pool()).value();
  const auto columns = evolution.convert_rows(stored.columns(), stored.rows(), test_pool()).value();
  const SchemaPtr now = schema_of(
      "a BIGINT, b STRING, rows DECIMAL(20, 1) NOT NULL, hits BIGINT NOT NULL, text STRING");
  EXPECT_THAT(
      lines_of(Batch(now, 3, columns)),
      ElementsAre("1 | one | 10.0 | 0 | x", "2 | a key longer than twelve bytes | 20.0 | 0 | NULL",
                  "NULL | NULL | 30.0 | 0 | a value longer than twelve bytes"));
}

// ---- Backends ----

std::string take(KeyedStateBackend& backend) {
  std::unique_ptr<StateSnapshot> snapshot = backend.freeze(false).value();
  std::string bytes;
  while (!snapshot->write_some(3, bytes).value()) {
  }
  snapshot.reset();
  backend.confirm(true);
  return bytes;
}

// Keys of a call.
struct Keys {
  explicit Keys(Column values) : column(std::move(values)), hashes(column_rows()) {
    hash_rows({&column, 1}, column.length(), hashes.data());
  }
  [[nodiscard]] std::size_t column_rows() const {
    return static_cast<std::size_t>(column.length());
  }
  [[nodiscard]] KeyBatch batch() const {
    return {.columns = {&column, 1}, .hashes = hashes.data(), .count = column.length()};
  }
  Column column;
  std::vector<std::uint64_t> hashes;
};

class EvolvedStateTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<KeyedStateBackend> make_backend(KeyGroupRange groups = {0, kMaxParallelism}) {
    return testing::make_test_backend(
        GetParam(),
        {.pool = pool_.get(), .key_groups = groups, .max_parallelism = kMaxParallelism});
  }

  std::unique_ptr<KeyedStateBackend> restored(std::vector<std::string> snapshots,
                                              std::vector<FieldRename> renames = {},
                                              KeyGroupRange groups = {0, kMaxParallelism}) {
    auto backend = make_backend(groups);
    RestoredState state;
    state.parts.push_back({.snapshots = SnapshotBytes::all_of(std::move(snapshots))});
    state.renames = std::move(renames);
    const Status status = backend->restore(std::move(state));
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return backend;
  }

  Result<ValueState> open(KeyedStateBackend& backend, std::string_view key,
                          std::string_view fields) {
    return ValueState::open(backend, "s", {type_of(key)}, schema_of(fields)->fields(), *pool_);
  }

  // All values of the keys, as lines.
  std::vector<std::string> get(ValueState& state, KeyedStateBackend& backend, Column keys,
                               std::string_view fields, StateNamespace ns = 1) {
    const Keys asked(std::move(keys));
    std::vector<Column> values;
    std::vector<const std::byte*> found;
    const Status status = state.get(ns, asked.batch(), values, found);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    EXPECT_TRUE(backend.release_rows().is_ok());
    return lines_of(Batch(schema_of(fields), asked.column.length(), values));
  }

  // A base and a delta of INT keys 1 to 6 in namespace 1; 2 is gone, 3 written anew, 6 new in the
  // delta; namespace 9 is dropped with it.
  std::vector<std::string> narrow_snapshots() {
    constexpr std::string_view kFields = "a INT, gone STRING, old FLOAT";
    const auto backend = make_backend();
    ValueState state = open(*backend, "INT", kFields).value();
    const auto put = [&](StateNamespace ns, const std::vector<std::string_view>& keys,
                         const std::vector<std::string_view>& values) {
      const Keys of(column_of("INT", keys));
      const Batch batch = batch_of(kFields, values);
      EXPECT_TRUE(state.put(ns, of.batch(), batch.columns()).is_ok());
      EXPECT_TRUE(backend->release_rows().is_ok());
    };
    put(1, {"1", "2", "3", "4", "5"},
        {"10 | a text that is longer than twelve | 0.5", "20 | b | 1.5", "30 | c | NULL",
         "NULL | NULL | 3.5", "-2147483648 | '' | 4.5"});
    put(9, {"1"}, {"1 | x | 1.0"});
    std::vector<std::string> snapshots = {take(*backend)};
    const Keys second(column_of("INT", {"2"}));
    EXPECT_TRUE(state.erase(1, second.batch()).is_ok());
    put(1, {"3", "6"}, {"31 | c | 2.5", "60 | f | NULL"});
    state.drop(9);
    snapshots.push_back(take(*backend));
    return snapshots;
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
};

constexpr std::string_view kWide = "a BIGINT, b STRING, c BIGINT NOT NULL, new DOUBLE";

TEST_P(EvolvedStateTest, fields_come_and_go_and_get_wider) {
  const auto backend = restored(narrow_snapshots(), {{"s", "old", "new"}});
  ValueState state = open(*backend, "BIGINT", kWide).value();
  EXPECT_THAT(
      backend->restored_changes(),
      ElementsAre("state 's': key 1 INT -> BIGINT", "state 's': field 'old' is named 'new' now",
                  "state 's': field 'a' INT -> BIGINT", "state 's': field 'b' STRING is new",
                  "state 's': field 'c' BIGINT is new", "state 's': field 'new' FLOAT -> DOUBLE",
                  "state 's': field 'gone' STRING is dropped"));
  EXPECT_THAT(backend->unclaimed(), IsEmpty());
  const Column keys = column_of("BIGINT", {"1", "2", "3", "4", "5", "6"});
  const std::vector<std::string> expected = {
      "10 | NULL | 0 | 0.5",   "NULL | NULL | NULL | NULL",    "31 | NULL | 0 | 2.5",
      "NULL | NULL | 0 | 3.5", "-2147483648 | NULL | 0 | 4.5", "60 | NULL | 0 | NULL"};
  constexpr std::string_view kFound = "a BIGINT, b STRING, c BIGINT, new DOUBLE";
  EXPECT_THAT(get(state, *backend, keys, kFound), ElementsAreArray(expected));
  EXPECT_THAT(get(state, *backend, column_of("BIGINT", {"1"}), kFound, 9),
              ElementsAre("NULL | NULL | NULL | NULL"));

  // What it stores from now on has the new types, and is what a restart reads.
  const Keys changed(column_of("BIGINT", {"5"}));
  const Batch value = batch_of(kWide, {"5000000000 | text | 7 | 1.0E300"});
  ASSERT_TRUE(state.put(1, changed.batch(), value.columns()).is_ok());
  const auto later = restored({take(*backend)}, {{"s", "old", "new"}});
  ValueState again = open(*later, "BIGINT", kWide).value();
  EXPECT_THAT(later->restored_changes(), IsEmpty());
  EXPECT_THAT(get(again, *later, column_of("BIGINT", {"5", "6"}), kFound),
              ElementsAre("5000000000 | text | 7 | 1.0E300", "60 | NULL | 0 | NULL"));
}

TEST_P(EvolvedStateTest, wider_keys_go_where_new_rows_of_them_go) {
  const std::vector<std::string> snapshots = narrow_snapshots();
  int found = 0;
  for (const KeyGroupRange groups : {KeyGroupRange{0, 40}, KeyGroupRange{40, kMaxParallelism}}) {
    const auto backend = restored(snapshots, {}, groups);
    ValueState state = open(*backend, "BIGINT", "a BIGINT").value();
    for (const std::string_view key : {"1", "3", "4", "5", "6"}) {
      const Keys of(column_of("BIGINT", {key}));
      const int group = key_group_of(of.hashes[0], kMaxParallelism);
      if (group < groups.begin || group >= groups.end) continue;
      std::vector<Column> values;
      std::vector<const std::byte*> rows;
      ASSERT_TRUE(state.get(1, of.batch(), values, rows).is_ok());
      EXPECT_NE(rows[0], nullptr) << key;
      ++found;
      ASSERT_TRUE(backend->release_rows().is_ok());
    }
  }
  EXPECT_EQ(found, 5);
}

TEST_P(EvolvedStateTest, entries_evolve_as_other_rows_do) {
  const auto make_spec = [](const char* entry, std::string_view values) {
    return EntryStateSpec{.name = "m",
                          .key_types = {DataType::string()},
                          .entry_types = {type_of(entry)},
                          .values = schema_of(values)->fields()};
  };
  const auto former = make_backend();
  MapState map = MapState::open(*former, make_spec("INT", "v INT"), *pool_).value();
  const Keys keys(column_of("STRING", {"x", "x", "y"}));
  const Column entries = column_of("INT", {"-5", "7", "1"});
  const Column values = column_of("INT", {"1", "2", "3"});
  ASSERT_TRUE(map.put(1, keys.batch(), {&entries, 1}, {&values, 1}).is_ok());
  std::vector<std::string> snapshots = {take(*former)};
  const Keys y(column_of("STRING", {"y"}));
  const Column one = column_of("INT", {"1"});
  ASSERT_TRUE(map.erase(1, y.batch(), {&one, 1}).is_ok());
  snapshots.push_back(take(*former));

  const auto backend = restored(snapshots);
  MapState now =
      MapState::open(*backend, make_spec("BIGINT", "v BIGINT, w STRING"), *pool_).value();
  const Keys x(column_of("STRING", {"x"}));
  const Column more = column_of("BIGINT", {"0"});
  const Batch value = batch_of("v BIGINT, w STRING", {"4 | new"});
  ASSERT_TRUE(now.put(1, x.batch(), {&more, 1}, value.columns()).is_ok());
  const Keys both(column_of("STRING", {"x", "y"}));
  EntryColumns found;
  ASSERT_TRUE(now.first(1, both.batch(), 10, found).is_ok());
  EXPECT_THAT(found.ends, ElementsAre(3U, 3U));
  EXPECT_THAT(lines_of(found.entries[0]), ElementsAre("-5", "0", "7"));
  EXPECT_THAT(lines_of(found.values[0]), ElementsAre("1", "4", "2"));
  EXPECT_THAT(lines_of(found.values[1]), ElementsAre("NULL", "new", "NULL"));

  const auto refused = restored(snapshots);
  const Status status = MapState::open(*refused, make_spec("STRING", "v INT"), *pool_).status();
  EXPECT_THAT(status.message(),
              HasSubstr("key 2 of state 'm' was stored as INT and cannot be restored as STRING"));
}

TEST_P(EvolvedStateTest, what_cannot_be_read_is_refused_when_it_is_opened) {
  const auto backend = restored(narrow_snapshots());
  const Status status = open(*backend, "INT", "a SMALLINT").status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(),
              HasSubstr("field 'a' of state 's' was stored as INT and cannot be restored as "
                        "SMALLINT"));
}

INSTANTIATE_TEST_SUITE_P(Backends, EvolvedStateTest,
                         ::testing::ValuesIn(testing::state_backend_kinds()),
                         [](const auto& of) { return of.param; });

}  // namespace
}  // namespace clepsydra
