#include "base/object_store/s3_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/object_store/object_store.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr ConfigOption<std::string> kAccessKey{"s3.access-key", std::nullopt, ""};
constexpr ConfigOption<std::string> kSecretKey{"s3.secret-key", std::nullopt, ""};
constexpr ConfigOption<std::string> kSessionToken{"s3.session-token", std::nullopt, ""};
constexpr ConfigOption<std::string> kEndpoint{"s3.endpoint", std::nullopt, ""};
constexpr ConfigOption<std::string> kRegion{"s3.region", std::nullopt, ""};
constexpr ConfigOption<bool> kPathStyle{"s3.path.style.access", std::nullopt, ""};
constexpr ConfigOption<bool> kPathStyleNew{"s3.path-style-access", std::nullopt, ""};
constexpr ConfigOption<MemorySize> kPartSize{"s3.upload.min.part.size", "8 mb", ""};
constexpr ConfigOption<std::int32_t> kUploads{"s3.upload.max.concurrent.uploads", "4", ""};
constexpr ConfigOption<std::int32_t> kRetries{"s3.retry.max-num-retries", "5", ""};
constexpr ConfigOption<Duration> kConnectTimeout{"s3.connection.timeout", "10 s", ""};
constexpr ConfigOption<Duration> kSocketTimeout{"s3.socket.timeout", "30 s", ""};

constexpr std::int64_t kPartBytesMax = 1LL << 30;

Status wrong(std::string_view key, std::string_view value, std::string_view expected) {
  return Status::invalid_argument(
      fmt::format("option '{}' is '{}'; expected {}", key, clip(value, 200), expected));
}

// The option, else the first of the variables that is set and not empty.
Result<std::string> text_of(const Configuration& configuration,
                            const ConfigOption<std::string>& option,
                            const S3Options::Environment& environment,
                            std::initializer_list<std::string_view> variables) {
  CLP_ASSIGN_OR_RETURN(const std::optional<std::string> text, configuration.get_optional(option));
  if (text) return *text;
  for (const std::string_view variable : variables) {
    const std::optional<std::string> value = environment(variable);
    if (value && !value->empty()) return *value;
  }
  return std::string();
}

bool has_only(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

Status read_endpoint(std::string_view text, S3Options& options) {
  if (text.empty()) return Status::ok();
  const std::string_view whole = text;
  const auto bad = [&] {
    // What stands before an '@' is a secret.
    return wrong(kEndpoint.key,
                 whole.find('@') == std::string_view::npos ? whole : std::string_view("******"),
                 "a host with or without http:// or https:// and port, such as "
                 "http://localhost:9000");
  };
  if (text.starts_with("http://")) {
    options.is_https = false;
    text.remove_prefix(7);
  } else if (text.starts_with("https://")) {
    text.remove_prefix(8);
  } else if (text.find("://") != std::string_view::npos) {
    return bad();
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty() || !has_only(text, ".-:[]_")) return bad();
  options.host = text;
  return Status::ok();
}

// Names of machines of one's own rarely resolve with a bucket before them.
bool is_address_or_local(std::string_view host) {
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  return host.find('.') == std::string_view::npos ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Status read_credentials(const Configuration& configuration,
                        const S3Options::Environment& environment, S3Options& options) {
  S3Credentials& found = options.credentials;
  CLP_ASSIGN_OR_RETURN(found.access_key, text_of(configuration, kAccessKey, environment, {}));
  CLP_ASSIGN_OR_RETURN(found.secret_key, text_of(configuration, kSecretKey, environment, {}));
  CLP_ASSIGN_OR_RETURN(found.session_token, text_of(configuration, kSessionToken, environment, {}));
  // Never one half from here and one from there.
  if (found.access_key.empty() && found.secret_key.empty()) {
    found.access_key = environment("AWS_ACCESS_KEY_ID").value_or("");
    found.secret_key = environment("AWS_SECRET_ACCESS_KEY").value_or("");
    found.session_token = environment("AWS_SESSION_TOKEN").value_or("");
  }
  if (found.access_key.empty() != found.secret_key.empty()) {
    return Status::invalid_argument(
        fmt::format("of '{}' and '{}' (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) only one is "
                    "set; expected both or neither",
                    kAccessKey.key, kSecretKey.key));
  }
  if (!has_only(found.access_key, "+/=_-.@")) {
    return Status::invalid_argument(
        fmt::format("option '{}' has characters that no access key has", kAccessKey.key));
  }
  for (const std::string* text : {&found.secret_key, &found.session_token}) {
    if (std::any_of(text->begin(), text->end(), [](char c) { return c < 0x21 || c > 0x7E; })) {
      return Status::invalid_argument(
          fmt::format("option '{}' or '{}' has blanks or other characters that no key has",
                      kSecretKey.key, kSessionToken.key));
    }
  }
  return Status::ok();
}

// No endpoint that was set is one of AWS whose machines hand out keys.
void read_services(const S3Options::Environment& environment, S3Options& options) {
  S3Options::CredentialServices& services = options.credential_services;
  const auto variable = [&](std::string_view name) { return environment(name).value_or(""); };
  services.container_url = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (services.container_url.empty() && relative.starts_with('/')) {
    services.container_url = "http://169.254.170.2" + relative;
  }
  const std::string token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (std::all_of(token.begin(), token.end(), [](char c) { return c >= 0x20 && c < 0x7F; })) {
    services.container_token = token;
  }
  if (!options.host.empty() || variable("AWS_EC2_METADATA_DISABLED") == "true") return;
  services.instance_url = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (services.instance_url.empty()) services.instance_url = "http://169.254.169.254";
  while (services.instance_url.ends_with('/')) services.instance_url.pop_back();
}

Result<std::int64_t> read_timeout(const Configuration& configuration,
                                  const ConfigOption<Duration>& option) {
  CLP_ASSIGN_OR_RETURN(const Duration value, configuration.get(option));
  using std::chrono::milliseconds;
  if (value < milliseconds(1) || value > std::chrono::hours(1)) {
    return wrong(option.key, *configuration.find(option.key), "1 ms to 1 h");
  }
  return std::chrono::duration_cast<milliseconds>(value).count();
}

Status read_numbers(const Configuration& configuration, S3Options& options) {
  CLP_ASSIGN_OR_RETURN(options.connect_timeout_ms, read_timeout(configuration, kConnectTimeout));
  CLP_ASSIGN_OR_RETURN(options.idle_timeout_ms, read_timeout(configuration, kSocketTimeout));
  CLP_ASSIGN_OR_RETURN(options.retries_max, configuration.get(kRetries));
  if (options.retries_max < 0 || options.retries_max > 100) {
    return wrong(kRetries.key, *configuration.find(kRetries.key), "0 to 100");
  }
  CLP_ASSIGN_OR_RETURN(options.uploads_at_once, configuration.get(kUploads));
  if (options.uploads_at_once < 1 || options.uploads_at_once > 64) {
    return wrong(kUploads.key, *configuration.find(kUploads.key), "1 to 64");
  }
  CLP_ASSIGN_OR_RETURN(const MemorySize part, configuration.get(kPartSize));
  if (part.bytes < ObjectStore::kPartBytesMin || part.bytes > kPartBytesMax) {
    return wrong(kPartSize.key, *configuration.find(kPartSize.key), "5 mb to 1 gb");
  }
  options.part_bytes = part.bytes;
  return Status::ok();
}

}  // namespace

Result<S3Options> S3Options::read(const Configuration& configuration,
                                  const Environment& environment) {
  S3Options options;
  CLP_RETURN_IF_ERROR(read_credentials(configuration, environment, options));
  CLP_ASSIGN_OR_RETURN(
      const std::string endpoint,
      text_of(configuration, kEndpoint, environment, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}));
  CLP_RETURN_IF_ERROR(read_endpoint(endpoint, options));
  read_services(environment, options);
  CLP_ASSIGN_OR_RETURN(const std::string region, text_of(configuration, kRegion, environment,
                                                         {"AWS_REGION", "AWS_DEFAULT_REGION"}));
  if (!region.empty()) options.region = region;
  if (!has_only(options.region, "-")) {
    return wrong(kRegion.key, options.region, "the name of a region, such as eu-central-1");
  }
  options.path_style = !options.host.empty() && is_address_or_local(options.host);
  for (const ConfigOption<bool>& option : {kPathStyle, kPathStyleNew}) {
    CLP_ASSIGN_OR_RETURN(const std::optional<bool> value, configuration.get_optional(option));
    if (value) options.path_style = *value;
  }
  CLP_RETURN_IF_ERROR(read_numbers(configuration, options));
  return options;
}

}  // namespace clepsydra
