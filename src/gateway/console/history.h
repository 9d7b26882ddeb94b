// What was typed before, kept in a file from one session to the next.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {
class FileSystem;
}  // namespace clepsydra

namespace clepsydra::console {

// One entry per line of the file, oldest first; \n and \\ inside an entry stand for a line's end
// and a backslash. Several consoles may append to one file.
//
// Threads: one at a time.
class History {
 public:
  static constexpr std::size_t kEntriesMax = 1'000;
  // Longer entries are forgotten when the session ends.
  static constexpr std::size_t kEntryBytesMax = 64 << 10;
  static constexpr std::size_t kFileBytesMax = 16 << 20;

  // An empty path: nothing is kept.
  History(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  // Reads the file, if there is one; rewrites it when it has grown to twice what is kept.
  Status load();
  // The newest entry from now on, unless it is the same as the one before or empty. Statements that
  // hold a password or the like are never written to the file.
  Status add(std::string_view entry);

  // 0 is the oldest.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] const std::string& at(std::size_t index) const { return entries_[index]; }

 private:
  void keep(std::string entry);

  FileSystem& files_;
  const std::string path_;
  std::deque<std::string> entries_;
};

// Whether a statement sets an option whose value must never be shown.
bool holds_secret(std::string_view statement);

}  // namespace clepsydra::console
