#include "gateway/console/result_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "gateway/console/result_printer.h"
#include "gateway/console/terminal_text.h"

namespace clepsydra::console {

class RowStore {
 public:
  virtual ~RowStore() = default;
  virtual void add(Batch batch) = 0;
  [[nodiscard]] virtual std::size_t size() const = 0;
  // `row` counts from the oldest kept.
  [[nodiscard]] virtual std::vector<std::string> cells(std::size_t row) const = 0;
  [[nodiscard]] virtual std::string cell(std::size_t row, std::size_t column) const = 0;
};

namespace {

constexpr std::size_t kFrameLines = 4;  // Three borders and the header.
constexpr std::size_t kSearchCharactersMax = 200;
constexpr int kKindColumns = 2;

// Batches as they came.
class AppendedRows final : public RowStore {
 public:
  AppendedRows(TimeZonePtr zone, std::size_t rows_max, bool with_kinds)
      : zone_(std::move(zone)), rows_max_(rows_max), with_kinds_(with_kinds) {}

  void add(Batch batch) override {
    const auto rows = static_cast<std::size_t>(batch.rows());
    end_ += rows;
    batches_.push_back({end_ - rows, std::move(batch)});
    begin_ = std::max(begin_, end_ - std::min(end_, rows_max_));
    while (batches_.size() > 1 && batches_[1].begin <= begin_) batches_.pop_front();
  }
  [[nodiscard]] std::size_t size() const override { return end_ - begin_; }

  [[nodiscard]] std::vector<std::string> cells(std::size_t row) const override {
    const auto [batch, at] = find(row);
    std::vector<std::string> cells = row_cells(*batch, at, zone_.get());
    if (with_kinds_) cells.emplace(cells.begin(), row_kind_text(batch->row_kind(at)));
    return cells;
  }

  [[nodiscard]] std::string cell(std::size_t row, std::size_t column) const override {
    const auto [batch, at] = find(row);
    if (with_kinds_ && column == 0) return std::string(row_kind_text(batch->row_kind(at)));
    return row_cell(*batch, at, static_cast<int>(column - (with_kinds_ ? 1 : 0)), zone_.get());
  }

 private:
  struct Kept {
    std::size_t begin;  // Rows that came before.
    Batch batch;
  };
  [[nodiscard]] std::pair<const Batch*, std::int64_t> find(std::size_t row) const {
    const std::size_t place = begin_ + row;
    const auto behind =
        std::upper_bound(batches_.begin(), batches_.end(), place,
                         [](std::size_t value, const Kept& kept) { return value < kept.begin; });
    const Kept& kept = *std::prev(behind);
    return {&kept.batch, static_cast<std::int64_t>(place - kept.begin)};
  }

  const TimeZonePtr zone_;
  const std::size_t rows_max_;
  const bool with_kinds_;
  std::deque<Kept> batches_;
  std::size_t begin_ = 0;  // Rows that came before the oldest kept.
  std::size_t end_ = 0;
};

// The rows that changes leave, in the order in which they came. Equal rows are counted, not told
// apart.
class AppliedRows final : public RowStore {
 public:
  AppliedRows(TimeZonePtr zone, std::size_t rows_max)
      : zone_(std::move(zone)), rows_max_(rows_max) {}

  void add(Batch batch) override {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      std::vector<std::string> cells = row_cells(batch, row, zone_.get());
      const RowKind kind = batch.row_kind(row);
      if (kind == RowKind::kUpdateBefore || kind == RowKind::kDelete) {
        take_away(cells, kind == RowKind::kUpdateBefore);
      } else {
        put(std::move(cells), kind == RowKind::kUpdateAfter);
      }
    }
    order_.clear();
  }
  [[nodiscard]] std::size_t size() const override { return rows_.size(); }
  [[nodiscard]] std::vector<std::string> cells(std::size_t row) const override { return at(row); }
  [[nodiscard]] std::string cell(std::size_t row, std::size_t column) const override {
    return at(row)[column];
  }

 private:
  using Cells = std::vector<std::string>;
  using Rows = std::map<std::uint64_t, Cells>;

  static std::string key_of(const Cells& cells) {
    std::string key;
    for (const std::string& cell : cells) (key += cell) += '\x1f';
    return key;
  }

  void put(Cells cells, bool is_update) {
    // The new state of a row stands where the old one stood.
    const std::uint64_t place = is_update && freed_ ? *freed_ : next_++;
    if (is_update) freed_.reset();
    places_[key_of(cells)].push_back(place);
    rows_.insert_or_assign(place, std::move(cells));
    if (rows_.size() > rows_max_) erase(rows_.begin());
  }

  void take_away(const Cells& cells, bool is_update) {
    const auto found = places_.find(key_of(cells));
    if (found == places_.end()) return;  // Too old to have been kept.
    const std::uint64_t place = found->second.back();
    erase(rows_.find(place));
    if (is_update) freed_ = place;
  }

  void erase(Rows::iterator row) {
    const auto found = places_.find(key_of(row->second));
    std::vector<std::uint64_t>& places = found->second;
    places.erase(std::find(places.begin(), places.end(), row->first));
    if (places.empty()) places_.erase(found);
    rows_.erase(row);
  }

  [[nodiscard]] const Cells& at(std::size_t row) const {
    if (order_.empty()) {
      for (const auto& [place, cells] : rows_) order_.push_back(&cells);
    }
    return *order_[row];
  }

  const TimeZonePtr zone_;
  const std::size_t rows_max_;
  Rows rows_;
  std::unordered_map<std::string, std::vector<std::uint64_t>> places_;
  std::uint64_t next_ = 0;
  std::optional<std::uint64_t> freed_;       // By -U, for the +U that follows.
  mutable std::vector<const Cells*> order_;  // Of rows_, made when asked for.
};

std::unique_ptr<RowStore> make_store(const ResultTableOptions& options) {
  if (options.shows_changes || !options.has_updates) {
    return std::make_unique<AppendedRows>(options.zone, options.rows_max, options.shows_changes);
  }
  return std::make_unique<AppliedRows>(options.zone, options.rows_max);
}

std::vector<int> widths_of(const Schema& schema, const ResultTableOptions& options) {
  std::vector<int> widths = column_widths_by_type(schema, options.max_column_width);
  if (options.shows_changes) widths.insert(widths.begin(), kKindColumns);
  return widths;
}

std::vector<std::string> headers_of(const Schema& schema, bool with_kinds) {
  std::vector<std::string> headers = header_cells(schema);
  if (with_kinds) headers.emplace(headers.begin(), "op");
  return headers;
}

bool is_number(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
    case TypeKind::kDecimal:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return true;
    default:
      return false;
  }
}

// NULL comes last.
double number_of(const std::string& cell) {
  char* end = nullptr;
  const double value = std::strtod(cell.c_str(), &end);
  // NaN would be neither before nor behind the others.
  const bool has_place = end != cell.c_str() && value == value;
  return has_place ? value : std::numeric_limits<double>::infinity();
}

std::string lower_text(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string> lines_of_text(std::string_view text, int columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(cut_to_width(text.substr(0, end), columns));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::int64_t signed_size(std::size_t size) {
  return static_cast<std::int64_t>(size);
}

}  // namespace

ResultTable::ResultTable(SchemaPtr schema, const ResultTableOptions& options)
    : schema_(std::move(schema)),
      options_(options),
      widths_(widths_of(*schema_, options)),
      store_(make_store(options)) {}

ResultTable::~ResultTable() = default;

void ResultTable::add(Batch batch) {
  if (batch.rows() == 0) return;
  received_ += batch.rows();
  store_->add(std::move(batch));
  is_stale_ = true;
}

void ResultTable::complete() {
  is_complete_ = true;
  is_stale_ = true;
  follows_end_ = false;
}

std::size_t ResultTable::size() const {
  return store_->size();
}

std::vector<std::string> ResultTable::lines(std::size_t lines_max, int columns) {
  update_view();
  const std::size_t frame = kFrameLines + (options_.has_keys ? 1 : 0);
  const std::size_t room = lines_max > frame ? lines_max - frame : 0;
  page_ = std::max<std::size_t>(1, room);
  const std::size_t rows = shown_rows();
  const std::size_t last_top = rows - std::min(rows, room);
  top_ = follows_end_ ? last_top : std::min(top_, last_top);

  // The kinds of changes stay in sight wherever one looks.
  const std::size_t fixed = options_.shows_changes ? 1 : 0;
  const auto select = [&](auto cells) {
    const auto begin = cells.begin() + static_cast<std::ptrdiff_t>(fixed);
    cells.erase(begin, begin + static_cast<std::ptrdiff_t>(left_));
    return cells;
  };
  const TextTable table(select(widths_));
  std::string text;
  table.append_border(text);
  table.append_row(select(headers_of(*schema_, options_.shows_changes)), text);
  table.append_border(text);
  const std::size_t end = std::min(rows, top_ + room);
  for (std::size_t row = top_; row < end; ++row) table.append_row(select(cells_at(row)), text);
  table.append_border(text);
  std::vector<std::string> lines = lines_of_text(text, columns);
  const std::size_t lines_left =
      lines_max - (options_.has_keys ? std::min<std::size_t>(1, lines_max) : 0);
  if (lines.size() > lines_left) lines.resize(lines_left);
  if (options_.has_keys && lines_max > 0) lines.push_back(cut_to_width(keys_line(room), columns));
  return lines;
}

std::string ResultTable::keys_line(std::size_t room) const {
  if (typed_search_) return fmt::format("search: {}_", visible_text(*typed_search_));
  const std::size_t rows = shown_rows();
  std::string line = rows == 0 ? std::string("no rows")
                               : fmt::format("rows {}-{} of {}", count_text(signed_size(top_ + 1)),
                                             count_text(signed_size(std::min(rows, top_ + room))),
                                             count_text(signed_size(rows)));
  if (!search_.empty()) line += fmt::format(" with '{}'", visible_text(search_));
  if (sort_column_) {
    line += fmt::format(", by {}{}", headers_of(*schema_, options_.shows_changes)[*sort_column_],
                        is_descending_ ? " descending" : "");
  }
  if (view_ && !is_complete_ && size() > kSearchedRowsMax) {
    line += fmt::format(" (of the newest {})", count_text(signed_size(kSearchedRowsMax)));
  }
  return line + " | q quit, s sort, r reverse, / search, arrows, PgUp, PgDn, Home, End";
}

std::string ResultTable::whole_text() const {
  const std::vector<std::string> headers = headers_of(*schema_, options_.shows_changes);
  std::vector<int> widths;
  for (const std::string& header : headers) widths.push_back(display_width(header));
  std::vector<std::vector<std::string>> rows;
  for (std::size_t row = 0; row < size(); ++row) {
    rows.push_back(store_->cells(row));
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::min(std::max(widths[i], display_width(rows.back()[i])),
                           std::max(widths[i], widths_[i]));
    }
  }
  const TextTable table(std::move(widths));
  std::string text;
  table.append_border(text);
  table.append_row(headers, text);
  table.append_border(text);
  for (const std::vector<std::string>& cells : rows) table.append_row(cells, text);
  if (!rows.empty()) table.append_border(text);
  return text;
}

bool ResultTable::handle(const Key& key) {
  if (typed_search_) return handle_search(key);
  if (key.kind == KeyKind::kEscape) return true;
  if (key.kind == KeyKind::kControl) {
    if (key.letter == 'C' || key.letter == 'D') return true;
    handle_move(key);
    return false;
  }
  if (key.kind != KeyKind::kText || key.text.size() != 1) {
    handle_move(key);
    return false;
  }
  const char letter = key.text[0];
  const std::size_t columns = widths_.size();
  if (letter == 'q' || letter == 'Q') return true;
  if (letter == '/') {
    typed_search_ = "";
  } else if (letter == 's') {
    // From column to column, then back to the order in which they came.
    const std::size_t next = sort_column_ ? *sort_column_ + 1 : options_.shows_changes ? 1 : 0;
    sort_by(next < columns ? std::optional(next) : std::nullopt, false);
  } else if (letter == 'r') {
    if (sort_column_) sort_by(sort_column_, !is_descending_);
  } else {
    handle_move(key);
  }
  return false;
}

bool ResultTable::handle_search(const Key& key) {
  std::string& typed = *typed_search_;
  switch (key.kind) {
    case KeyKind::kText:
      if (typed.size() + key.text.size() <= kSearchCharactersMax) typed += key.text;
      return false;
    case KeyKind::kBackspace:
      if (!typed.empty()) typed.erase(utf8_offset(typed, utf8_length(typed) - 1));
      return false;
    case KeyKind::kEnter:
      search_ = typed;
      top_ = 0;
      is_stale_ = true;
      break;
    default:
      break;
  }
  typed_search_.reset();
  return false;
}

void ResultTable::handle_move(const Key& key) {
  const auto page = signed_size(page_);
  const std::string_view letter = key.kind == KeyKind::kText ? key.text : std::string_view();
  if (key.kind == KeyKind::kUp || letter == "k") move(-1);
  if (key.kind == KeyKind::kDown || key.kind == KeyKind::kEnter || letter == "j") move(1);
  if (key.kind == KeyKind::kPageUp || letter == "b") move(-page);
  if (key.kind == KeyKind::kPageDown || letter == " ") move(page);
  if (key.kind == KeyKind::kHome || letter == "g") move(-signed_size(shown_rows()));
  if (key.kind == KeyKind::kEnd || letter == "G") {
    top_ = shown_rows();
    follows_end_ = !is_complete_;
  }
  if ((key.kind == KeyKind::kLeft || letter == "h") && left_ > 0) --left_;
  const std::size_t fixed = options_.shows_changes ? 1 : 0;
  if ((key.kind == KeyKind::kRight || letter == "l") && left_ + 1 + fixed < widths_.size()) ++left_;
}

void ResultTable::move(std::int64_t rows) {
  follows_end_ = false;
  top_ = static_cast<std::size_t>(std::max<std::int64_t>(0, signed_size(top_) + rows));
}

void ResultTable::sort_by(std::optional<std::size_t> column, bool is_descending) {
  sort_column_ = column;
  is_descending_ = is_descending;
  top_ = 0;
  follows_end_ = !column && !is_complete_;
  is_stale_ = true;
}

void ResultTable::update_view() {
  if (!is_stale_) return;
  is_stale_ = false;
  if (!sort_column_ && search_.empty()) {
    view_.reset();
    return;
  }
  const std::size_t rows = store_->size();
  std::vector<std::size_t> view;
  const std::string searched = lower_text(search_);
  const std::size_t first = is_complete_ ? 0 : rows - std::min(rows, kSearchedRowsMax);
  for (std::size_t row = first; row < rows; ++row) {
    if (!searched.empty()) {
      const std::vector<std::string> cells = store_->cells(row);
      const auto has_it = [&](const std::string& cell) {
        return lower_text(cell).find(searched) != std::string::npos;
      };
      if (std::none_of(cells.begin(), cells.end(), has_it)) continue;
    }
    view.push_back(row);
  }
  if (sort_column_) {
    struct Sorted {
      double number;
      std::string text;
      std::size_t row;
    };
    const std::size_t column = *sort_column_;
    const std::size_t fixed = options_.shows_changes ? 1 : 0;
    const bool by_number =
        column >= fixed && is_number(schema_->field(static_cast<int>(column - fixed)).type);
    std::vector<Sorted> sorted;
    for (const std::size_t row : view) {
      std::string text = store_->cell(row, column);
      const double number = by_number ? number_of(text) : 0;
      sorted.push_back({number, std::move(text), row});
    }
    const auto before = [](const Sorted& a, const Sorted& b) {
      return a.number != b.number ? a.number < b.number : a.text < b.text;
    };
    std::stable_sort(sorted.begin(), sorted.end(), [&](const Sorted& a, const Sorted& b) {
      return is_descending_ ? before(b, a) : before(a, b);
    });
    for (std::size_t i = 0; i < view.size(); ++i) view[i] = sorted[i].row;
  }
  view_ = std::move(view);
}

std::size_t ResultTable::shown_rows() const {
  return view_ ? view_->size() : store_->size();
}

std::vector<std::string> ResultTable::cells_at(std::size_t shown) const {
  return store_->cells(view_ ? (*view_)[shown] : shown);
}

}  // namespace clepsydra::console
