#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "formats/format_registry.h"
#include "stream/batch.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Rows as "a|b" with NULL for NULL.
std::vector<std::string> texts(const Batch& batch) {
  std::vector<std::string> rows;
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    std::string text;
    for (int i = 0; i < batch.column_count(); ++i) {
      if (i > 0) text += '|';
      if (batch.column(i).is_null(row)) {
        text += "NULL";
      } else {
        append_value_text(batch.column(i), row, {}, text);
      }
    }
    rows.push_back(text);
  }
  return rows;
}

class CsvFormatTest : public ::testing::Test {
 protected:
  struct Decoded {
    std::vector<std::string> rows;
    std::int64_t skipped = 0;
    Status status;
  };

  // Feeds `text` in pieces of `piece` bytes, `rows_max` rows a call: the results must not depend on
  // either.
  Decoded decode_in_pieces(const std::string& text, const FormatRequest& request, std::size_t piece,
                           std::int64_t rows_max, const DecoderStart& start) {
    Decoded decoded;
    const Result<std::unique_ptr<Format>> format = FormatRegistry::built_in().make("csv", request);
    if (!format.is_ok()) return {{}, 0, format.status()};
    Result<std::unique_ptr<RowDecoder>> decoder = (*format)->make_decoder(start, *pool_);
    if (!decoder.is_ok()) return {{}, 0, decoder.status()};
    std::vector<Field> fields;
    for (const int column : request.columns) fields.push_back(request.record->field(column));
    BatchBuilder builder(make_schema(fields), *pool_);
    std::size_t begin = 0;
    std::size_t end = std::min(piece, text.size());
    while (true) {
      const bool at_end = end == text.size();
      const auto progress = (*decoder)->decode(std::string_view(text).substr(begin, end - begin),
                                               at_end, rows_max, builder);
      if (!progress.is_ok()) {
        decoded.status = progress.status();
        return decoded;
      }
      begin += progress->consumed;
      decoded.skipped += progress->skipped_rows;
      const Result<Batch> batch = builder.finish();
      EXPECT_TRUE(batch.is_ok()) << batch.status().to_string();
      for (std::string& row : texts(*batch)) decoded.rows.push_back(std::move(row));
      if (progress->consumed > 0 && begin < end) continue;
      if (at_end) break;
      end = std::min(end + piece, text.size());
    }
    EXPECT_EQ(begin, text.size());
    return decoded;
  }

  Decoded decode(const std::string& text, TableOptions options, const DecoderStart& start = {}) {
    const FormatRequest request{std::move(options), schema_, columns_};
    Decoded whole = decode_in_pieces(text, request, 1U << 20, 4096, start);
    for (const auto& [piece, rows_max] :
         {std::pair<std::size_t, std::int64_t>{1, 1}, {3, 2}, {64, 7}, {130, 1}}) {
      const Decoded pieces = decode_in_pieces(text, request, piece, rows_max, start);
      EXPECT_EQ(pieces.status.code(), whole.status.code())
          << piece << " bytes: " << pieces.status.to_string();
      if (whole.status.is_ok()) {
        EXPECT_EQ(pieces.rows, whole.rows) << piece << " bytes a piece";
        EXPECT_EQ(pieces.skipped, whole.skipped) << piece << " bytes a piece";
      }
    }
    return whole;
  }

  std::string encode(const std::string& text, const TableOptions& read, const TableOptions& write) {
    const FormatRequest request{read, schema_, columns_};
    const auto format = FormatRegistry::built_in().make("csv", request);
    const auto decoder = (*format)->make_decoder({}, *pool_);
    BatchBuilder builder(schema_, *pool_);
    EXPECT_TRUE((*decoder)->decode(text, true, 4096, builder).is_ok());
    const auto writer = FormatRegistry::built_in().make("csv", {write, schema_, columns_});
    EXPECT_TRUE(writer.is_ok()) << writer.status().to_string();
    const auto encoder = (*writer)->make_encoder();
    std::string out;
    (*encoder)->append_header(out);
    EXPECT_TRUE((*encoder)->append(*builder.finish(), out).is_ok());
    return out;
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
  SchemaPtr schema_ =
      make_schema({{"id", DataType::integer(), ""}, {"name", DataType::string(), ""}});
  std::vector<int> columns_ = {0, 1};
};

TEST_F(CsvFormatTest, reads_records_with_either_line_end_and_without_the_last_one) {
  EXPECT_THAT(decode("1,a\r\n2,b\n3,c", {}).rows, ElementsAre("1|a", "2|b", "3|c"));
  EXPECT_THAT(decode("", {}).rows, ElementsAre());
  EXPECT_THAT(decode("\n\n1,a\n\n", {}).rows, ElementsAre("1|a"));
}

TEST_F(CsvFormatTest, quotes_hold_delimiters_line_ends_and_doubled_quotes) {
  EXPECT_THAT(decode("1,\"a,b\"\n2,\"c\nd\"\n3,\"e\"\"f\"\n4,\"\"\n", {}).rows,
              ElementsAre("1|a,b", "2|c\nd", "3|e\"f", "4|"));
}

TEST_F(CsvFormatTest, a_quote_inside_an_unquoted_field_is_a_character) {
  const std::string padding(100, 'x');
  EXPECT_THAT(decode("1,5\" pipe\n2,b\n", {}).rows, ElementsAre("1|5\" pipe", "2|b"));
  EXPECT_THAT(decode("1," + padding + "\n2,5\" pipe\n3,c\n", {}).rows,
              ElementsAre("1|" + padding, "2|5\" pipe", "3|c"));
}

TEST_F(CsvFormatTest, quotes_across_blocks_of_64_bytes) {
  for (std::size_t length = 50; length < 80; ++length) {
    const std::string inner = std::string(length, 'y') + "\n,";
    EXPECT_THAT(decode("1,\"" + inner + "\"\n2,b\n", {}).rows, ElementsAre("1|" + inner, "2|b"));
  }
}

TEST_F(CsvFormatTest, null_literal_and_empty_fields) {
  EXPECT_THAT(decode("NA,NA\n1,\n", {{"csv.null-literal", "NA"}}).rows,
              ElementsAre("NULL|NULL", "1|"));
  EXPECT_THAT(decode(",\n", {{"csv.empty-string-as-null", "true"}}).rows, ElementsAre("NULL|NULL"));
  const Decoded empty = decode("1,a\n,b\n", {});
  EXPECT_EQ(empty.status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(empty.status.message(),
              HasSubstr("line 2, column 'id' (field 1): cannot read \"\" as INT"));
  EXPECT_THAT(empty.status.message(), HasSubstr("csv.empty-string-as-null"));
}

TEST_F(CsvFormatTest, other_delimiters_quotes_and_escapes) {
  EXPECT_THAT(decode("1\ta,b\n", {{"csv.field-delimiter", "\\t"}}).rows, ElementsAre("1|a,b"));
  EXPECT_THAT(
      decode("1;'a;b'\n", {{"csv.field-delimiter", ";"}, {"csv.quote-character", "'"}}).rows,
      ElementsAre("1|a;b"));
  EXPECT_THAT(decode("1,a\\,b\n2,c\\\nd\n", {{"csv.escape-character", "\\"}}).rows,
              ElementsAre("1|a,b", "2|c\nd"));
  EXPECT_THAT(decode("1,\"a\n", {{"csv.disable-quote-character", "true"}}).rows,
              ElementsAre("1|\"a"));
}

TEST_F(CsvFormatTest, comments_spaces_and_trailing_fields) {
  EXPECT_THAT(decode("#x\n1,a\n", {{"csv.allow-comments", "true"}}).rows, ElementsAre("1|a"));
  EXPECT_THAT(decode(" 1 , a \n", {}).rows, ElementsAre("1| a "));
  EXPECT_THAT(decode(" 1 , a \n", {{"csv.trim-spaces", "true"}}).rows, ElementsAre("1|a"));
  EXPECT_THAT(decode("1,a,\n", {}).rows, ElementsAre("1|a"));
  EXPECT_EQ(decode("1,a,\n", {{"csv.allow-trailing-comma", "false"}}).status.code(),
            StatusCode::kInvalidArgument);
  EXPECT_THAT(decode("1,a,b,c\n", {{"csv.ignore-trailing-unmappable", "true"}}).rows,
              ElementsAre("1|a"));
}

TEST_F(CsvFormatTest, a_header_is_data_passed_over_or_matched) {
  EXPECT_THAT(decode("id,name\n1,a\n", {{"csv.header", "skip"}}).rows, ElementsAre("1|a"));
  EXPECT_THAT(decode("name,more,id\na,x,1\n", {{"csv.header", "match"}}).rows, ElementsAre("1|a"));
  EXPECT_THAT(decode("\xEF\xBB\xBFid,name\n1,a\n", {{"csv.header", "match"}}).rows,
              ElementsAre("1|a"));
  const Decoded missing = decode("id,nam\n1,a\n", {{"csv.header", "match"}});
  EXPECT_THAT(
      missing.status.message(),
      HasSubstr("line 1: the header has no column 'name' (did you mean 'nam'?); it has: id, nam"));
  EXPECT_THAT(decode("a,1\n", {{"csv.header", "match"}},
                     {.line = 9, .at_file_start = false, .first_record = "name,id\n"})
                  .rows,
              ElementsAre("1|a"));
}

TEST_F(CsvFormatTest, too_few_fields_are_an_error_or_skipped) {
  const Decoded failed = decode("1,a\n2\n3,c\n", {});
  EXPECT_THAT(
      failed.status.message(),
      HasSubstr("line 2: the record has 1 field, expected 2 (column 'name' is missing): \"2\""));
  const Decoded skipped =
      decode("1,a\n2\n3,c\nx,d\n5,e,f\n6,g\n", {{"csv.ignore-parse-errors", "true"}});
  EXPECT_THAT(skipped.rows, ElementsAre("1|a", "3|c", "6|g"));
  EXPECT_EQ(skipped.skipped, 3);
}

TEST_F(CsvFormatTest, a_bad_value_names_line_column_and_value) {
  const Decoded failed = decode("1,\"x\ny\"\n2x,b\n", {});
  EXPECT_THAT(failed.status.message(),
              HasSubstr("line 3, column 'id' (field 1): cannot read \"2x\" as INT"));
  EXPECT_EQ(decode("2147483648,b\n", {}).status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(decode("1,a\n", {}, {.line = 100, .at_file_start = false}).rows, ElementsAre("1|a"));
  EXPECT_THAT(decode("x,a\n", {}, {.line = 100, .at_file_start = false}).status.message(),
              HasSubstr("line 100, column 'id'"));
}

TEST_F(CsvFormatTest, invalid_utf8_is_an_error_or_skipped) {
  EXPECT_THAT(decode("1,a\n2,\xFF\n", {}).status.message(),
              HasSubstr("line 2, column 'name' (field 2)"));
  EXPECT_THAT(decode("1,a\n2,\xFF\n3,c\n", {{"csv.ignore-parse-errors", "true"}}).rows,
              ElementsAre("1|a", "3|c"));
}

TEST_F(CsvFormatTest, a_line_above_the_limit_is_an_error) {
  const std::string text = "1,a\n2," + std::string(200, 'b') + "\n";
  EXPECT_THAT(decode(text, {{"csv.line-bytes-max", "100 b"}}).status.message(),
              HasSubstr("line 2"));
  EXPECT_TRUE(decode(text, {{"csv.line-bytes-max", "300 b"}}).status.is_ok());
}

TEST_F(CsvFormatTest, an_open_quote_at_the_end_is_an_error) {
  EXPECT_THAT(decode("1,a\n2,\"b\n", {}).status.message(),
              HasSubstr("line 2: a quoted field is not closed"));
}

TEST_F(CsvFormatTest, all_types_come_back_as_they_were_written) {
  schema_ = make_schema(
      {{"b", DataType::boolean(), ""},
       {"i", DataType::tiny_int(), ""},
       {"d", DataType::double_(), ""},
       {"m", DataType::decimal(10, 2), ""},
       {"dt", DataType::date(), ""},
       {"tm", DataType::time(0), ""},
       {"ts", DataType::timestamp(3), ""},
       {"lz", DataType::timestamp_ltz(3), ""},
       {"by", DataType::bytes(), ""},
       {"ar", DataType::array(DataType::integer()), ""},
       {"ro", DataType::row({{"x", DataType::integer(), ""}, {"y", DataType::string(), ""}}), ""}});
  columns_ = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const std::string line =
      "true,-5,1.5E10,12.30,2024-02-29,10:11:12,2024-02-29 10:11:12.345,2024-02-29 "
      "10:11:12.345Z,aGVsbG8=,1;2;3,7;z\n";
  EXPECT_THAT(decode(line, {}).rows,
              ElementsAre("TRUE|-5|1.5E10|12.30|2024-02-29|10:11:12|2024-02-29 10:11:12.345|"
                          "2024-02-29 10:11:12.345|hello|[1, 2, 3]|(7, z)"));
  EXPECT_EQ(encode(line, {}, {}), line);
  EXPECT_EQ(encode("N,N,N,N,N,N,N,N,N,N,N\n", {{"csv.null-literal", "N"}}, {}), ",,,,,,,,,,\n");
}

TEST_F(CsvFormatTest, what_needs_quotes_gets_them) {
  EXPECT_EQ(encode("1,\"a,b\"\n2,\"\"\n3,\" x\"\n4,\"q\"\"\"\n", {}, {{"csv.header", "match"}}),
            "id,name\n1,\"a,b\"\n2,\"\"\n3,\" x\"\n4,\"q\"\"\"\n");
  EXPECT_EQ(encode("1,NA\n", {}, {{"csv.null-literal", "NA"}}), "1,\"NA\"\n");
}

TEST_F(CsvFormatTest, only_wanted_columns_are_read) {
  columns_ = {1};
  EXPECT_THAT(decode("bad,a\nworse,b\n", {}).rows, ElementsAre("a", "b"));
}

TEST_F(CsvFormatTest, a_scanner_finds_record_starts_outside_quotes) {
  const auto format = FormatRegistry::built_in().make("csv", {{}, schema_, columns_});
  const auto scanner = (*format)->make_scanner();
  scanner->skip("1,a\n2,\"b");
  EXPECT_EQ(scanner->find_start("\nc\",\n3,d\n"), 5U);
  EXPECT_EQ(scanner->lines(), 3);
  EXPECT_EQ((*FormatRegistry::built_in().make(
                 "csv", {{{"csv.escape-character", "\\"}}, schema_, columns_}))
                ->make_scanner(),
            nullptr);
}

TEST_F(CsvFormatTest, skipping_is_the_same_as_looking_at_every_byte) {
  const auto format = FormatRegistry::built_in().make("csv", {{}, schema_, columns_});
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    // Seldom quotes, so that long runs without them occur, or many.
    const std::uint64_t quotes = round % 2 == 0 ? 400 : 4;
    std::string text;
    for (int i = 0; i < 3000; ++i) {
      text.push_back(random.uniform(quotes) == 0 ? '"' : "a,\n"[random.uniform(3)]);
    }
    const std::size_t cut = random.uniform(text.size());
    const std::string_view front = std::string_view(text).substr(0, cut);
    const std::string_view back = std::string_view(text).substr(cut);
    const auto skipping = (*format)->make_scanner();
    skipping->skip(front.substr(0, cut / 2));
    skipping->skip(front.substr(cut / 2));
    const auto looking = (*format)->make_scanner();
    for (std::string_view rest = front; !rest.empty();) {
      rest.remove_prefix(std::min(looking->find_start(rest), rest.size()));
    }
    EXPECT_EQ(skipping->find_start(back), looking->find_start(back));
    EXPECT_EQ(skipping->lines(), looking->lines());
  }
}

TEST_F(CsvFormatTest, options_are_checked) {
  const TableFormat* csv = FormatRegistry::built_in().find("csv");
  ASSERT_NE(csv, nullptr);
  EXPECT_THAT(csv->validate({{"csv.ignore-parse-errors", "maybe"}}, *schema_).message(),
              HasSubstr("option 'csv.ignore-parse-errors' is 'maybe'; expected true or false"));
  EXPECT_THAT(csv->validate({{"csv.field-delimiter", "ab"}}, *schema_).message(),
              HasSubstr("expected one ASCII character"));
  EXPECT_THAT(csv->validate({{"csv.header", "yes"}}, *schema_).message(),
              HasSubstr("expected none, skip or match"));
  const Schema map({{"m", DataType::map(DataType::string(), DataType::integer()), ""}});
  EXPECT_THAT(csv->validate({}, map).message(), HasSubstr("cannot hold column 'm'"));
}

}  // namespace
}  // namespace clepsydra
