#include "main/process_configuration.h"

#include "base/check.h"
#include "base/file_system.h"
#include "sql/settings.h"

namespace clepsydra {

Result<Configuration> read_configuration(const std::optional<std::string>& directory,
                                         const std::vector<std::string>& settings,
                                         FileSystem& files) {
  Configuration configuration;
  if (directory) {
    const std::string path = join_path(*directory, "config.yaml");
    CLP_ASSIGN_OR_RETURN(const std::string text, read_file(files, path));
    Result<Configuration> parsed = Configuration::from_yaml(text);
    if (!parsed.is_ok()) return parsed.status().with_context(path);
    configuration = *std::move(parsed);
  }
  for (const auto& [key, value] : configuration.values()) {
    CLP_RETURN_IF_ERROR(sql::check_setting(key, value));
  }
  for (const std::string& setting : settings) {
    Configuration one;
    CLP_RETURN_IF_ERROR(one.set_from_assignment(setting));
    for (const auto& [key, value] : one.values()) {
      CLP_RETURN_IF_ERROR(sql::check_setting(key, value).with_context("-D"));
    }
    configuration.merge(one);
  }
  return configuration;
}

}  // namespace clepsydra
