// Types and schemas from the text that DataType::to_string() writes.
#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {
namespace {

class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : text_(text), rest_(text) {}

  DataType read_type() {
    DataType type = read_name();
    if (take_word("NOT")) {
      require(take_word("NULL"), "NULL behind NOT");
      type = type.with_nullable(false);
    }
    if (take("*ROWTIME*")) type = type.with_time_attribute(TimeAttribute::kRowtime);
    if (take("*PROCTIME*")) type = type.with_time_attribute(TimeAttribute::kProctime);
    return type;
  }

  std::vector<Field> read_fields() {
    std::vector<Field> fields;
    skip_blanks();
    if (rest_.empty() || rest_.front() == '>') return fields;
    do {
      std::string name = read_field_name();
      fields.push_back({std::move(name), read_type(), {}});
    } while (take(","));
    return fields;
  }

  void require_end() {
    skip_blanks();
    require(rest_.empty(), "nothing more");
  }

 private:
  void require(bool condition, std::string_view expected) const {
    CLP_CHECK_MSG(condition,
                  fmt::format("in type \"{}\" at \"{}\": expected {}", text_, rest_, expected));
  }
  void skip_blanks() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool take(std::string_view symbol) {
    skip_blanks();
    if (!rest_.starts_with(symbol)) return false;
    rest_.remove_prefix(symbol.size());
    return true;
  }
  std::string_view peek_word() {
    skip_blanks();
    std::size_t size = 0;
    while (size < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[size])) != 0 || rest_[size] == '_')) {
      ++size;
    }
    return rest_.substr(0, size);
  }
  bool take_word(std::string_view word) {
    if (peek_word() != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string read_field_name() {
    if (!take("`")) {
      const std::string_view word = peek_word();
      require(!word.empty(), "a name");
      rest_.remove_prefix(word.size());
      return std::string(word);
    }
    std::string name;
    while (true) {
      const std::size_t end = rest_.find('`');
      require(end != std::string_view::npos, "a closing backquote");
      name += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (!rest_.starts_with('`')) return name;
      name += '`';
      rest_.remove_prefix(1);
    }
  }
  // 'text', without a quote inside.
  std::string read_quoted() {
    require(take("'"), "a quote");
    const std::size_t end = rest_.find('\'');
    require(end != std::string_view::npos, "a closing quote");
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }
  // "(10, 2)" or nothing.
  std::vector<int> read_numbers() {
    std::vector<int> numbers;
    if (!take("(")) return numbers;
    do {
      const std::string_view word = peek_word();
      require(!word.empty(), "a number");
      numbers.push_back(std::atoi(std::string(word).c_str()));
      rest_.remove_prefix(word.size());
    } while (take(","));
    require(take(")"), "')'");
    return numbers;
  }
  int read_number(int otherwise) {
    const std::vector<int> numbers = read_numbers();
    return numbers.empty() ? otherwise : numbers[0];
  }
  std::string read_qualifier() {
    std::string qualifier;
    while (true) {
      const std::string_view word = peek_word();
      if (word.empty() || word == "NOT") break;
      rest_.remove_prefix(word.size());
      qualifier += fmt::format("{}{}", qualifier.empty() ? "" : " ", word);
      if (rest_.starts_with('(')) qualifier += fmt::format("({})", read_number(0));
    }
    return qualifier;
  }
  DataType read_interval() {
    const std::string qualifier = read_qualifier();
    const bool months = qualifier.find("YEAR") != std::string::npos || qualifier == "MONTH";
    return months ? DataType::interval_year_month(qualifier)
                  : DataType::interval_day_time(qualifier);
  }
  DataType read_nested(std::string_view kind) {
    require(take("<"), "'<'");
    DataType type;
    if (kind == "ROW") {
      type = DataType::row(read_fields());
    } else if (kind == "STRUCTURED") {
      std::string class_name = read_quoted();
      require(take(","), "','");
      type = DataType::structured(std::move(class_name), read_fields());
    } else {
      DataType first = read_type();
      if (kind == "MAP") {
        require(take(","), "','");
        DataType value = read_type();
        type = DataType::map(std::move(first), std::move(value));
      } else {
        type = kind == "ARRAY" ? DataType::array(std::move(first))
                               : DataType::multiset(std::move(first));
      }
    }
    require(take(">"), "'>'");
    return type;
  }

  DataType read_name() {
    const std::string_view word = peek_word();
    rest_.remove_prefix(word.size());
    if (word == "NULL") return DataType::null();
    if (word == "BOOLEAN") return DataType::boolean();
    if (word == "TINYINT") return DataType::tiny_int();
    if (word == "SMALLINT") return DataType::small_int();
    if (word == "INT") return DataType::integer();
    if (word == "BIGINT") return DataType::big_int();
    if (word == "FLOAT") return DataType::float_();
    if (word == "DOUBLE") return DataType::double_();
    if (word == "STRING") return DataType::string();
    if (word == "BYTES") return DataType::bytes();
    if (word == "VARIANT") return DataType::variant();
    if (word == "DATE") return DataType::date();
    if (word == "CHAR") return DataType::char_(read_number(1));
    if (word == "VARCHAR") return DataType::varchar(read_number(1));
    if (word == "BINARY") return DataType::binary(read_number(1));
    if (word == "VARBINARY") return DataType::varbinary(read_number(1));
    if (word == "TIME") return DataType::time(read_number(0));
    if (word == "TIMESTAMP") return DataType::timestamp(read_number(6));
    if (word == "TIMESTAMP_LTZ") return DataType::timestamp_ltz(read_number(6));
    if (word == "INTERVAL") return read_interval();
    if (word == "DECIMAL") {
      const std::vector<int> numbers = read_numbers();
      return DataType::decimal(numbers.empty() ? 10 : numbers[0],
                               numbers.size() < 2 ? 0 : numbers[1]);
    }
    require(word == "ARRAY" || word == "MAP" || word == "MULTISET" || word == "ROW" ||
                word == "STRUCTURED",
            "a type");
    return read_nested(word);
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

DataType type_of(std::string_view text) {
  TypeReader reader(text);
  DataType type = reader.read_type();
  reader.require_end();
  return type;
}

SchemaPtr schema_of(std::string_view text) {
  TypeReader reader(text);
  std::vector<Field> fields = reader.read_fields();
  reader.require_end();
  return make_schema(std::move(fields));
}

}  // namespace clepsydra::testing
