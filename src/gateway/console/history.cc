#include "gateway/console/history.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/configuration.h"
#include "base/file_system.h"
#include "sql/grammar/characters.h"
#include "sql/grammar/lexer.h"

namespace clepsydra::console {
namespace {

std::string encode(std::string_view entry) {
  std::string line;
  for (const char c : entry) {
    if (c == '\\') {
      line += "\\\\";
    } else if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  return line;
}

std::string decode(std::string_view line) {
  std::string entry;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      entry += line[i];
    } else {
      entry += line[++i] == 'n' ? '\n' : line[i];
    }
  }
  return entry;
}

}  // namespace

Status History::load() {
  if (path_.empty()) return Status::ok();
  CLP_ASSIGN_OR_RETURN(const bool exists, files_.exists(path_));
  if (!exists) return Status::ok();
  CLP_ASSIGN_OR_RETURN(const std::string text,
                       read_file(files_, path_, static_cast<std::int64_t>(kFileBytesMax)));
  std::size_t lines = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (std::string entry = decode(rest.substr(0, end));
        entry.size() <= kEntryBytesMax && grammar::find_bad_byte(entry) == entry.size()) {
      keep(std::move(entry));
    }
    ++lines;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (lines < 2 * kEntriesMax) return Status::ok();
  std::string shorter;
  for (const std::string& entry : entries_) shorter += encode(entry) + "\n";
  return write_file_atomically(files_, path_, shorter);
}

Status History::add(std::string_view entry) {
  if (entry.empty() || (!entries_.empty() && entries_.back() == entry)) return Status::ok();
  keep(std::string(entry));
  if (path_.empty() || entry.size() > kEntryBytesMax || holds_secret(entry)) return Status::ok();
  CLP_RETURN_IF_ERROR(files_.create_directories(directory_name(path_)));
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                       files_.open_for_write(path_, WriteMode::kAppend));
  CLP_RETURN_IF_ERROR(file->append(encode(entry) + "\n"));
  return file->close();
}

void History::keep(std::string entry) {
  if (entry.empty()) return;
  entries_.push_back(std::move(entry));
  if (entries_.size() > kEntriesMax) entries_.pop_front();
}

bool holds_secret(std::string_view statement) {
  grammar::Lexer lexer(statement, 0, grammar::find_bad_byte(statement));
  while (true) {
    const grammar::Token token = lexer.next();
    if (token.kind == grammar::TokenKind::kEnd) return false;
    // What cannot be read as SQL is looked at as a whole.
    if (token.kind == grammar::TokenKind::kError) return is_secret_key(statement);
    if (token.kind != grammar::TokenKind::kString) continue;
    const std::size_t begin = token.range.begin;
    if (is_secret_key(grammar::unquote(statement.substr(begin, token.range.end - begin))))
      return true;
  }
}

}  // namespace clepsydra::console
