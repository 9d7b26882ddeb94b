// Texts taken apart: SPLIT, STR_TO_MAP, REGEXP_EXTRACT_ALL, PARSE_URL; ELT, which picks one.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "functions/kernels.h"
#include "functions/scalar/elements.h"
#include "functions/scalar/families.h"
#include "functions/scalar/regex_site.h"
#include "functions/type_rules.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

Status check_texts(const CallTyping& call, int count) {
  for (int i = 0; i < count; ++i) {
    if (!call.type(i).is_character()) return wrong_types(call);
  }
  return Status::ok();
}

// ---- SPLIT ----

Result<DataType> derive_split(CallTyping& call) {
  CLP_RETURN_IF_ERROR(check_texts(call, 2));
  return call.strict(DataType::array(DataType::string()));
}

// Without a delimiter into characters; an empty text has no parts.
void append_parts(std::string_view text, std::string_view delimiter, ColumnBuilder& parts) {
  if (text.empty()) return;
  if (delimiter.empty()) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      utf8_next(text, at);
      parts.append_string(text.substr(begin, at - begin));
    }
    return;
  }
  while (true) {
    const std::size_t end = text.find(delimiter);
    parts.append_string(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + delimiter.size());
  }
}

bool split_kernel(KernelCall& call) {
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    append_parts(call.argument(0).string_at(row), call.argument(1).string_at(row),
                 builder.child(0));
    builder.close_list();
    return true;
  });
}

// ---- STR_TO_MAP ----

Result<DataType> derive_str_to_map(CallTyping& call) {
  CLP_RETURN_IF_ERROR(check_texts(call, call.count()));
  if (call.count() == 1) call.arguments.push_back(text_literal(","));
  if (call.count() == 2) call.arguments.push_back(text_literal("="));
  return DataType::map(DataType::string(), DataType::string()).with_nullable(true);
}

struct MapSite final : CallSite {
  RegexSite pairs{compile_regex};
  RegexSite values{compile_regex};
};

// Cuts the text at the first match of the delimiter: the part before it and the rest. A match of
// nothing is passed over. False when the pattern gave up.
bool cut(RegularExpression& delimiter, std::string_view text, std::string_view& first,
         std::optional<std::string_view>& rest) {
  first = text;
  rest.reset();
  std::size_t from = 0;
  while (true) {
    const auto outcome = delimiter.find(text, from);
    if (outcome == RegularExpression::Outcome::kGaveUp) return false;
    if (outcome == RegularExpression::Outcome::kNoMatch) return true;
    const auto [begin, end] = delimiter.group(0);
    if (end > begin) {
      first = text.substr(0, begin);
      rest = text.substr(end);
      return true;
    }
    if (begin >= text.size()) return true;
    from = begin;
    utf8_next(text, from);
  }
}

// The pairs of one text, a key that comes again with its last value.
class Pairs {
 public:
  // False when the call has failed.
  bool read(KernelCall& call, RegularExpression& between_pairs,
            RegularExpression& between_key_and_value, std::int32_t row) {
    pairs_.clear();
    places_.clear();
    std::optional<std::string_view> text = call.argument(0).string_at(row);
    if (text->empty()) return true;
    while (text) {
      std::string_view pair;
      std::string_view key;
      std::optional<std::string_view> rest;
      std::optional<std::string_view> value;
      if (!cut(between_pairs, *text, pair, rest)) return fail_steps(call, row);
      // Delimiters at the end begin no pair.
      if (rest && rest->empty()) rest.reset();
      if (!cut(between_key_and_value, pair, key, value)) return fail_steps(call, row);
      const auto [place, is_new] = places_.emplace(key, pairs_.size());
      if (is_new) {
        pairs_.emplace_back(key, value);
      } else {
        pairs_[place->second].second = value;
      }
      text = rest;
    }
    return true;
  }
  [[nodiscard]] const auto& pairs() const { return pairs_; }

 private:
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> pairs_;
  std::unordered_map<std::string_view, std::size_t> places_;
};

bool str_to_map_kernel(KernelCall& call) {
  const auto& site = call.site_as<MapSite>();
  Pairs pairs;
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    RegularExpression* between_pairs = site.pairs.get(call.argument(1).string_at(row), {});
    RegularExpression* between_parts = site.values.get(call.argument(2).string_at(row), {});
    if (between_pairs == nullptr || between_parts == nullptr) {
      builder.append_null();
      return true;
    }
    if (!pairs.read(call, *between_pairs, *between_parts, row)) return false;
    for (const auto& [key, value] : pairs.pairs()) {
      builder.child(0).append_string(key);
      if (value) {
        builder.child(1).append_string(*value);
      } else {
        builder.child(1).append_null();
      }
    }
    builder.close_list();
    return true;
  });
}

Result<BoundKernel> bind_str_to_map(const CallBinding& call) {
  if (call.count() != 3) return no_kernel(call);
  return BoundKernel{.kernel = str_to_map_kernel,
                     .site = std::make_unique<MapSite>(),
                     .can_fail = true,
                     .is_costly = true};
}

// ---- REGEXP_EXTRACT_ALL ----

Result<DataType> derive_extract_all(CallTyping& call) {
  CLP_RETURN_IF_ERROR(check_texts(call, 2));
  if (call.count() == 2) call.arguments.push_back(integer_literal(1));
  if (!call.type(2).is_integer()) return wrong_types(call);
  CLP_RETURN_IF_ERROR(call.coerce(2, DataType::integer()));
  return DataType::array(DataType::string()).with_nullable(true);
}

bool extract_all_kernel(KernelCall& call) {
  const auto& site = call.site_as<RegexSite>();
  const Vector& groups = call.argument(2);
  return build_result(call, [&](std::int32_t row, ColumnBuilder& builder) {
    RegularExpression* pattern = site.get(call.argument(1).string_at(row), {});
    const std::int32_t group = groups.data<std::int32_t>()[groups.index_of(row)];
    if (pattern == nullptr || group < 0 || group > pattern->group_count()) {
      builder.append_null();
      return true;
    }
    const std::string_view text = call.argument(0).string_at(row);
    for (std::size_t at = 0; at <= text.size();) {
      const auto outcome = pattern->find(text, at);
      if (outcome == RegularExpression::Outcome::kGaveUp) return fail_steps(call, row);
      if (outcome == RegularExpression::Outcome::kNoMatch) break;
      const auto [begin, end] = pattern->group(group);
      if (begin == std::string_view::npos) {
        builder.child(0).append_null();
      } else {
        builder.child(0).append_string(text.substr(begin, end - begin));
      }
      const auto [match_begin, match_end] = pattern->group(0);
      at = match_end;
      if (match_end == match_begin) {  // Behind an empty match goes on one character later.
        if (at >= text.size()) break;
        utf8_next(text, at);
      }
    }
    builder.close_list();
    return true;
  });
}

Result<BoundKernel> bind_extract_all(const CallBinding& call) {
  if (call.count() != 3 || call.type(2).kind() != TypeKind::kInteger) return no_kernel(call);
  return BoundKernel{.kernel = extract_all_kernel,
                     .site = std::make_unique<RegexSite>(compile_regex),
                     .can_fail = true,
                     .is_costly = true};
}

// ---- PARSE_URL ----

// protocol://user@host:port/path?query#ref, as java.net.URL takes it apart.
struct UrlParts {
  std::string_view protocol;
  std::string_view authority;
  std::string_view user_info;
  std::string_view host;
  std::string_view file;  // Path and query.
  std::string_view path;
  std::string_view query;
  std::string_view reference;
  bool has_user_info = false;
  bool has_query = false;
  bool has_reference = false;
};

bool is_known_protocol(std::string_view protocol) {
  std::string lower;
  for (const char c : protocol) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  return lower == "http" || lower == "https" || lower == "ftp" || lower == "file" ||
         lower == "jar" || lower == "mailto";
}

std::optional<UrlParts> take_apart(std::string_view url) {
  while (!url.empty() && url.front() <= ' ' && url.front() >= 0) url.remove_prefix(1);
  while (!url.empty() && url.back() <= ' ' && url.back() >= 0) url.remove_suffix(1);
  UrlParts parts;
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos || !is_known_protocol(url.substr(0, colon))) {
    return std::nullopt;
  }
  parts.protocol = url.substr(0, colon);
  url.remove_prefix(colon + 1);
  if (const std::size_t hash = url.find('#'); hash != std::string_view::npos) {
    parts.reference = url.substr(hash + 1);
    parts.has_reference = true;
    url = url.substr(0, hash);
  }
  if (url.starts_with("//")) {
    url.remove_prefix(2);
    const std::size_t end = std::min(url.find_first_of("/?"), url.size());
    parts.authority = url.substr(0, end);
    url.remove_prefix(end);
    parts.host = parts.authority;
    if (const std::size_t at = parts.host.rfind('@'); at != std::string_view::npos) {
      parts.user_info = parts.host.substr(0, at);
      parts.has_user_info = true;
      parts.host.remove_prefix(at + 1);
    }
    const std::size_t port = parts.host.starts_with('[')
                                 ? parts.host.find(':', parts.host.find(']'))
                                 : parts.host.find(':');
    if (port != std::string_view::npos) {
      const std::string_view digits = parts.host.substr(port + 1);
      if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
      parts.host = parts.host.substr(0, port);
    }
  }
  parts.file = url;
  const std::size_t question = url.find('?');
  parts.path = url.substr(0, question);
  if (question != std::string_view::npos) {
    parts.query = url.substr(question + 1);
    parts.has_query = true;
  }
  return parts;
}

std::optional<std::string_view> part_of(const UrlParts& url, std::string_view part) {
  if (part == "HOST") return url.host;
  if (part == "PATH") return url.path;
  if (part == "QUERY" && url.has_query) return url.query;
  if (part == "REF" && url.has_reference) return url.reference;
  if (part == "PROTOCOL") return url.protocol;
  if (part == "FILE") return url.file;
  if (part == "AUTHORITY") return url.authority;
  if (part == "USERINFO" && url.has_user_info) return url.user_info;
  return std::nullopt;
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view key) {
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=') {
      return pair.substr(key.size() + 1);
    }
    if (end == std::string_view::npos) return std::nullopt;
    query.remove_prefix(end + 1);
  }
}

bool parse_url_kernel(KernelCall& call) {
  TextSharer sharer(call, call.argument(0));
  const bool has_key = call.arguments.size() == 3;
  return for_each_result(call, [&](std::int32_t row) {
    const std::string_view part = call.argument(1).string_at(row);
    const std::optional<UrlParts> url = take_apart(call.argument(0).string_at(row));
    std::optional<std::string_view> found;
    if (url) found = part_of(*url, part);
    if (found && has_key) {
      found = part == "QUERY" ? query_value(*found, call.argument(2).string_at(row)) : std::nullopt;
    }
    if (found) {
      sharer.share(row, *found);
    } else {
      call.set_null(row);
    }
    return true;
  });
}

// ---- ELT ----

Result<DataType> derive_elt(CallTyping& call) {
  if (!call.type(0).is_integer()) return wrong_types(call);
  if (const std::optional<std::int64_t> index = integer_value(*call.argument(0));
      index && *index < 0) {
    return Status::invalid_argument(fmt::format("ELT counts its texts from 1, found {}", *index));
  }
  CLP_RETURN_IF_ERROR(call.coerce(0, DataType::integer()));
  std::vector<DataType> types;
  for (int i = 1; i < call.count(); ++i) {
    if (!call.type(i).is_character() && !call.type(i).is_binary()) return wrong_types(call);
    types.push_back(call.type(i));
  }
  CLP_ASSIGN_OR_RETURN(const DataType common, least_common_type(types));
  for (int i = 1; i < call.count(); ++i) CLP_RETURN_IF_ERROR(call.coerce(i, common));
  return common.with_nullable(true);
}

bool elt_kernel(KernelCall& call) {
  const Vector& index = call.argument(0);
  const auto count = static_cast<std::int32_t>(call.arguments.size()) - 1;
  TextWriter writer(call);
  for_each_row(call.rows, [&](std::int32_t row) {
    const std::int32_t wanted =
        index.is_null(row) ? 0 : index.data<std::int32_t>()[index.index_of(row)];
    if (wanted < 1 || wanted > count || call.argument(wanted).is_null(row)) {
      writer.write(row, {});
      call.set_null(row);
    } else {
      writer.write(row, call.argument(wanted).string_at(row));
    }
  });
  return call.status().is_ok();
}

template <Kernel kKernel>
Result<BoundKernel> bind_costly(const CallBinding&) {
  return costly_kernel(kKernel);
}

constexpr ScalarFunction kFunctions[] = {
    {.name = "SPLIT",
     .arguments_min = 2,
     .arguments_max = 2,
     .derive = derive_split,
     .bind = bind_costly<split_kernel>,
     .signature = "SPLIT(text, delimiter)",
     .description = "The parts between delimiters; the characters for an empty delimiter.",
     .example = "SPLIT('a,b', ',')",
     .example_result = "[a, b]"},
    {.name = "STR_TO_MAP",
     .arguments_min = 1,
     .arguments_max = 3,
     .derive = derive_str_to_map,
     .bind = bind_str_to_map,
     .signature = "STR_TO_MAP(text [, regex_between_pairs, regex_between_key_and_value])",
     .description = "Keys and values of a text such as 'a=1,b=2'.",
     .example = "STR_TO_MAP('a=1,b=2')",
     .example_result = "{a=1, b=2}"},
    {.name = "REGEXP_EXTRACT_ALL",
     .arguments_min = 2,
     .arguments_max = 3,
     .derive = derive_extract_all,
     .bind = bind_extract_all,
     .signature = "REGEXP_EXTRACT_ALL(text, regex [, group])",
     .description = "All matches, or group `group` (1 unless said) of each.",
     .example = "REGEXP_EXTRACT_ALL('a1b2', '([a-z])(\\d)', 2)",
     .example_result = "[1, 2]"},
    {.name = "PARSE_URL",
     .arguments_min = 2,
     .arguments_max = 3,
     .parameters = "STRING STRING [STRING]",
     .result = "STRING?",
     .bind = bind_costly<parse_url_kernel>,
     .signature = "PARSE_URL(url, part [, key])",
     .description =
         "HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO of a URL, or the "
         "value of a key of its query.",
     .example = "PARSE_URL('http://a.org/p?k=v#r', 'QUERY', 'k')",
     .example_result = "v"},
    {.name = "ELT",
     .arguments_min = 2,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_elt,
     .bind = bind_costly<elt_kernel>,
     .is_strict = false,
     .signature = "ELT(index, text, ...)",
     .description = "The text at a place, counted from 1; NULL where there is none.",
     .example = "ELT(2, 'a', 'b')",
     .example_result = "b"},
};

}  // namespace

std::span<const ScalarFunction> text_part_functions() {
  return kFunctions;
}

}  // namespace clepsydra
