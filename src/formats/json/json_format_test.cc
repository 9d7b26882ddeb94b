#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "formats/format_registry.h"
#include "stream/batch.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JsonFormatTest : public ::testing::Test {
 protected:
  struct Decoded {
    std::vector<std::string> rows;
    std::int64_t skipped = 0;
    Status status;
    Batch batch;
  };

  Decoded decode(const std::string& text, TableOptions options = {}) {
    Decoded decoded;
    std::vector<int> columns;
    for (int i = 0; i < schema_->size(); ++i) columns.push_back(i);
    const auto format =
        FormatRegistry::built_in().make("json", {std::move(options), schema_, columns});
    if (!format.is_ok()) {
      decoded.status = format.status();
      return decoded;
    }
    const auto decoder = (*format)->make_decoder({}, *pool_);
    BatchBuilder builder(schema_, *pool_);
    const auto progress = (*decoder)->decode(text, true, 4096, builder);
    if (!progress.is_ok()) {
      decoded.status = progress.status();
      return decoded;
    }
    EXPECT_EQ(progress->consumed, text.size());
    decoded.skipped = progress->skipped_rows;
    Result<Batch> batch = builder.finish();
    EXPECT_TRUE(batch.is_ok()) << batch.status().to_string();
    decoded.batch = *batch;
    for (std::int64_t row = 0; row < batch->rows(); ++row) {
      std::string line;
      for (int i = 0; i < batch->column_count(); ++i) {
        if (i > 0) line += '|';
        if (batch->column(i).is_null(row)) {
          line += "NULL";
        } else {
          append_value_text(batch->column(i), row, {}, line);
        }
      }
      decoded.rows.push_back(line);
    }
    return decoded;
  }

  std::string encode(const Batch& batch, TableOptions options = {}) {
    const auto format = FormatRegistry::built_in().make("json", {std::move(options), schema_, {}});
    EXPECT_TRUE(format.is_ok()) << format.status().to_string();
    const auto encoder = (*format)->make_encoder();
    std::string out;
    const Status status = (*encoder)->append(batch, out);
    return status.is_ok() ? out : status.to_string();
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
  SchemaPtr schema_ =
      make_schema({{"id", DataType::integer(), ""}, {"name", DataType::string(), ""}});
};

TEST_F(JsonFormatTest, fields_are_found_by_name_in_any_order) {
  EXPECT_THAT(
      decode("{\"id\":1,\"name\":\"a\"}\n{\"more\":[1,{}],\"name\":\"b\",\"id\":2}\n\n{\"id\":3}")
          .rows,
      ElementsAre("1|a", "2|b", "3|NULL"));
}

TEST_F(JsonFormatTest, text_escapes_are_resolved) {
  EXPECT_THAT(decode(R"({"id":1,"name":"\u00e4\n\"\\x"})").rows, ElementsAre("1|\u00e4\n\"\\x"));
}

TEST_F(JsonFormatTest, the_last_of_two_fields_of_one_name_counts) {
  EXPECT_THAT(decode(R"({"id":1,"id":2,"name":"a","name":null})").rows, ElementsAre("2|NULL"));
}

TEST_F(JsonFormatTest, values_of_other_json_types_are_converted_where_that_is_clear) {
  EXPECT_THAT(decode(R"({"id":" 7 ","name":12.50})").rows, ElementsAre("7|12.50"));
  EXPECT_THAT(decode(R"({"id":7,"name":{"x": [1]}})").rows, ElementsAre(R"(7|{"x": [1]})"));
  EXPECT_THAT(decode(R"({"id":7,"name":true})").rows, ElementsAre("7|true"));
}

TEST_F(JsonFormatTest, a_wrong_value_names_line_field_and_value) {
  const Decoded failed = decode("{\"id\":1}\n{\"id\":\"x\",\"name\":\"a\"}\n");
  EXPECT_THAT(failed.status.message(), HasSubstr("line 2, field 'id': cannot read x as INT"));
  const Decoded large = decode("{\"id\":2147483648}");
  EXPECT_THAT(large.status.message(), HasSubstr("field 'id': cannot read 2147483648 as INT"));
  EXPECT_THAT(
      decode("{\"id\":\"x\",\"name\":\"a\"}\n", {{"json.ignore-parse-errors", "true"}}).rows,
      ElementsAre("NULL|a"));
}

TEST_F(JsonFormatTest, a_line_that_is_not_an_object_is_an_error_or_skipped) {
  for (const char* line :
       {"{", "[1]", "{\"id\":1}}", "{\"id\":1,}x", "nonsense", "{\"id\":1 \"name\":2}"}) {
    EXPECT_EQ(decode(line).status.code(), StatusCode::kInvalidArgument) << line;
    const Decoded skipped = decode(std::string("{\"id\":1}\n") + line + "\n{\"id\":2}\n",
                                   {{"json.ignore-parse-errors", "true"}});
    EXPECT_THAT(skipped.rows, ElementsAre("1|NULL", "2|NULL")) << line;
    EXPECT_EQ(skipped.skipped, 1) << line;
  }
}

TEST_F(JsonFormatTest, missing_fields_can_be_refused) {
  EXPECT_THAT(decode("{\"id\":1}", {{"json.fail-on-missing-field", "true"}}).status.message(),
              HasSubstr("line 1, field 'name'"));
}

TEST_F(JsonFormatTest, nested_values_come_back_as_they_were_written) {
  schema_ = make_schema(
      {{"r", DataType::row({{"x", DataType::integer(), ""}, {"y", DataType::string(), ""}}), ""},
       {"a", DataType::array(DataType::double_()), ""},
       {"m", DataType::map(DataType::string(), DataType::big_int()), ""},
       {"d", DataType::decimal(20, 8), ""},
       {"t", DataType::timestamp(3), ""},
       {"z", DataType::timestamp_ltz(3), ""},
       {"b", DataType::bytes(), ""},
       {"n", DataType::date(), ""}});
  const std::string line =
      R"({"r":{"x":1,"y":"s"},"a":[1.5,null,2.0],"m":{"k":5},"d":123456789012.12345678,)"
      R"("t":"2024-02-29 10:11:12.5","z":"2024-02-29 10:11:12Z","b":"aGk=","n":"2024-02-29"})"
      "\n";
  const Decoded decoded = decode(line);
  EXPECT_TRUE(decoded.status.is_ok()) << decoded.status.to_string();
  EXPECT_THAT(
      decoded.rows,
      ElementsAre("(1, s)|[1.5, NULL, 2.0]|{k=5}|123456789012.12345678|2024-02-29 10:11:12.500|"
                  "2024-02-29 10:11:12.000|hi|2024-02-29"));
  EXPECT_EQ(encode(decoded.batch), line);
}

TEST_F(JsonFormatTest, a_value_that_fails_inside_a_row_leaves_no_trace) {
  schema_ = make_schema({{"r",
                          DataType::row({{"x", DataType::integer(), ""},
                                         {"y", DataType::array(DataType::integer()), ""}}),
                          ""}});
  EXPECT_THAT(decode("{\"r\":{\"x\":1,\"y\":[1,\"q\"]}}\n{\"r\":{\"x\":2,\"y\":[3]}}\n",
                     {{"json.ignore-parse-errors", "true"}})
                  .rows,
              ElementsAre("(1, NULL)", "(2, [3])"));
  EXPECT_THAT(decode("{\"r\":{\"x\":1,\"y\":[1,\"q\"]}}\n").status.message(),
              HasSubstr("field 'r.y'"));
}

TEST_F(JsonFormatTest, timestamps_follow_the_standard_that_was_chosen) {
  schema_ = make_schema({{"t", DataType::timestamp(3), ""}});
  const Decoded iso = decode(R"({"t":"2024-02-29T10:11:12.250"})",
                             {{"json.timestamp-format.standard", "ISO-8601"}});
  EXPECT_THAT(iso.rows, ElementsAre("2024-02-29 10:11:12.250"));
  EXPECT_EQ(encode(iso.batch, {{"json.timestamp-format.standard", "ISO-8601"}}),
            "{\"t\":\"2024-02-29T10:11:12.25\"}\n");
  EXPECT_FALSE(decode(R"({"t":"2024-02-29T10:11:12"})").status.is_ok());
}

TEST_F(JsonFormatTest, null_fields_can_be_left_out_when_writing) {
  const Decoded decoded = decode("{\"id\":1}");
  EXPECT_EQ(encode(decoded.batch), "{\"id\":1,\"name\":null}\n");
  EXPECT_EQ(encode(decoded.batch, {{"json.encode.ignore-null-fields", "true"}}), "{\"id\":1}\n");
}

TEST_F(JsonFormatTest, options_are_checked) {
  const TableFormat* json = FormatRegistry::built_in().find("json");
  ASSERT_NE(json, nullptr);
  EXPECT_THAT(json->validate({{"json.timestamp-format.standard", "XYZ"}}, *schema_).message(),
              HasSubstr("expected SQL or ISO-8601"));
  EXPECT_THAT(
      json->validate({{"json.fail-on-missing-field", "true"}, {"json.ignore-parse-errors", "true"}},
                     *schema_)
          .message(),
      HasSubstr("cannot both be true"));
}

}  // namespace
}  // namespace clepsydra
