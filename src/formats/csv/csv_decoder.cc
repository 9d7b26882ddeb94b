#include "formats/csv/csv_decoder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/base64.h"
#include "base/check.h"
#include "base/edit_distance.h"
#include "base/utf8.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kWindow = 16UL << 10;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Digits with an optional sign that cannot overflow 64 bits: nearly every integer in a file.
bool parse_short_int(std::string_view text, std::int64_t& value) {
  if (text.empty()) return false;
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 18) return false;
  std::int64_t sum = 0;
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (digit > 9) return false;
    sum = sum * 10 + digit;
  }
  value = negative ? -sum : sum;
  return true;
}

template <typename T>
bool append_int(std::string_view text, ColumnBuilder& builder) {
  std::int64_t value = 0;
  if (!parse_short_int(text, value) &&
      !parse_int(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), value)) {
    return false;
  }
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
  builder.append<T>(static_cast<T>(value));
  return true;
}

}  // namespace

CsvDecoder::CsvDecoder(const CsvOptions& options, const FormatRequest& request,
                       const DecoderStart& start)
    : options_(options),
      record_(request.record),
      columns_(request.columns),
      field_of_(request.columns),
      fields_expected_(request.record->size()),
      header_pending_(start.at_file_start && options.header != CsvHeader::kNone),
      bom_pending_(start.at_file_start),
      line_(start.line),
      index_(options) {}

Result<std::unique_ptr<RowDecoder>> CsvDecoder::make(const CsvOptions& options,
                                                     const FormatRequest& request,
                                                     const DecoderStart& start) {
  std::unique_ptr<CsvDecoder> decoder(new CsvDecoder(options, request, start));
  if (!start.at_file_start && options.header == CsvHeader::kMatch) {
    std::string_view header = start.first_record;
    if (header.starts_with(kByteOrderMark)) header.remove_prefix(kByteOrderMark.size());
    while (!header.empty() && (header.back() == '\n' || header.back() == '\r'))
      header.remove_suffix(1);
    CLP_RETURN_IF_ERROR(decoder->match_header(header));
  }
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

Status CsvDecoder::match_header(std::string_view header) {
  header_ = header;
  index_.reset(header);
  index_.advance(header.size());
  std::vector<std::string> names;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= index_.separators().size(); ++i) {
    const std::size_t end = i < index_.separators().size() ? index_.separators()[i] : header.size();
    std::string_view name = trimmed(header.substr(begin, end - begin));
    if (options_.quote && name.size() >= 2 && name.front() == *options_.quote) name = unquote(name);
    names.emplace_back(name);
    begin = end + 1;
  }
  fields_expected_ = static_cast<int>(names.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string& wanted = record_->field(columns_[i]).name;
    const auto found = std::find(names.begin(), names.end(), wanted);
    if (found == names.end()) {
      const std::vector<std::string> close = close_names(wanted, names);
      return Status::invalid_argument(
          fmt::format("line 1: the header has no column '{}'{}; it has: {}", wanted,
                      close.empty() ? "" : fmt::format(" (did you mean '{}'?)", close.front()),
                      clip(fmt::format("{}", fmt::join(names, ", ")), 200)));
    }
    field_of_[i] = static_cast<int>(found - names.begin());
  }
  return Status::ok();
}

Result<DecodeProgress> CsvDecoder::decode(std::string_view chunk, bool at_end,
                                          std::int64_t rows_max, BatchBuilder& rows) {
  DecodeProgress progress;
  if (bom_pending_) {
    if (chunk.size() < kByteOrderMark.size() && !at_end) return progress;
    bom_pending_ = false;
    if (chunk.starts_with(kByteOrderMark)) {
      chunk.remove_prefix(kByteOrderMark.size());
      progress.consumed = kByteOrderMark.size();
    }
  }
  // Offsets are 32 bits wide.
  if (chunk.size() > (std::size_t{1} << 31)) {
    chunk = chunk.substr(0, std::size_t{1} << 31);
    at_end = false;
  }
  std::size_t consumed = 0;
  bad_.clear();
  CLP_RETURN_IF_ERROR(find_records(chunk, at_end, rows_max, consumed, progress.skipped_rows));
  drop_invalid_utf8(chunk, consumed);
  if (bad_.empty()) append_columns(chunk, rows);
  if (!bad_.empty()) {
    const auto first = std::min_element(bad_.begin(), bad_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.record, a.field) < std::pair(b.record, b.field);
    });
    if (!options_.ignore_parse_errors) return error_at(chunk, *first);
    // Once more without the bad records; rare, so the second pass costs nothing that matters.
    std::vector<bool> is_bad(records_.size(), false);
    while (!bad_.empty()) {
      for (const BadField& bad : bad_) is_bad[bad.record] = true;
      bad_.clear();
      std::vector<Record> good;
      for (std::size_t i = 0; i < records_.size(); ++i) {
        if (!is_bad[i]) good.push_back(records_[i]);
      }
      progress.skipped_rows += static_cast<std::int64_t>(records_.size() - good.size());
      records_ = std::move(good);
      is_bad.assign(records_.size(), false);
      append_columns(chunk, rows);
    }
  }
  for (std::size_t i = 0; i < records_.size(); ++i) rows.commit_row();
  line_ += std::count(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(consumed), '\n');
  progress.consumed += consumed;
  return progress;
}

// Cuts the chunk into records of the expected number of fields.
Status CsvDecoder::find_records(std::string_view chunk, bool at_end, std::int64_t rows_max,
                                std::size_t& consumed, std::int64_t& skipped) {
  records_.clear();
  index_.reset(chunk);
  index_.advance(bytes_hint_);
  std::uint32_t begin = 0;
  std::uint32_t first = 0;
  std::uint32_t next = 0;
  while (static_cast<std::int64_t>(records_.size()) < rows_max) {
    const auto& separators = index_.separators();
    // Most records have the expected number of fields: look at the last separator alone.
    const std::uint32_t guess = first + static_cast<std::uint32_t>(fields_expected_) - 1;
    if (next == first && guess < separators.size() && chunk[separators[guess]] == '\n' &&
        options_.delimiter != '\n') {
      next = guess;
      // A line feed before it means a short record.
      for (std::uint32_t i = first; i < guess; ++i) {
        if (chunk[separators[i]] == '\n') {
          next = i;
          break;
        }
      }
    } else {
      while (next < separators.size() && chunk[separators[next]] != '\n') ++next;
    }
    if (next >= separators.size()) {
      if (index_.advance(kWindow)) continue;
      if (!at_end) break;
      if (begin < chunk.size()) {
        if (index_.inside_quotes() && !options_.ignore_parse_errors) {
          return Status::invalid_argument(
              fmt::format("line {}: a quoted field is not closed before the end of the file",
                          line_of(chunk, begin)));
        }
        if (index_.inside_quotes()) {
          ++skipped;
        } else {
          CLP_RETURN_IF_ERROR(take_record(chunk, begin, static_cast<std::uint32_t>(chunk.size()),
                                          first, next - first + 1, skipped));
        }
      }
      consumed = chunk.size();
      return Status::ok();
    }
    const std::uint32_t end = separators[next];
    CLP_RETURN_IF_ERROR(take_record(chunk, begin, end, first, next - first + 1, skipped));
    begin = end + 1;
    first = next + 1;
    next = first;
  }
  if (chunk.size() - begin > options_.line_bytes_max &&
      static_cast<std::int64_t>(records_.size()) < rows_max) {
    return Status::invalid_argument(
        fmt::format("line {}: the record is longer than {} bytes; raise 'csv.line-bytes-max' if "
                    "such records are "
                    "meant, or look for a quote that is not closed",
                    line_of(chunk, begin), options_.line_bytes_max));
  }
  consumed = begin;
  if (begin > 0) bytes_hint_ = begin + begin / 16;
  return Status::ok();
}

Status CsvDecoder::take_record(std::string_view chunk, std::uint32_t begin, std::uint32_t end,
                               std::uint32_t first, std::uint32_t fields, std::int64_t& skipped) {
  if (end > begin && chunk[end - 1] == '\r') --end;
  if (header_pending_) {
    header_pending_ = false;
    if (options_.header == CsvHeader::kSkip) return Status::ok();
    const std::string header(chunk.substr(begin, end - begin));
    CsvIndex saved = index_;
    const Status matched = match_header(header);
    index_ = std::move(saved);
    return matched;
  }
  if (options_.allow_comments && begin < end && chunk[begin] == '#') return Status::ok();
  if (begin == end && fields_expected_ > 1) return Status::ok();
  if (end - begin > options_.line_bytes_max) {
    if (options_.ignore_parse_errors) {
      ++skipped;
      return Status::ok();
    }
    return Status::invalid_argument(
        fmt::format("line {}: the record has {} bytes, more than 'csv.line-bytes-max' = {}",
                    line_of(chunk, begin), end - begin, options_.line_bytes_max));
  }
  const auto expected = static_cast<std::uint32_t>(fields_expected_);
  if (fields > expected) {
    const std::uint32_t last = index_.separators()[first + expected - 1];
    const bool trailing =
        fields == expected + 1 && last + 1 == end && options_.allow_trailing_comma;
    if (trailing || options_.ignore_trailing_unmappable) {
      end = last;
      fields = expected;
    }
  }
  if (fields != expected) {
    if (options_.ignore_parse_errors && !(fields < expected && options_.fail_on_missing_columns)) {
      ++skipped;
      return Status::ok();
    }
    return Status::invalid_argument(fmt::format(
        "line {}: the record has {} field{}, expected {} ({}): \"{}\"; set "
        "'csv.ignore-parse-errors' = "
        "'true' to skip such records",
        line_of(chunk, begin), fields, fields == 1 ? "" : "s", expected,
        fields < expected && fields < static_cast<std::uint32_t>(record_->size())
            ? fmt::format("column '{}' is missing", record_->field(static_cast<int>(fields)).name)
            : "too many",
        clip(chunk.substr(begin, end - begin), 64)));
  }
  records_.push_back({begin, end, first});
  return Status::ok();
}

void CsvDecoder::drop_invalid_utf8(std::string_view chunk, std::size_t consumed) {
  if (is_valid_utf8(chunk.substr(0, consumed))) return;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const Record& record = records_[i];
    for (int field = 0; field < fields_expected_; ++field) {
      bool quoted = false;
      if (!is_valid_utf8(field_text(chunk, record, field, quoted))) {
        bad_.push_back({static_cast<std::uint32_t>(i), field, "the text is not valid UTF-8"});
        break;
      }
    }
  }
}

void CsvDecoder::append_columns(std::string_view chunk, BatchBuilder& rows) {
  const std::int64_t before = rows.rows();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    append_column(chunk, field_of_[i], rows.column(static_cast<int>(i)));
  }
  if (bad_.empty()) return;
  for (std::size_t i = 0; i < columns_.size(); ++i)
    rows.column(static_cast<int>(i)).truncate(before);
}

void CsvDecoder::append_column(std::string_view chunk, int field, ColumnBuilder& builder) {
  const TypeKind kind = builder.type().kind();
  const bool is_text = builder.type().is_character();
  builder.reserve(builder.length() + static_cast<std::int64_t>(records_.size()));
  std::string reason;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    bool quoted = false;
    std::string_view text = field_text(chunk, records_[i], field, quoted);
    if (!quoted && (options_.trim_spaces || !is_text)) text = trimmed(text);
    if ((options_.null_literal && text == *options_.null_literal) ||
        (text.empty() && options_.empty_string_as_null)) {
      builder.append_null();
      continue;
    }
    bool good = true;
    switch (kind) {
      case TypeKind::kVarchar:
      case TypeKind::kChar:
        builder.append_string(text);
        break;
      case TypeKind::kInteger:
        good = append_int<std::int32_t>(text, builder);
        break;
      case TypeKind::kBigInt:
        good = append_int<std::int64_t>(text, builder);
        break;
      case TypeKind::kSmallInt:
        good = append_int<std::int16_t>(text, builder);
        break;
      case TypeKind::kTinyInt:
        good = append_int<std::int8_t>(text, builder);
        break;
      default:
        good = append_field(text, builder, reason);
        break;
    }
    if (!good) {
      bad_.push_back({static_cast<std::uint32_t>(i), field, reason});
      reason.clear();
      builder.append_null();
    }
  }
}

// Types that are not worth a loop of their own.
bool CsvDecoder::append_field(std::string_view text, ColumnBuilder& builder, std::string& reason) {
  const DataType& type = builder.type();
  if (type.is_nested()) return append_nested(text, builder, reason);
  if (type.is_character()) {
    builder.append_string(text);
    return true;
  }
  if (type.is_binary()) {
    if (!decode_base64(text, element_)) {
      reason = "expected base64";
      return false;
    }
    builder.append_string(element_);
    return true;
  }
  // An instant is written in UTC with a Z behind it.
  if (type.kind() == TypeKind::kTimestampLtz && text.ends_with('Z')) text.remove_suffix(1);
  std::string space_for_t;
  if (type.is_timestamp() && text.size() > 10 && text[10] == 'T') {
    space_for_t = text;
    space_for_t[10] = ' ';
    text = space_for_t;
  }
  const std::int64_t before = builder.length();
  if (append_parsed_value(text, builder, nullptr).is_ok()) return true;
  builder.truncate(before);
  return false;
}

bool CsvDecoder::append_nested(std::string_view text, ColumnBuilder& builder, std::string& reason) {
  const std::vector<Field>& fields = builder.type().fields();
  const bool is_row = builder.type().kind() == TypeKind::kRow;
  const std::int64_t before = builder.length();
  std::size_t index = 0;
  std::string_view rest = text;
  bool good = true;
  for (bool more = is_row || !text.empty(); more && good; ++index) {
    const std::size_t cut = rest.find(options_.array_delimiter);
    const std::string element(trimmed(rest.substr(0, cut)));
    more = cut != std::string_view::npos;
    if (more) rest.remove_prefix(cut + options_.array_delimiter.size());
    if (is_row && index >= fields.size()) {
      good = false;
      break;
    }
    ColumnBuilder& child = builder.child(is_row ? static_cast<int>(index) : 0);
    if (options_.null_literal && element == *options_.null_literal) {
      child.append_null();
    } else {
      good = append_field(element, child, reason);
    }
  }
  if (good && is_row && index != fields.size()) good = false;
  if (!good) {
    if (is_row) {
      for (std::size_t i = 0; i < fields.size(); ++i) {
        builder.child(static_cast<int>(i)).truncate(before);
      }
    } else {
      // Closing takes the elements in; truncating the list takes them out with it.
      builder.close_list();
      builder.truncate(before);
    }
    return false;
  }
  if (is_row) {
    builder.close_struct();
  } else {
    builder.close_list();
  }
  return true;
}

std::string_view CsvDecoder::field_text(std::string_view chunk, const Record& record, int field,
                                        bool& quoted) {
  const auto& separators = index_.separators();
  const std::uint32_t at = record.first + static_cast<std::uint32_t>(field);
  const std::uint32_t begin = field == 0 ? record.begin : separators[at - 1] + 1;
  const std::uint32_t end = field + 1 == fields_expected_ ? record.end : separators[at];
  const std::string_view text = chunk.substr(begin, end - begin);
  if (options_.quote && !text.empty() && text.front() == *options_.quote) {
    quoted = true;
    return unquote(text);
  }
  if (options_.escape && text.find(*options_.escape) != std::string_view::npos)
    return unquote(text);
  return text;
}

// The text of a field without quotes and escapes; in scratch_ when bytes had to go in the middle.
std::string_view CsvDecoder::unquote(std::string_view text) {
  if (options_.quote && text.size() >= 2 && text.front() == *options_.quote &&
      text.back() == *options_.quote) {
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (inner.find(*options_.quote) == std::string_view::npos &&
        (!options_.escape || inner.find(*options_.escape) == std::string_view::npos)) {
      return inner;
    }
  }
  scratch_.clear();
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (options_.escape && c == *options_.escape && i + 1 < text.size()) {
      scratch_.push_back(text[++i]);
    } else if (options_.quote && c == *options_.quote) {
      if (inside && i + 1 < text.size() && text[i + 1] == c) {
        scratch_.push_back(c);
        ++i;
      } else {
        inside = !inside;
      }
    } else {
      scratch_.push_back(c);
    }
  }
  return scratch_;
}

std::int64_t CsvDecoder::line_of(std::string_view chunk, std::uint32_t begin) const {
  return line_ + std::count(chunk.begin(), chunk.begin() + begin, '\n');
}

Status CsvDecoder::error_at(std::string_view chunk, const BadField& bad) const {
  const Record& record = records_[bad.record];
  const auto wanted = std::find(field_of_.begin(), field_of_.end(), bad.field);
  std::string column = fmt::format("field {}", bad.field + 1);
  std::string type;
  if (wanted != field_of_.end()) {
    const Field& field =
        record_->field(columns_[static_cast<std::size_t>(wanted - field_of_.begin())]);
    column = fmt::format("column '{}' (field {})", field.name, bad.field + 1);
    type = field.type.name();
  }
  const auto& separators = index_.separators();
  const std::uint32_t at = record.first + static_cast<std::uint32_t>(bad.field);
  const std::uint32_t begin = bad.field == 0 ? record.begin : separators[at - 1] + 1;
  const std::uint32_t end = bad.field + 1 == fields_expected_ ? record.end : separators[at];
  const std::string value = clip(replace_invalid_utf8(chunk.substr(begin, end - begin)), 64);
  const std::string hint =
      value.empty()
          ? "set 'csv.empty-string-as-null' = 'true' to read empty fields as NULL, or "
            "'csv.ignore-parse-errors' = 'true' to skip such rows"
          : "set 'csv.null-literal' if the text means NULL, or 'csv.ignore-parse-errors' = 'true' "
            "to skip such rows";
  return Status::invalid_argument(fmt::format(
      "line {}, {}: cannot read \"{}\"{}{}; {}", line_of(chunk, record.begin), column, value,
      type.empty() ? "" : " as " + type, bad.reason.empty() ? "" : ": " + bad.reason, hint));
}

}  // namespace clepsydra
