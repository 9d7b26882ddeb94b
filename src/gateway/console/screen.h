// The last lines of a terminal, painted over and over.
#pragma once

#include <string>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {
class TextOutput;
}

namespace clepsydra::console {

// Paints an area below whatever was written before. The cursor rests under it, so that text written
// after erase() or leave() takes its place or follows it.
//
// Threads: one at a time.
class Screen {
 public:
  explicit Screen(TextOutput& output) : output_(output) {}
  // Replaces what was painted before. Every line must fit the terminal's width; nothing is written
  // when nothing has changed.
  void paint(const std::vector<std::string>& lines);
  // Takes the area away.
  void erase();
  // The area stays as it is; the next paint() starts below.
  void leave() { lines_.clear(); }

 private:
  // A terminal that is gone changes nothing: results and jobs go on.
  void write(const std::string& text);

  TextOutput& output_;
  std::vector<std::string> lines_;
};

}  // namespace clepsydra::console
