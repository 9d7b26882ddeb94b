#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/object_store/s3_credentials.h"

namespace clepsydra {
namespace {

// Digits only; -1 for anything else.
int number_at(std::string_view text, std::size_t at, std::size_t count) {
  int number = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

bool is_key(const std::string& text) {
  for (const char c : text) {
    if (c < 0x21 || c > 0x7E) return false;
  }
  return !text.empty();
}

}  // namespace

std::int64_t parse_utc_time(std::string_view text) {
  const int year = number_at(text, 0, 4);
  const int month = number_at(text, 5, 2);
  const int day = number_at(text, 8, 2);
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  const int second = number_at(text, 17, 2);
  if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0) return 0;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return 0;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

Result<TemporaryCredentials> parse_credentials_json(std::string_view json) {
  const nlohmann::json tree =
      nlohmann::json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) return Status::data_loss("the credentials are not a JSON object");
  const auto text = [&](const char* key) {
    const auto found = tree.find(key);
    return found != tree.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  TemporaryCredentials credentials;
  credentials.keys = {text("AccessKeyId"), text("SecretAccessKey"), text("Token")};
  for (const auto& [key, value] : {std::pair("AccessKeyId", &credentials.keys.access_key),
                                   std::pair("SecretAccessKey", &credentials.keys.secret_key),
                                   std::pair("Token", &credentials.keys.session_token)}) {
    if (!is_key(*value)) {
      return Status::data_loss(fmt::format("the credentials have no '{}', or a broken one", key));
    }
  }
  credentials.expires_ms = parse_utc_time(text("Expiration"));
  return credentials;
}

}  // namespace clepsydra
