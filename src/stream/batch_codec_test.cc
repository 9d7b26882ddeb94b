#include "stream/batch_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"
#include "tests/harness/source_path.h"

namespace clepsydra {
namespace {

using testing::all_types;
using testing::batch_of;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::random_batch;
using testing::schema_of;
using testing::source_path;
using testing::test_pool;

using Bytes = std::vector<std::uint8_t>;

BufferPtr buffer_of(std::span<const std::uint8_t> bytes) {
  return copy_to_buffer(test_pool(), bytes).value();
}

Bytes encode(const BatchCodec& codec, const StreamElement& element) {
  const BufferPtr frame = codec.encode(element, test_pool()).value();
  return {frame->bytes().begin(), frame->bytes().end()};
}

Result<StreamElement> decode(const BatchCodec& codec, std::span<const std::uint8_t> bytes) {
  return codec.decode(buffer_of(bytes), true, test_pool());
}

// As the codec's last step does it, so that a test can break the bytes behind the checksum.
void sign(Bytes& frame) {
  std::uint64_t seed = 0;
  std::memcpy(&seed, frame.data(), 8);
  const std::uint64_t checksum = hash64_with_seed(frame.data() + 16, frame.size() - 16, seed);
  std::memcpy(frame.data() + 8, &checksum, 8);
}

TEST(BatchCodecTest, batches_of_all_types_come_back) {
  Random random(1);
  std::vector<Field> fields;
  for (const DataType& type : all_types()) {
    fields.push_back({"f" + std::to_string(fields.size()), type, ""});
  }
  const SchemaPtr schema = make_schema(fields);
  const BatchCodec codec(schema);
  for (const std::int64_t rows : {0, 1, 7, 64, 65, 500}) {
    for (const double null_share : {0.0, 0.2, 1.0}) {
      const Batch batch = random_batch(schema, rows, random, {.null_share = null_share});
      const Result<StreamElement> decoded = decode(codec, encode(codec, batch));
      ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
      const Batch& again = std::get<Batch>(*decoded);
      EXPECT_EQ(lines_of(again), lines_of(batch));
      EXPECT_EQ(again.schema(), schema);
    }
  }
}

TEST(BatchCodecTest, parts_of_batches_come_back) {
  Random random(2);
  const SchemaPtr schema =
      schema_of("a BIGINT, b STRING, c ARRAY<STRING>, d ROW<e INT, f MAP<STRING, INT>>, g NULL");
  const BatchCodec codec(schema);
  const Batch batch = random_batch(schema, 300, random);
  for (const std::int64_t offset : {0, 1, 63, 64, 200}) {
    const Batch part = batch.slice(offset, 77, test_pool()).value();
    const StreamElement decoded = decode(codec, encode(codec, part)).value();
    EXPECT_EQ(lines_of(std::get<Batch>(decoded)), lines_of(part));
  }
}

TEST(BatchCodecTest, only_bytes_of_its_own_rows_are_sent) {
  Random random(3);
  const SchemaPtr schema = schema_of("a STRING NOT NULL, b ARRAY<STRING NOT NULL> NOT NULL");
  const BatchCodec codec(schema);
  const Batch batch = random_batch(schema, 4096, random, {.string_max = 200});
  const Batch part = batch.slice(1000, 3, test_pool()).value().with_marks({});
  const std::int64_t frame = codec.encode(part, test_pool()).value()->size();
  EXPECT_LT(frame, kFrameHeaderBytes + part.own_bytes() + 200);
  // The same bytes whatever the batch was cut out of.
  const std::vector<std::string> lines = lines_of(part);
  EXPECT_EQ(encode(codec, part), encode(codec, batch_of(schema, {lines.begin(), lines.end()})));
}

TEST(BatchCodecTest, signals_come_back) {
  const BatchCodec codec(schema_of("a INT"));
  const Signal signals[] = {
      WatermarkSignal{-5},
      WatermarkSignal{kMaxWatermark},
      IdleSignal{true},
      IdleSignal{false},
      BarrierSignal{7, 1'700'000'000'000, CheckpointKind::kCheckpoint},
      BarrierSignal{std::numeric_limits<std::int64_t>::max(), 0, CheckpointKind::kSavepoint},
      LatencyMarkerSignal{123, 0xFFFFFFFFFFFFFFFFULL, 127},
      EndOfInputSignal{},
  };
  for (const Signal& signal : signals) {
    const StreamElement decoded = decode(codec, encode(codec, signal)).value();
    EXPECT_EQ(std::get<Signal>(decoded), signal);
  }
}

// ---------------------------------------------------------------------------------------------
// The frames that a program of its own has written from the specification.

std::vector<Bytes> frames_of_version_1() {
  std::ifstream file(source_path("tests/formats/frames_v1.txt"));
  EXPECT_TRUE(file.is_open());
  std::vector<Bytes> frames;
  bool comment = true;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) {
      comment = true;
      continue;
    }
    if (std::exchange(comment, false)) frames.emplace_back();
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      frames.back().push_back(static_cast<std::uint8_t>(std::stoi(word, nullptr, 16)));
    }
  }
  return frames;
}

TEST(BatchCodecTest, frames_are_as_specified) {
  const std::vector<Bytes> frames = frames_of_version_1();
  ASSERT_EQ(frames.size(), 7U);
  const Signal signals[] = {WatermarkSignal{1'700'000'000'000}, IdleSignal{true},
                            BarrierSignal{42, 1'700'000'000'001, CheckpointKind::kSavepoint},
                            LatencyMarkerSignal{123'456'789, 0xFEDCBA9876543210ULL, 3},
                            EndOfInputSignal{}};
  const BatchCodec codec(schema_of("id BIGINT, name STRING"));
  for (std::size_t i = 0; i < std::size(signals); ++i) {
    EXPECT_EQ(std::get<Signal>(decode(codec, frames[i]).value()), signals[i]);
    EXPECT_EQ(encode(codec, signals[i]), frames[i]);
  }

  const std::vector<std::string_view> names = {"@-5",
                                               "1 | short",
                                               "-U -2 | NULL",
                                               "@1000",
                                               "+U NULL | longer than twelve bytes",
                                               "-D 4 | exactly 12 b",
                                               "@2000"};
  const Batch batch = std::get<Batch>(decode(codec, frames[5]).value());
  EXPECT_THAT(lines_of(batch), ElementsAreArray(names));
  EXPECT_EQ(encode(codec, batch_of("id BIGINT, name STRING", names)), frames[5]);
}

TEST(BatchCodecTest, every_layout_is_as_specified) {
  const std::vector<Bytes> frames = frames_of_version_1();
  ASSERT_EQ(frames.size(), 7U);
  const SchemaPtr schema = schema_of(
      "flag BOOLEAN, t TINYINT, s SMALLINT, i INT, f FLOAT, d DOUBLE, dec DECIMAL(10, 2), day "
      "DATE, "
      "at TIMESTAMP(3), n NULL, tags ARRAY<STRING>, counts MAP<STRING, INT>, r ROW<a INT, b "
      "STRING>");
  const std::vector<std::string_view> lines = {
      "TRUE | -1 | -2 | -3 | 0.5 | 0.25 | 123.45 | 2024-01-01 | 2024-01-01 00:00:00.123 | NULL | "
      "[a, a longer element of it] | {k=1, 'second key, long'=NULL} | (7, x)",
      "NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL",
      "FALSE | 127 | 32767 | 2147483647 | -1.5 | 1.0E300 | -0.01 | 1969-12-31 | "
      "1969-12-31 23:59:59.999 | NULL | [] | {} | (NULL, a field of more than twelve)",
  };
  const BatchCodec codec(schema);
  EXPECT_THAT(lines_of(std::get<Batch>(decode(codec, frames[6]).value())), ElementsAreArray(lines));
  EXPECT_EQ(encode(codec, batch_of(schema, lines)), frames[6]);
}

// ---------------------------------------------------------------------------------------------
// Broken bytes

TEST(BatchCodecTest, every_flipped_bit_is_found) {
  Random random(4);
  const SchemaPtr schema = schema_of("a BIGINT, b STRING, c ARRAY<STRING>, d DECIMAL(10, 2)");
  const BatchCodec codec(schema);
  const Bytes batch = encode(codec, random_batch(schema, 10, random));
  const Bytes barrier = encode(codec, Signal(BarrierSignal{1, 2, CheckpointKind::kCheckpoint}));
  for (Bytes frame : {batch, barrier}) {
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      frame[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      EXPECT_FALSE(decode(codec, frame).is_ok()) << "bit " << bit;
      frame[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    EXPECT_TRUE(decode(codec, frame).is_ok());
  }
}

TEST(BatchCodecTest, every_truncation_and_extension_is_found) {
  Random random(5);
  const SchemaPtr schema = schema_of("a BIGINT, b STRING");
  const BatchCodec codec(schema);
  Bytes frame = encode(codec, random_batch(schema, 10, random));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_FALSE(decode(codec, std::span(frame).first(size)).is_ok());
  }
  frame.push_back(0);
  EXPECT_THAT(decode(codec, frame).status().to_string(), HasSubstr("its header says"));
}

// Bytes that a checksum says nothing about, because whoever broke them has signed them: an error or
// a batch that is sound, never a crash.
TEST(BatchCodecTest, signed_nonsense_is_refused_or_sound) {
  Random random(6);
  const SchemaPtr schema =
      schema_of("a BOOLEAN, b STRING, c ARRAY<STRING>, d MAP<INT, BYTES>, e ROW<f DATE>, g NULL");
  const BatchCodec codec(schema);
  const Bytes good = encode(codec, random_batch(schema, 20, random));
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes frame = good;
    for (std::uint64_t flips = 1 + random.uniform(3); flips > 0; --flips) {
      const std::size_t at = 32 + random.uniform(frame.size() - 32);
      frame[at] = static_cast<std::uint8_t>(
          random.uniform(2) == 0 ? random.next_u64() : frame[at] ^ (1U << random.uniform(8)));
    }
    sign(frame);
    const Result<StreamElement> decoded = decode(codec, frame);
    if (!decoded.is_ok()) {
      ++refused;
      EXPECT_EQ(decoded.status().code(), StatusCode::kDataLoss);
      continue;
    }
    const Batch& batch = std::get<Batch>(*decoded);
    for (const Column& column : batch.columns()) EXPECT_TRUE(validate(column, true).is_ok());
    EXPECT_FALSE(lines_of(batch).empty());
  }
  EXPECT_GT(refused, 1000);
}

std::string error_of(const BatchCodec& codec, Bytes frame) {
  sign(frame);
  const Status status = decode(codec, frame).status();
  EXPECT_FALSE(status.is_ok());
  return status.to_string();
}

TEST(BatchCodecTest, errors_say_what_is_wrong) {
  const BatchCodec codec(schema_of("a INT"));
  const Bytes frame =
      encode(codec, batch_of("a INT", {"@1", "1", "-D 2", "@2"}));  // Body from byte 32 on.
  const auto with = [&](std::size_t at, std::uint8_t byte) {
    Bytes changed = frame;
    changed[at] = byte;
    return error_of(codec, changed);
  };
  EXPECT_THAT(with(0, 'X'), HasSubstr("it begins with"));
  EXPECT_THAT(with(4, 2), HasSubstr("FailedPrecondition: cannot decode a frame of a stream: it has "
                                    "version 2, this process knows version 1"));
  EXPECT_THAT(with(6, 9), HasSubstr("unknown flags 1"));
  EXPECT_THAT(with(7, 2), HasSubstr("unknown flags 2"));
  EXPECT_THAT(with(19, 0x80), HasSubstr("at most 1073741792 are allowed"));
  EXPECT_THAT(with(24, static_cast<std::uint8_t>(frame[24] + 1)), HasSubstr("another schema"));
  EXPECT_THAT(with(32, 1), HasSubstr("mark 1 with watermark 2 before row 2 of 1 is not in order"));
  EXPECT_THAT(with(32, 3), HasSubstr("column 'a' has 2 rows in a batch of 3"));
}

TEST(BatchCodecTest, frame_of_another_schema_is_refused_by_name) {
  const BatchCodec writer(schema_of("a INT, b STRING"));
  const BatchCodec reader(schema_of("a INT, c STRING"));
  const Status status =
      decode(reader, encode(writer, batch_of("a INT, b STRING", {"1 | x"}))).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("(a INT, c STRING)"));
}

TEST(BatchCodecTest, fingerprint_depends_on_what_defines_values) {
  const auto fingerprint = [](const char* schema) {
    return schema_fingerprint(*schema_of(schema));
  };
  EXPECT_EQ(fingerprint("a TIMESTAMP(3) *ROWTIME*, b INT NOT NULL"),
            fingerprint("a TIMESTAMP(3), b INT"));
  EXPECT_EQ(fingerprint("a INTERVAL DAY"), fingerprint("a INTERVAL SECOND(3)"));
  const char* schemas[] = {"",
                           "a INT",
                           "b INT",
                           "a BIGINT",
                           "a INT, a INT",
                           "a ROW<a INT>",
                           "a ARRAY<INT>",
                           "a MULTISET<INT>",
                           "a DECIMAL(5, 2)",
                           "a DECIMAL(5, 3)",
                           "a TIMESTAMP(3)",
                           "a TIMESTAMP(6)",
                           "a VARCHAR(5)",
                           "a STRING"};
  for (const char* a : schemas) {
    for (const char* b : schemas) EXPECT_EQ(fingerprint(a) == fingerprint(b), a == b) << a << b;
  }
}

TEST(BatchCodecTest, frame_bytes_says_how_much_to_wait_for) {
  const BatchCodec codec(schema_of("a STRING"));
  const Bytes frame = encode(codec, batch_of("a STRING", {"a text of more than twelve bytes"}));
  EXPECT_EQ(frame_bytes(std::span(frame).first(kFrameHeaderBytes)).value(),
            static_cast<std::int64_t>(frame.size()));
  EXPECT_FALSE(frame_bytes(std::span(frame).first(kFrameHeaderBytes - 1)).is_ok());
}

TEST(BatchCodecTest, frame_in_unaligned_memory_is_decoded_from_a_copy) {
  Random random(7);
  const SchemaPtr schema = schema_of("a DECIMAL(38, 2), b STRING");
  const BatchCodec codec(schema);
  const Batch batch = random_batch(schema, 50, random);
  const Bytes frame = encode(codec, batch);
  const auto shifted = std::make_shared<Bytes>(frame.size() + 1);
  std::copy(frame.begin(), frame.end(), shifted->begin() + 1);
  const std::uint8_t* start = shifted->data() + 1;
  const BufferPtr unaligned = Buffer::wrap(shifted, start, static_cast<std::int64_t>(frame.size()));
  const StreamElement decoded = codec.decode(unaligned, true, test_pool()).value();
  EXPECT_EQ(lines_of(std::get<Batch>(decoded)), lines_of(batch));
}

TEST(BatchCodecTest, decoded_columns_lie_in_the_frame) {
  Random random(8);
  const SchemaPtr schema = schema_of("a BIGINT, b STRING");
  const BatchCodec codec(schema);
  const auto pool = MemoryPool::make_root("pool");
  const Batch batch = random_batch(schema, 1000, random);
  Result<BufferPtr> frame = codec.encode(batch, *pool);
  const std::int64_t used = pool->used_bytes();
  const StreamElement decoded = codec.decode(*frame, true, *pool).value();
  EXPECT_EQ(pool->used_bytes(), used);
  EXPECT_EQ(std::get<Batch>(decoded).pinned_bytes(),
            used + 16 * static_cast<std::int64_t>(batch.marks().size()));
}

TEST(BatchCodecTest, exhausted_pool_is_an_error) {
  const auto pool = MemoryPool::make_root("small", 100);
  const BatchCodec codec(schema_of("a STRING"));
  const Batch batch = batch_of("a STRING", {std::string(500, 'x')});
  EXPECT_EQ(codec.encode(batch, *pool).status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace clepsydra
