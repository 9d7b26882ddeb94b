#include "gateway/console/line_editor.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "gateway/console/terminal_text.h"
#include "sql/grammar/characters.h"

namespace clepsydra::console {
namespace {

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

// Shown on top of the character before it.
bool is_mark(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]) >= 0x80 &&
         grammar::display_width(utf8_next(text, at)) == 0;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// What all begin with, in any case; spelt as the first.
std::string common_beginning(const std::vector<std::string>& names) {
  std::string beginning = names.front();
  for (const std::string& name : names) {
    std::size_t same = 0;
    while (same < std::min(beginning.size(), name.size()) &&
           lower(beginning[same]) == lower(name[same])) {
      ++same;
    }
    beginning.resize(same);
  }
  while (!is_valid_utf8(beginning)) beginning.pop_back();
  return beginning;
}

}  // namespace

LineEditor::LineEditor(const History& history, Completer completer,
                       std::function<bool(std::string_view)> is_complete)
    : history_(history), completer_(std::move(completer)), is_complete_(std::move(is_complete)) {}

EditResult LineEditor::handle(const Key& key) {
  choices_.clear();
  if (search_ && handle_search(key)) return EditResult::kGoOn;
  if (std::exchange(after_control_x_, false) && key.kind == KeyKind::kControl &&
      key.letter == 'E') {
    return EditResult::kOpenEditor;
  }
  if (key.kind == KeyKind::kControl) return handle_control(key.letter);
  return handle_plain(key);
}

std::string LineEditor::take() {
  cursor_ = 0;
  is_recalling_ = false;
  search_.reset();
  choices_.clear();
  return std::exchange(text_, {});
}

void LineEditor::set_text(std::string text) {
  text_ = std::move(text);
  cursor_ = text_.size();
}

EditResult LineEditor::handle_plain(const Key& key) {
  switch (key.kind) {
    case KeyKind::kText:
      insert(key.text);
      break;
    case KeyKind::kEnter:
      return enter();
    case KeyKind::kMetaEnter:
      insert("\n");
      break;
    case KeyKind::kTab:
      complete();
      break;
    case KeyKind::kMeta:
      handle_meta(key.letter);
      break;
    case KeyKind::kBackspace:
      erase(previous(cursor_), cursor_);
      break;
    case KeyKind::kMetaBackspace:
      kill(word_begin(cursor_), cursor_);
      break;
    case KeyKind::kDelete:
      erase(cursor_, following(cursor_));
      break;
    case KeyKind::kUp:
      go_up();
      break;
    case KeyKind::kDown:
      go_down();
      break;
    case KeyKind::kLeft:
      cursor_ = previous(cursor_);
      break;
    case KeyKind::kRight:
      cursor_ = following(cursor_);
      break;
    case KeyKind::kWordLeft:
      cursor_ = word_begin(cursor_);
      break;
    case KeyKind::kWordRight:
      cursor_ = word_end(cursor_);
      break;
    case KeyKind::kHome:
      cursor_ = line_begin(cursor_);
      break;
    case KeyKind::kEnd:
      cursor_ = line_end(cursor_);
      break;
    case KeyKind::kPageUp:
      older();
      break;
    case KeyKind::kPageDown:
      newer();
      break;
    case KeyKind::kControl:
    case KeyKind::kBackTab:
    case KeyKind::kEscape:
      break;
  }
  return EditResult::kGoOn;
}

EditResult LineEditor::handle_control(char letter) {
  switch (letter) {
    case 'A':
      cursor_ = line_begin(cursor_);
      break;
    case 'B':
      cursor_ = previous(cursor_);
      break;
    case 'C':
      (void)take();
      return EditResult::kInterrupt;
    case 'D':
      if (text_.empty()) return EditResult::kEnd;
      erase(cursor_, following(cursor_));
      break;
    case 'E':
      cursor_ = line_end(cursor_);
      break;
    case 'F':
      cursor_ = following(cursor_);
      break;
    case 'K':
      // At the end of a line: the line's end itself.
      kill(cursor_, std::max(line_end(cursor_), std::min(following(cursor_), text_.size())));
      break;
    case 'L':
      return EditResult::kClear;
    case 'N':
      newer();
      break;
    case 'P':
      older();
      break;
    case 'R':
      search_ = "";
      found_ = history_.size();
      typed_ = text_;
      break;
    case 'U':
      kill(line_begin(cursor_), cursor_);
      break;
    case 'W':
      kill(word_begin(cursor_), cursor_);
      break;
    case 'X':
      after_control_x_ = true;
      break;
    case 'Y':
      insert(killed_);
      break;
    default:
      break;
  }
  return EditResult::kGoOn;
}

void LineEditor::handle_meta(char letter) {
  if (letter == 'b') cursor_ = word_begin(cursor_);
  if (letter == 'f') cursor_ = word_end(cursor_);
  if (letter == 'd') kill(cursor_, word_end(cursor_));
}

bool LineEditor::handle_search(const Key& key) {
  if (key.kind == KeyKind::kText) {
    *search_ += key.text;
    search_from(history_.size());
    return true;
  }
  if (key.kind == KeyKind::kBackspace) {
    if (!search_->empty()) search_->erase(utf8_offset(*search_, utf8_length(*search_) - 1));
    search_from(history_.size());
    return true;
  }
  if (key.kind == KeyKind::kControl && key.letter == 'R') {
    search_from(found_);
    return true;
  }
  search_.reset();
  // Given up: what stood there before comes back.
  const bool gives_up = key.kind == KeyKind::kControl && (key.letter == 'C' || key.letter == 'G');
  if (gives_up) set_text(typed_);
  return gives_up || key.kind == KeyKind::kEscape;
}

// The newest entry before `end` that has what is looked for; the last one found stays without it.
void LineEditor::search_from(std::size_t end) {
  if (search_->empty()) return;
  for (std::size_t i = end; i > 0; --i) {
    const std::size_t place = history_.at(i - 1).find(*search_);
    if (place == std::string::npos) continue;
    found_ = i - 1;
    text_ = history_.at(found_);
    cursor_ = place;
    return;
  }
}

EditResult LineEditor::enter() {
  if (!is_complete_(text_)) {
    insert("\n");
    return EditResult::kGoOn;
  }
  cursor_ = text_.size();
  return EditResult::kSubmit;
}

void LineEditor::insert(std::string_view text) {
  if (text.size() > kTextBytesMax - std::min(kTextBytesMax, text_.size())) return;
  text_.insert(cursor_, text);
  cursor_ += text.size();
}

void LineEditor::erase(std::size_t begin, std::size_t end) {
  text_.erase(begin, end - begin);
  cursor_ = begin;
}

void LineEditor::kill(std::size_t begin, std::size_t end) {
  if (begin >= end) return;
  killed_ = text_.substr(begin, end - begin);
  erase(begin, end);
}

void LineEditor::complete() {
  // At the beginning of a line there is nothing to complete: it is being indented.
  if (text_.find_first_not_of(' ', line_begin(cursor_)) >= cursor_ && line_begin(cursor_) > 0) {
    insert("  ");
    return;
  }
  Completion completion = completer_(text_, cursor_);
  if (completion.candidates.empty()) return;
  const std::string beginning = common_beginning(completion.candidates);
  if (beginning.size() >= cursor_ - completion.begin) {
    erase(completion.begin, cursor_);
    insert(beginning);
  }
  if (completion.candidates.size() == 1) return;
  choices_ = std::move(completion.candidates);
  if (choices_.size() > kChoicesMax) choices_.resize(kChoicesMax);
}

void LineEditor::go_up() {
  const std::size_t begin = line_begin(cursor_);
  if (begin == 0) {
    older();
    return;
  }
  const int column = display_width(std::string_view(text_).substr(begin, cursor_ - begin));
  cursor_ = at_column(line_begin(begin - 1), column);
}

void LineEditor::go_down() {
  const std::size_t end = line_end(cursor_);
  if (end == text_.size()) {
    newer();
    return;
  }
  const std::size_t begin = line_begin(cursor_);
  const int column = display_width(std::string_view(text_).substr(begin, cursor_ - begin));
  cursor_ = at_column(end + 1, column);
}

void LineEditor::older() {
  if (!is_recalling_) {
    typed_ = text_;
    recalled_ = history_.size();
  }
  if (recalled_ == 0) return;
  is_recalling_ = true;
  recall(recalled_ - 1);
}

void LineEditor::newer() {
  if (is_recalling_) recall(recalled_ + 1);
}

void LineEditor::recall(std::size_t index) {
  recalled_ = index;
  if (index >= history_.size()) {
    is_recalling_ = false;
    set_text(typed_);
  } else {
    set_text(history_.at(index));
  }
}

std::size_t LineEditor::previous(std::size_t at) const {
  while (at > 0) {
    --at;
    if (!is_continuation(text_[at]) && !is_mark(text_, at)) break;
  }
  return at;
}

std::size_t LineEditor::following(std::size_t at) const {
  if (at >= text_.size()) return text_.size();
  do {
    (void)utf8_next(text_, at);
  } while (at < text_.size() && is_mark(text_, at));
  return at;
}

std::size_t LineEditor::word_begin(std::size_t at) const {
  while (at > 0 && !is_word_byte(text_[at - 1])) --at;
  while (at > 0 && is_word_byte(text_[at - 1])) --at;
  return at;
}

std::size_t LineEditor::word_end(std::size_t at) const {
  while (at < text_.size() && !is_word_byte(text_[at])) ++at;
  while (at < text_.size() && is_word_byte(text_[at])) ++at;
  return at;
}

std::size_t LineEditor::line_begin(std::size_t at) const {
  const std::size_t end = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
  return end == std::string::npos ? 0 : end + 1;
}

std::size_t LineEditor::line_end(std::size_t at) const {
  return std::min(text_.find('\n', at), text_.size());
}

std::size_t LineEditor::at_column(std::size_t begin, int column) const {
  std::size_t at = begin;
  const std::size_t end = line_end(begin);
  while (at < end) {
    const std::size_t next = following(at);
    if (display_width(std::string_view(text_).substr(begin, next - begin)) > column) break;
    at = next;
  }
  return at;
}

}  // namespace clepsydra::console
