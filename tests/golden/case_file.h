// Reads the corpora of this folder and the list of known differences.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "clepsydra/status.h"

namespace clepsydra::golden {

// One line of a corpus, its fields without escapes.
struct Case {
  std::string name;
  std::string category;
  std::string statement;  // expressions*.tsv: the expression.
  std::string type;       // expressions*.tsv only.
  std::string result;     // A value, or "ERROR:<class>". errors.tsv: "ERROR:<class>".
  std::string message;    // The reference's, for an error.
};

// expressions.tsv and expressions_columns.tsv.
Result<std::vector<Case>> read_expressions(FileSystem& files, std::string_view path);
// errors.tsv.
Result<std::vector<Case>> read_errors(FileSystem& files, std::string_view path);

// Case -> reason: the rows "| `name` | reason |" of a Markdown file. A row may name several cases,
// separated by blanks.
Result<std::map<std::string, std::string>> read_differences(FileSystem& files,
                                                            std::string_view path);

// The lines of a file, sorted.
Result<std::set<std::string>> read_names(FileSystem& files, std::string_view path);

// Case -> parts that the message must contain: lines of fields separated by tabs.
Result<std::map<std::string, std::vector<std::string>>> read_causes(FileSystem& files,
                                                                    std::string_view path);

// Whether `got` is what `expected` says for a value of `type`: README.md, "Comparing".
bool same_value(std::string_view type, const std::string& got, const std::string& expected);

}  // namespace clepsydra::golden
