#include "state/state_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "base/hash.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "state/state_backend.h"
#include "stream/column_builder.h"
#include "tests/harness/source_path.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

MemoryPool& pool() {
  static const auto kPool = MemoryPool::make_root("test");
  return *kPool;
}

Column big_ints(const std::vector<std::int64_t>& values, const DataType& type) {
  ColumnBuilder builder(type, pool());
  for (const std::int64_t value : values) builder.append(value);
  return *builder.finish();
}

constexpr std::int64_t kNull = std::numeric_limits<std::int64_t>::min();

Column nullable_big_ints(const std::vector<std::int64_t>& values) {
  ColumnBuilder builder(DataType::big_int(), pool());
  for (const std::int64_t value : values) {
    if (value == kNull) {
      builder.append_null();
    } else {
      builder.append(value);
    }
  }
  return *builder.finish();
}

Column texts(const std::vector<const char*>& values) {
  ColumnBuilder builder(DataType::string(), pool());
  for (const char* value : values) {
    if (value == nullptr) {
      builder.append_null();
    } else {
      builder.append_string(value);
    }
  }
  return *builder.finish();
}

std::vector<std::string> lines_of(const Batch& batch) {
  std::vector<std::string> lines;
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    std::string line;
    for (const Column& column : batch.columns()) {
      if (!line.empty()) line += " | ";
      if (column.is_null(row)) {
        line += "NULL";
      } else if (column.type().physical() == PhysicalType::kView) {
        line += column.string_at(row);
      } else {
        line += std::to_string(column.values<std::int64_t>()[row]);
      }
    }
    lines.push_back(line);
  }
  return lines;
}

const char* const kLongKey = "a key longer than twelve bytes";
const char* const kLongValue = "a value longer than twelve bytes";
const char* const kLongItem = "a longer item of a list";

StoredSchema counts_schema() {
  return {.name = "counts",
          .key_types = {DataType::big_int(), DataType::string()},
          .fields = {{"rows", DataType::big_int().with_nullable(false), {}},
                     {"0 MAX 0", DataType::string(), {}}}};
}

StoredSchema total_schema() {
  return {.name = "total",
          .key_types = {},
          .fields = {{"rows", DataType::big_int().with_nullable(false), {}}}};
}

// The snapshots of the golden file, as docs/formats/state.md has them written.
std::string golden_base() {
  const DataType count = DataType::big_int().with_nullable(false);
  std::string out;
  StateBlockWriter writer;
  writer.begin({.is_base = true, .key_groups = {0, 64}, .max_parallelism = 128}, out);
  writer.add_number("closed_until", 1700000000000, out);
  writer.add_number("offset", -7, out);
  EXPECT_TRUE(writer.add_list("splits", std::vector<std::string>{"a", "", kLongItem}, out).is_ok());
  writer.add_timers("windows", std::vector<Timer>{{1000, 1000}, {2000, -5}}, out);
  EXPECT_EQ(*writer.add_state(counts_schema(), out), 0U);
  EXPECT_EQ(*writer.add_state(total_schema(), out), 1U);
  const NamespaceRun runs[] = {{1000, 2}, {-5, 1}};
  EXPECT_TRUE(writer
                  .add_rows(0, runs,
                            {nullable_big_ints({1, 2, kNull}), texts({"one", kLongKey, nullptr}),
                             big_ints({10, 20, 30}, count), texts({"x", nullptr, kLongValue})},
                            pool(), out)
                  .is_ok());
  const NamespaceRun one[] = {{0, 1}};
  EXPECT_TRUE(writer.add_rows(1, one, {big_ints({60}, count)}, pool(), out).is_ok());
  writer.finish(out);
  return out;
}

std::string golden_delta() {
  const DataType count = DataType::big_int().with_nullable(false);
  std::string out;
  StateBlockWriter writer;
  writer.begin({.is_base = false, .key_groups = {0, 64}, .max_parallelism = 128}, out);
  writer.add_number("closed_until", 1700000060000, out);
  writer.add_number("offset", -7, out);
  EXPECT_TRUE(writer.add_list("splits", {}, out).is_ok());
  writer.add_timers("windows", {}, out);
  EXPECT_TRUE(writer.add_state(counts_schema(), out).is_ok());
  EXPECT_TRUE(writer.add_state(total_schema(), out).is_ok());
  writer.add_dropped(0, std::vector<StateNamespace>{-5}, out);
  const NamespaceRun erased[] = {{1000, 1}};
  EXPECT_TRUE(
      writer.add_erased(0, erased, {nullable_big_ints({1}), texts({"one"})}, pool(), out).is_ok());
  const NamespaceRun runs[] = {{1000, 1}, {3000, 1}};
  EXPECT_TRUE(writer
                  .add_rows(0, runs,
                            {nullable_big_ints({2, 3}), texts({kLongKey, ""}),
                             big_ints({21, 1}, count), texts({"y", nullptr})},
                            pool(), out)
                  .is_ok());
  writer.finish(out);
  return out;
}

// A log of entries beside a state without them.
const char* const kOuterKey = "an outer key longer than twelve bytes";

void begin_entries(StateBlockWriter& writer, bool is_base, std::int64_t next_id, std::string& out) {
  const DataType count = DataType::big_int().with_nullable(false);
  writer.begin({.is_base = is_base, .key_groups = {0, 64}, .max_parallelism = 128}, out);
  writer.add_number("log.next-id", next_id, out);
  EXPECT_EQ(
      *writer.add_state(
          {.name = "count", .key_types = {DataType::big_int()}, .fields = {{"rows", count, {}}}},
          out),
      0U);
  EXPECT_EQ(*writer.add_state({.name = "log",
                               .key_types = {DataType::string(), count},
                               .fields = {{"row", count, {}}},
                               .entry_columns = 1},
                              out),
            1U);
}

std::string golden_entries_base() {
  const DataType count = DataType::big_int().with_nullable(false);
  std::string out;
  StateBlockWriter writer;
  begin_entries(writer, true, 4, out);
  const NamespaceRun runs[] = {{7, 2}, {-1, 1}};
  EXPECT_TRUE(writer
                  .add_rows(1, runs,
                            {texts({"a", kOuterKey, "a"}), big_ints({1, 2, 3}, count),
                             big_ints({10, 20, 30}, count)},
                            pool(), out)
                  .is_ok());
  const NamespaceRun one[] = {{0, 1}};
  EXPECT_TRUE(writer.add_rows(0, one, {nullable_big_ints({5}), big_ints({50}, count)}, pool(), out)
                  .is_ok());
  writer.finish(out);
  return out;
}

std::string golden_entries_delta() {
  const DataType count = DataType::big_int().with_nullable(false);
  std::string out;
  StateBlockWriter writer;
  begin_entries(writer, false, 5, out);
  const NamespaceRun one[] = {{7, 1}};
  EXPECT_TRUE(
      writer.add_erased(1, one, {texts({kOuterKey}), big_ints({2}, count)}, pool(), out).is_ok());
  EXPECT_TRUE(writer
                  .add_rows(1, one, {texts({"a"}), big_ints({4}, count), big_ints({40}, count)},
                            pool(), out)
                  .is_ok());
  writer.finish(out);
  return out;
}

// By the comment before it.
std::map<std::string, std::string> golden_file(const std::string& name) {
  std::ifstream file(testing::source_path("tests/formats/" + name));
  EXPECT_TRUE(file.is_open());
  std::map<std::string, std::string> snapshots;
  std::string* bytes = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# ")) {
      bytes = &snapshots[line.substr(2)];
      continue;
    }
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      bytes->push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
    }
  }
  return snapshots;
}

TEST(StateBlocksTest, the_golden_file_is_written_and_read) {
  const std::map<std::string, std::string> golden = golden_file("state_v1.txt");
  const std::string& base = golden.at("base");
  const std::string& delta = golden.at("delta");
  EXPECT_EQ(golden_base(), base);
  EXPECT_EQ(golden_delta(), delta);

  const StoredSnapshot first = *read_state_blocks(base);
  EXPECT_TRUE(first.origin.is_base);
  EXPECT_EQ(first.origin.key_groups.begin, 0);
  EXPECT_EQ(first.origin.key_groups.end, 64);
  EXPECT_EQ(first.origin.max_parallelism, 128);
  EXPECT_THAT(first.numbers, ElementsAre(Pair("closed_until", 1700000000000), Pair("offset", -7)));
  EXPECT_THAT(first.lists, ElementsAre(Pair("splits", ElementsAre("a", "", kLongItem))));
  EXPECT_THAT(first.timers,
              ElementsAre(Pair("windows", ElementsAre(Timer{1000, 1000}, Timer{2000, -5}))));
  ASSERT_EQ(first.states.size(), 2U);
  const StoredRows& counts = first.states[0];
  EXPECT_EQ(counts.schema.name, "counts");
  EXPECT_EQ(counts.schema.key_types, counts_schema().key_types);
  EXPECT_EQ(counts.schema.fields, counts_schema().fields);
  ASSERT_EQ(counts.rows.size(), 1U);
  EXPECT_THAT(counts.rows[0].runs, ElementsAre(NamespaceRun{1000, 2}, NamespaceRun{-5, 1}));
  EXPECT_THAT(lines_of(*counts.decode_rows(counts.rows[0], pool())),
              ElementsAre("1 | one | 10 | x", std::string("2 | ") + kLongKey + " | 20 | NULL",
                          std::string("NULL | NULL | 30 | ") + kLongValue));
  const StoredRows& total = first.states[1];
  EXPECT_THAT(lines_of(*total.decode_rows(total.rows[0], pool())), ElementsAre("60"));

  const StoredSnapshot second = *read_state_blocks(delta);
  EXPECT_FALSE(second.origin.is_base);
  EXPECT_THAT(second.lists, ElementsAre(Pair("splits", IsEmpty())));
  EXPECT_THAT(second.timers, ElementsAre(Pair("windows", IsEmpty())));
  const StoredRows& changed = second.states[0];
  EXPECT_THAT(changed.dropped, ElementsAre(-5));
  EXPECT_THAT(lines_of(*changed.decode_erased(changed.erased[0], pool())), ElementsAre("1 | one"));
  EXPECT_THAT(changed.rows[0].runs, ElementsAre(NamespaceRun{1000, 1}, NamespaceRun{3000, 1}));
}

TEST(StateBlocksTest, the_golden_file_of_entries_is_written_and_read) {
  const std::map<std::string, std::string> golden = golden_file("state_entries_v1.txt");
  EXPECT_EQ(golden_entries_base(), golden.at("base"));
  EXPECT_EQ(golden_entries_delta(), golden.at("delta"));

  const StoredSnapshot first = *read_state_blocks(golden.at("base"));
  ASSERT_EQ(first.states.size(), 2U);
  EXPECT_EQ(first.states[0].schema.entry_columns, 0);
  const StoredRows& log = first.states[1];
  EXPECT_EQ(log.schema.name, "log");
  EXPECT_EQ(log.schema.entry_columns, 1);
  EXPECT_THAT(log.rows[0].runs, ElementsAre(NamespaceRun{7, 2}, NamespaceRun{-1, 1}));
  EXPECT_THAT(lines_of(*log.decode_rows(log.rows[0], pool())),
              ElementsAre("a | 1 | 10", std::string(kOuterKey) + " | 2 | 20", "a | 3 | 30"));
  const StoredSnapshot second = *read_state_blocks(golden.at("delta"));
  const StoredRows& changed = second.states[1];
  EXPECT_THAT(lines_of(*changed.decode_erased(changed.erased[0], pool())),
              ElementsAre(std::string(kOuterKey) + " | 2"));
  EXPECT_THAT(lines_of(*changed.decode_rows(changed.rows[0], pool())), ElementsAre("a | 4 | 40"));
}

TEST(StateBlocksTest, an_outline_needs_nothing_but_the_beginning) {
  for (const std::string& whole :
       {golden_base(), golden_delta(), golden_entries_base(), golden_entries_delta()}) {
    std::int64_t last = 0;
    const auto read_at = [&](std::int64_t offset, std::int64_t bytes) -> Result<std::string> {
      last = std::max(last, offset + bytes);
      if (offset > static_cast<std::int64_t>(whole.size())) return std::string();
      return whole.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes));
    };
    const Result<StoredOutline> outline = read_state_outline(read_at);
    ASSERT_TRUE(outline.is_ok()) << outline.status().to_string();
    const StoredSnapshot snapshot = *read_state_blocks(whole);
    EXPECT_EQ(outline->origin.max_parallelism, snapshot.origin.max_parallelism);
    ASSERT_EQ(outline->states.size(), snapshot.states.size());
    for (std::size_t i = 0; i < snapshot.states.size(); ++i) {
      EXPECT_EQ(outline->states[i].name, snapshot.states[i].schema.name);
      EXPECT_EQ(outline->states[i].fields, snapshot.states[i].schema.fields);
      EXPECT_EQ(outline->states[i].key_types, snapshot.states[i].schema.key_types);
      EXPECT_EQ(outline->states[i].entry_columns, snapshot.states[i].schema.entry_columns);
    }
    // The rows, and the end of it, are not looked at.
    EXPECT_LT(last, static_cast<std::int64_t>(whole.size()) - 2 * kStateBlockHeaderBytes);
    for (std::int64_t size = 0; size < last; ++size) {
      const auto cut = [&](std::int64_t offset, std::int64_t bytes) -> Result<std::string> {
        return whole.substr(0, static_cast<std::size_t>(size))
            .substr(static_cast<std::size_t>(std::min(offset, size)),
                    static_cast<std::size_t>(bytes));
      };
      ASSERT_EQ(read_state_outline(cut).status().code(), StatusCode::kDataLoss) << size;
    }
  }
}

TEST(StateBlocksTest, every_flipped_bit_and_every_cut_is_found) {
  for (const std::string& whole :
       {golden_base(), golden_delta(), golden_entries_base(), golden_entries_delta()}) {
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string broken = whole;
      broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
      const Status status = read_state_blocks(broken).status();
      ASSERT_EQ(status.code(), StatusCode::kDataLoss) << "bit " << bit;
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
      ASSERT_EQ(read_state_blocks(whole.substr(0, size)).status().code(), StatusCode::kDataLoss);
    }
    EXPECT_EQ(read_state_blocks(whole + whole).status().code(), StatusCode::kDataLoss);
    EXPECT_EQ(read_state_blocks(whole + '\0').status().code(), StatusCode::kDataLoss);
  }
}

// As the writer does it, so that a test can break the bytes behind the checksum.
void sign(std::string& snapshot) {
  for (std::size_t at = 0; at + 24 <= snapshot.size();) {
    char* block = snapshot.data() + at;
    const auto size = load_le<std::uint64_t>(block + 16);
    if (size > snapshot.size() - at - 24) return;
    store_le(block + 8, hash64_with_seed(block + 16, size + 8, load_le<std::uint64_t>(block)));
    at += 24 + size;
  }
}

TEST(StateBlocksTest, bytes_that_make_no_sense_are_an_error_and_never_a_crash) {
  Random random(3);
  int readable = 0;
  for (int i = 0; i < 20'000; ++i) {
    static const std::string kWhole[] = {golden_base(), golden_delta(), golden_entries_base(),
                                         golden_entries_delta()};
    std::string broken = kWhole[i % 4];
    const std::uint64_t changes = 1 + random.uniform(3);
    for (std::uint64_t c = 0; c < changes; ++c) {
      broken[random.uniform(broken.size())] = static_cast<char>(random.uniform(256));
    }
    sign(broken);
    const Result<StoredSnapshot> snapshot = read_state_blocks(broken);
    if (!snapshot.is_ok()) continue;
    ++readable;
    for (const StoredRows& state : snapshot->states) {
      for (const StoredBatch& block : state.rows) (void)state.decode_rows(block, pool());
      for (const StoredBatch& block : state.erased) (void)state.decode_erased(block, pool());
    }
  }
  EXPECT_GT(readable, 100);
}

TEST(StateBlocksTest, another_version_is_named) {
  std::string later = golden_base();
  later[4] = 2;
  sign(later);
  const Status status = read_state_blocks(later).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("has version 2; this program reads version 1"));
}

TEST(StateBlocksTest, more_or_no_keys_of_entries_than_there_are_keys_make_no_sense) {
  const std::string whole = golden_entries_base();
  for (const std::uint32_t columns : {0U, 3U, 0xFFFF'FFFFU}) {
    std::string broken = whole;
    // Of the one block of kind 10: the number behind its text.
    for (std::size_t at = 0; at < broken.size();
         at += 24 + load_le<std::uint64_t>(broken.data() + at + 16)) {
      if (load_le<std::uint16_t>(broken.data() + at + 6) != 10) continue;
      store_le(broken.data() + at + 32 + load_le<std::uint64_t>(broken.data() + at + 24), columns);
    }
    ASSERT_NE(broken, whole);
    sign(broken);
    const Status status = read_state_blocks(broken).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.to_string(), HasSubstr("of its 2 keys are of entries"));
  }
}

TEST(StateBlocksTest, an_error_names_its_place) {
  std::string broken = golden_base();
  const std::size_t second_block = 24 + load_le<std::uint64_t>(broken.data() + 16);
  broken[second_block + 30] = static_cast<char>(broken[second_block + 30] ^ 1);
  EXPECT_THAT(
      read_state_blocks(broken).status().to_string(),
      HasSubstr("at byte " + std::to_string(second_block) + " is broken: its checksum is wrong"));
}

}  // namespace
}  // namespace clepsydra
