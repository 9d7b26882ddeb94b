// The nexmark connector: the events of an online auction, as the table of three kinds with nested
// rows (event_type, person, auction, bid), or one kind as a flat table ('nexmark.table' = 'bid').
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/edit_distance.h"
#include "connectors/connector_registry.h"
#include "connectors/dealt_splits.h"
#include "connectors/nexmark/nexmark_generator.h"
#include "connectors/pacing.h"
#include "connectors/table_options.h"
#include "stream/batch.h"
#include "stream/type_codec.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

struct KindColumn {
  std::string_view name;
  NexmarkColumn column;
  TypeKind type;  // kBigInt, kVarchar or kTimestamp.
};

using Columns = std::vector<KindColumn>;

const Columns& columns_of(NexmarkKind kind) {
  using enum NexmarkColumn;
  using enum TypeKind;
  static const Columns person = {{"id", kPersonId, kBigInt},
                                 {"name", kPersonName, kVarchar},
                                 {"emailAddress", kPersonEmail, kVarchar},
                                 {"creditCard", kPersonCreditCard, kVarchar},
                                 {"city", kPersonCity, kVarchar},
                                 {"state", kPersonState, kVarchar},
                                 {"dateTime", kDateTime, kTimestamp},
                                 {"extra", kPersonExtra, kVarchar}};
  static const Columns auction = {{"id", kAuctionId, kBigInt},
                                  {"itemName", kAuctionItemName, kVarchar},
                                  {"description", kAuctionDescription, kVarchar},
                                  {"initialBid", kAuctionInitialBid, kBigInt},
                                  {"reserve", kAuctionReserve, kBigInt},
                                  {"dateTime", kDateTime, kTimestamp},
                                  {"expires", kAuctionExpires, kTimestamp},
                                  {"seller", kAuctionSeller, kBigInt},
                                  {"category", kAuctionCategory, kBigInt},
                                  {"extra", kAuctionExtra, kVarchar}};
  static const Columns bid = {
      {"auction", kBidAuction, kBigInt}, {"bidder", kBidBidder, kBigInt},
      {"price", kBidPrice, kBigInt},     {"channel", kBidChannel, kVarchar},
      {"url", kBidUrl, kVarchar},        {"dateTime", kDateTime, kTimestamp},
      {"extra", kBidExtra, kVarchar}};
  return kind == NexmarkKind::kPerson ? person : kind == NexmarkKind::kAuction ? auction : bid;
}

constexpr std::string_view kKindNames[] = {"person", "auction", "bid"};

std::optional<NexmarkKind> kind_named(std::string_view name) {
  for (int i = 0; i < 3; ++i) {
    if (name == kKindNames[i]) return static_cast<NexmarkKind>(i);
  }
  return std::nullopt;
}

struct NexmarkSpec {
  NexmarkOptions options;
  std::optional<NexmarkKind> only;  // 'nexmark.table'
  bool rate_limited = false;
  bool keeps_alive = false;  // After the last event nothing more comes, and no end.

  [[nodiscard]] bool is_bounded() const { return options.events > 0 && !keeps_alive; }

  static Result<NexmarkSpec> parse(const TableOptions& options);
};

Result<std::int64_t> int_or(const TableOptions& options, const std::string& key,
                            std::int64_t fallback, std::int64_t min, std::int64_t max) {
  CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> value, int_option(options, key, min, max));
  return value.value_or(fallback);
}

// "200b" as users of the benchmark write it, "200", "1kb".
Result<std::int64_t> size_or(const TableOptions& options, const std::string& key,
                             std::int64_t fallback) {
  CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> value, bytes_option(options, key));
  if (value && (*value < 0 || *value > 4096)) {
    return Status::invalid_argument(
        fmt::format("option '{}' is '{}'; expected at most 4096 bytes", key, options.at(key)));
  }
  return value.value_or(fallback);
}

Result<NexmarkSpec> NexmarkSpec::parse(const TableOptions& options) {
  constexpr std::int64_t kMax = std::int64_t{1} << 52;
  NexmarkSpec spec;
  NexmarkOptions& to = spec.options;
  CLP_ASSIGN_OR_RETURN(to.events, int_or(options, "events.num", to.events, 0, kMax));
  CLP_ASSIGN_OR_RETURN(const std::optional<double> first,
                       double_option(options, "first-event.rate", 1e-3, 1e12));
  CLP_ASSIGN_OR_RETURN(const std::optional<double> next,
                       double_option(options, "next-event.rate", 1e-3, 1e12));
  to.rate = next.value_or(first.value_or(to.rate));
  if (first && next && *first != *next) {
    return Status::unimplemented(
        "options 'first-event.rate' and 'next-event.rate' differ: changing rates (rate.shape) are "
        "not built; "
        "expected one rate");
  }
  CLP_ASSIGN_OR_RETURN(to.seed, int_or(options, "seed", 0, std::numeric_limits<std::int64_t>::min(),
                                       std::numeric_limits<std::int64_t>::max()));
  if (const std::optional<std::string> base = text_option(options, "base-time")) {
    std::int64_t ticks = 0;
    std::int64_t millis = 0;
    if (parse_timestamp(*base, 3, ticks)) {
      to.base_time_ms = ticks;
    } else if (parse_int(*base, 0, std::int64_t{1} << 45, millis)) {
      to.base_time_ms = millis;
    } else {
      return Status::invalid_argument(
          fmt::format("option 'base-time' is '{}'; expected a timestamp such as '2015-07-15 "
                      "00:00:00' or milliseconds "
                      "since 1970",
                      *base));
    }
  }
  CLP_ASSIGN_OR_RETURN(to.person_proportion, int_or(options, "person.proportion", 1, 1, 1'000'000));
  CLP_ASSIGN_OR_RETURN(to.auction_proportion,
                       int_or(options, "auction.proportion", 3, 1, 1'000'000));
  CLP_ASSIGN_OR_RETURN(to.bid_proportion, int_or(options, "bid.proportion", 46, 0, 1'000'000));
  CLP_ASSIGN_OR_RETURN(to.person_bytes, size_or(options, "person.avg-size", 200));
  CLP_ASSIGN_OR_RETURN(to.auction_bytes, size_or(options, "auction.avg-size", 500));
  CLP_ASSIGN_OR_RETURN(to.bid_bytes, size_or(options, "bid.avg-size", 100));
  CLP_ASSIGN_OR_RETURN(to.hot_auction_ratio,
                       int_or(options, "bid.hot-ratio.auctions", 2, 1, 65536));
  CLP_ASSIGN_OR_RETURN(to.hot_bidder_ratio, int_or(options, "bid.hot-ratio.bidders", 4, 1, 65536));
  CLP_ASSIGN_OR_RETURN(to.hot_seller_ratio,
                       int_or(options, "auction.hot-ratio.sellers", 4, 1, 65536));
  CLP_ASSIGN_OR_RETURN(to.out_of_order_group,
                       int_or(options, "out-of-order-group-size", 1, 1, 952));
  CLP_ASSIGN_OR_RETURN(const std::optional<bool> limited, bool_option(options, "rate.limited"));
  spec.rate_limited = limited.value_or(false);
  CLP_ASSIGN_OR_RETURN(const std::optional<bool> full_speed,
                       bool_option(options, "max-emit-speed"));
  if (full_speed.value_or(false)) spec.rate_limited = false;
  CLP_ASSIGN_OR_RETURN(const std::optional<bool> alive, bool_option(options, "keep-alive"));
  spec.keeps_alive = alive.value_or(false);
  CLP_ASSIGN_OR_RETURN(const std::int64_t stop, int_or(options, "stop-at", -1, -1, kMax));
  if (stop == 0) {
    return Status::invalid_argument(
        "option 'stop-at' is '0'; expected the number of the first event that does not come, or "
        "-1");
  }
  if (stop > 0 && (to.events == 0 || stop < to.events)) to.events = stop;
  // What they shape is refused above: a rate that changes.
  CLP_RETURN_IF_ERROR(duration_option(options, "rate.period").status());
  const std::string shape = text_option(options, "rate.shape").value_or("SINE");
  if (shape != "SINE" && shape != "SQUARE") {
    return Status::invalid_argument(
        fmt::format("option 'rate.shape' is '{}'; expected SINE or SQUARE", shape));
  }
  if (const std::optional<std::string> table = text_option(options, "nexmark.table")) {
    spec.only = kind_named(*table);
    if (!spec.only) {
      return Status::invalid_argument(
          fmt::format("option 'nexmark.table' is '{}'; expected person, auction or bid", *table));
    }
  }
  return spec;
}

Status unknown_column(std::string_view where, const std::string& name,
                      std::vector<std::string> known) {
  const std::vector<std::string> close = close_names(name, known);
  return Status::invalid_argument(
      fmt::format("connector 'nexmark' has no column '{}' in {}{}; it has: {}", name, where,
                  close.empty() ? "" : fmt::format(" (did you mean '{}'?)", close.front()),
                  fmt::join(known, ", ")));
}

// Null when the kind has no such column.
const KindColumn* column_named(NexmarkKind kind, std::string_view name) {
  for (const KindColumn& column : columns_of(kind)) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

// Checks one declared column of a kind.
Status check_field(NexmarkKind kind, const Field& field) {
  const std::string_view where = kKindNames[static_cast<int>(kind)];
  const KindColumn* column = column_named(kind, field.name);
  if (column == nullptr) {
    std::vector<std::string> known;
    for (const KindColumn& other : columns_of(kind)) known.emplace_back(other.name);
    return unknown_column(where, field.name, std::move(known));
  }
  const bool fits = column->type == TypeKind::kBigInt ? field.type.kind() == TypeKind::kBigInt
                    : column->type == TypeKind::kVarchar
                        ? field.type.is_character()
                        : field.type.is_timestamp() && field.type.precision() == 3;
  if (fits) return Status::ok();
  return Status::invalid_argument(
      fmt::format("connector 'nexmark': column '{}' of {} is declared {}; expected {}", field.name,
                  where, field.type.name(),
                  column->type == TypeKind::kBigInt    ? "BIGINT"
                  : column->type == TypeKind::kVarchar ? "VARCHAR or STRING"
                                                       : "TIMESTAMP(3)"));
}

Status check_schema(const NexmarkSpec& spec, const Schema& schema) {
  for (const Field& field : schema.fields()) {
    if (spec.only) {
      CLP_RETURN_IF_ERROR(check_field(*spec.only, field));
      continue;
    }
    if (field.name == "event_type") {
      if (field.type.kind() != TypeKind::kInteger) {
        return Status::invalid_argument("connector 'nexmark': column 'event_type' must be INT");
      }
      continue;
    }
    const std::optional<NexmarkKind> kind = kind_named(field.name);
    if (!kind) {
      return unknown_column("the table", field.name, {"event_type", "person", "auction", "bid"});
    }
    if (field.type.kind() != TypeKind::kRow) {
      return Status::invalid_argument(
          fmt::format("connector 'nexmark': column '{}' must be a ROW", field.name));
    }
    for (const Field& nested : field.type.fields()) CLP_RETURN_IF_ERROR(check_field(*kind, nested));
  }
  return Status::ok();
}

// Every subtask has one split: blocks of events, taken in turns, so that all are equally far in
// event time.
constexpr std::int64_t kTurnBlocks = 80;  // 4000 events with the usual proportions.

std::vector<SourceSplit> make_splits(int parallelism) {
  std::vector<SourceSplit> splits;
  for (int i = 0; i < parallelism; ++i) {
    splits.push_back(
        {fmt::format("{} of {}", i + 1, parallelism),
         ValueTree::map().set("index", i).set("count", parallelism).set("next", 0).encode()});
  }
  return splits;
}

class NexmarkReader final : public SplitReader {
 public:
  NexmarkReader(std::shared_ptr<const NexmarkGenerator> generator, const NexmarkSpec& spec,
                SchemaPtr schema, std::int64_t index, std::int64_t count, std::int64_t next,
                const SourceContext& context)
      : generator_(std::move(generator)),
        spec_(spec),
        schema_(std::move(schema)),
        index_(index),
        count_(count),
        next_(next),
        turn_(kTurnBlocks * generator_->events_per_block()),
        context_(context),
        plans_(make_plans()),
        pacing_(spec.rate_limited ? spec.options.rate / static_cast<double>(count) : 0) {
    const std::int64_t events = spec.options.events;
    end_ = events == 0 ? std::numeric_limits<std::int64_t>::max() : own_events(events);
  }

  Result<Poll> poll(std::int64_t rows_max, Batch& batch) override {
    if (next_ == end_ && spec_.keeps_alive) {
      return Poll{PollState::kNothingYet, std::numeric_limits<std::int64_t>::max()};
    }
    const std::int64_t now = spec_.rate_limited ? context_.clock->monotonic_ns() : 0;
    const std::int64_t due = pacing_.due(now, std::min(rows_max, end_ - next_));
    if (due == 0 && next_ < end_) return Poll{PollState::kNothingYet, pacing_.next_ns(now)};
    events_.clear();
    for (const std::int64_t end = next_ + due; next_ < end;) {
      // Up to the end of the turn places follow one another.
      const std::int64_t turn = next_ / turn_;
      const std::int64_t turn_end = std::min(end, (turn + 1) * turn_);
      std::int64_t place = (turn * count_ + index_) * turn_ + next_ % turn_;
      for (; next_ < turn_end; ++next_, ++place) {
        const std::int64_t event = generator_->event_at(place);
        if (!spec_.only || generator_->kind_of(event) == *spec_.only) events_.push_back(event);
      }
    }
    pacing_.take(due);
    CLP_ASSIGN_OR_RETURN(batch, make_batch());
    const bool is_end = next_ == end_ && !spec_.keeps_alive;
    return Poll{is_end ? PollState::kEndOfSplit : PollState::kRows, 0};
  }

  [[nodiscard]] std::string position() const override {
    return ValueTree::map().set("index", index_).set("count", count_).set("next", next_).encode();
  }

 private:
  // How many of the first `events` places are in this split's turns.
  [[nodiscard]] std::int64_t own_events(std::int64_t events) const {
    const std::int64_t round = turn_ * count_;
    return events / round * turn_ +
           std::clamp<std::int64_t>(events % round - index_ * turn_, 0, turn_);
  }

  // What a declared column is made of, so that a batch need not look for it again.
  struct Plan {
    std::optional<NexmarkKind> kind;        // A row of this kind.
    std::vector<const KindColumn*> fields;  // Of the row; a flat table's column alone.
  };
  std::vector<Plan> make_plans() const {
    std::vector<Plan> plans;
    for (const Field& field : schema_->fields()) {
      Plan& plan = plans.emplace_back();
      if (spec_.only) {
        plan.fields.push_back(column_named(*spec_.only, field.name));
        continue;
      }
      plan.kind = kind_named(field.name);
      if (!plan.kind) continue;
      for (const Field& nested : field.type.fields()) {
        plan.fields.push_back(column_named(*plan.kind, nested.name));
      }
    }
    return plans;
  }

  Result<Batch> make_batch() {
    const auto rows = static_cast<std::int64_t>(events_.size());
    kinds_.clear();
    if (!spec_.only) {
      for (const std::int64_t event : events_) kinds_.push_back(generator_->kind_of(event));
    }
    std::vector<Column> columns;
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      const Plan& plan = plans_[i];
      const DataType& type = schema_->fields()[i].type;
      if (plan.kind) {
        CLP_ASSIGN_OR_RETURN(Column column, make_row(plan, type));
        columns.push_back(std::move(column));
      } else if (plan.fields.empty()) {
        CLP_ASSIGN_OR_RETURN(Column column, make_event_type(type));
        columns.push_back(std::move(column));
      } else {
        CLP_ASSIGN_OR_RETURN(Column column,
                             generator_->column(plan.fields.front()->column, type, events_, nullptr,
                                                0, *context_.pool));
        columns.push_back(std::move(column));
      }
    }
    return Batch(schema_, rows, std::move(columns));
  }

  Result<Column> make_event_type(const DataType& type) {
    const auto rows = static_cast<std::int64_t>(events_.size());
    CLP_ASSIGN_OR_RETURN(const std::shared_ptr<MutableBuffer> values,
                         allocate_buffer(*context_.pool, rows * 4));
    auto* out = reinterpret_cast<std::int32_t*>(values->mutable_data());
    std::transform(kinds_.begin(), kinds_.end(), out,
                   [](NexmarkKind kind) { return static_cast<std::int32_t>(kind); });
    ColumnData data;
    data.type = type;
    data.length = rows;
    data.values = values;
    return Column(std::move(data));
  }

  // The fields of a NULL row are NULL too: one bitmap serves all.
  Result<Column> make_row(const Plan& plan, const DataType& type) {
    const auto rows = static_cast<std::int64_t>(events_.size());
    CLP_ASSIGN_OR_RETURN(const std::shared_ptr<MutableBuffer> validity,
                         allocate_zeroed_buffer(*context_.pool, (rows + 7) / 8));
    std::uint8_t* bits = validity->mutable_data();
    std::int64_t valid = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      const bool is_kind = kinds_[static_cast<std::size_t>(i)] == *plan.kind;
      bits[i >> 3] =
          static_cast<std::uint8_t>(bits[i >> 3] | static_cast<unsigned>(is_kind) << (i & 7));
      valid += static_cast<std::int64_t>(is_kind);
    }
    ColumnData data;
    data.type = type;
    data.length = rows;
    data.validity = validity;
    data.null_count = rows - valid;
    for (std::size_t i = 0; i < plan.fields.size(); ++i) {
      CLP_ASSIGN_OR_RETURN(
          Column child, generator_->column(plan.fields[i]->column, type.fields()[i].type, events_,
                                           validity, rows - valid, *context_.pool));
      data.children.push_back(std::move(child));
    }
    return Column(std::move(data));
  }

  const std::shared_ptr<const NexmarkGenerator> generator_;
  const NexmarkSpec spec_;
  const SchemaPtr schema_;
  const std::int64_t index_;
  const std::int64_t count_;
  std::int64_t next_;  // Counted within this split's turns.
  const std::int64_t turn_;
  std::int64_t end_ = 0;
  const SourceContext context_;
  const std::vector<Plan> plans_;
  Pacing pacing_;
  std::vector<std::int64_t> events_;
  std::vector<NexmarkKind> kinds_;  // Of the events; empty for a flat table.
};

class NexmarkSource final : public Source {
 public:
  NexmarkSource(NexmarkSpec spec, SchemaPtr schema) : spec_(spec), schema_(std::move(schema)) {}
  [[nodiscard]] bool is_bounded() const override { return spec_.is_bounded(); }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return make_dealt_splits(make_splits);
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    CLP_ASSIGN_OR_RETURN(const ValueTree position, ValueTree::decode(split.payload));
    CLP_ASSIGN_OR_RETURN(const std::int64_t index, position.get_int("index"));
    CLP_ASSIGN_OR_RETURN(const std::int64_t count, position.get_int("count"));
    CLP_ASSIGN_OR_RETURN(const std::int64_t next, position.get_int("next"));
    if (count < 1 || index < 0 || index >= count || next < 0) {
      return Status::data_loss("the position of a nexmark split is broken");
    }
    CLP_ASSIGN_OR_RETURN(const std::shared_ptr<const NexmarkGenerator> generator,
                         NexmarkGenerator::make(spec_.options, *context.pool));
    return std::make_unique<NexmarkReader>(generator, spec_, schema_, index, count, next, context);
  }

 private:
  const NexmarkSpec spec_;
  const SchemaPtr schema_;
};

class NexmarkConnector final : public TableConnector {
 public:
  [[nodiscard]] std::string_view name() const override { return "nexmark"; }
  [[nodiscard]] std::string_view description() const override {
    return "Generated events of an online auction, as the Nexmark benchmark defines them.";
  }
  [[nodiscard]] bool can_read() const override { return true; }
  [[nodiscard]] bool can_write() const override { return false; }
  [[nodiscard]] bool uses_format() const override { return false; }
  [[nodiscard]] bool can_prune_fields(const TableOptions& /*options*/) const override {
    return true;
  }

  [[nodiscard]] std::vector<OptionDescription> options() const override {
    using enum OptionKind;
    return {
        {.key = "events.num",
         .kind = kLong,
         .default_value = "0",
         .description = "Events in all; 0: no end."},
        {.key = "first-event.rate",
         .kind = kDouble,
         .default_value = "10000",
         .description = "Events per second of event time."},
        {.key = "next-event.rate",
         .kind = kDouble,
         .default_value = "10000",
         .description = "The same; a rate that changes is not built."},
        {.key = "rate.limited",
         .kind = kBoolean,
         .default_value = "false",
         .description =
             "Events come in wall-clock time at the rate, else as fast as they are read."},
        {.key = "max-emit-speed",
         .kind = kBoolean,
         .default_value = "false",
         .description = "As fast as they are read, whatever rate.limited says."},
        {.key = "rate.shape",
         .kind = kEnum,
         .default_value = "SINE",
         .description =
             "How the rate goes from the first to the next; both must be the same so far.",
         .choices = {"SINE", "SQUARE"}},
        {.key = "rate.period",
         .kind = kDuration,
         .default_value = "600 s",
         .description = "How long the rate takes for its way."},
        {.key = "keep-alive",
         .kind = kBoolean,
         .default_value = "false",
         .description = "After the last event the source goes on without events, as if unbounded."},
        {.key = "stop-at",
         .kind = kLong,
         .default_value = "-1",
         .description =
             "The number of the first event that does not come; -1: events.num decides."},
        {.key = "person.proportion",
         .kind = kLong,
         .default_value = "1",
         .description = "Persons per block."},
        {.key = "auction.proportion",
         .kind = kLong,
         .default_value = "3",
         .description = "Auctions per block."},
        {.key = "bid.proportion",
         .kind = kLong,
         .default_value = "46",
         .description = "Bids per block."},
        {.key = "person.avg-size",
         .kind = kMemorySize,
         .default_value = "200b",
         .description = "Mean bytes of a person."},
        {.key = "auction.avg-size",
         .kind = kMemorySize,
         .default_value = "500b",
         .description = "Mean bytes of an auction."},
        {.key = "bid.avg-size",
         .kind = kMemorySize,
         .default_value = "100b",
         .description = "Mean bytes of a bid, channel and url not counted."},
        {.key = "bid.hot-ratio.auctions",
         .kind = kLong,
         .default_value = "2",
         .description = "1 - 1/n of the bids go to the hot auction."},
        {.key = "bid.hot-ratio.bidders",
         .kind = kLong,
         .default_value = "4",
         .description = "1 - 1/n of the bids come from the hot bidder."},
        {.key = "auction.hot-ratio.sellers",
         .kind = kLong,
         .default_value = "4",
         .description = "1 - 1/n of the auctions are the hot seller's."},
        {.key = "out-of-order-group-size",
         .kind = kLong,
         .default_value = "1",
         .description = "Events are permuted within groups of so many."},
        {.key = "seed",
         .kind = kLong,
         .default_value = "0",
         .description = "Another seed, other events."},
        {.key = "base-time",
         .kind = kString,
         .default_value = "2015-07-15 00:00:00",
         .description = "Event time of the first event."},
        {.key = "nexmark.table",
         .kind = kEnum,
         .description = "One kind of event as a flat table; without it, all three as nested rows.",
         .choices = {"person", "auction", "bid"}},
    };
  }

  [[nodiscard]] Status validate(const TableOptions& options, const Schema& schema) const override {
    CLP_ASSIGN_OR_RETURN(const NexmarkSpec spec, NexmarkSpec::parse(options));
    return check_schema(spec, schema);
  }
  [[nodiscard]] Result<bool> is_bounded(const TableOptions& options) const override {
    CLP_ASSIGN_OR_RETURN(const NexmarkSpec spec, NexmarkSpec::parse(options));
    return spec.is_bounded();
  }
  [[nodiscard]] DeliveryGuarantee sink_guarantee(const TableOptions& /*options*/) const override {
    return DeliveryGuarantee::kNone;
  }
  [[nodiscard]] Result<ValueTree> scan_spec(const TableOptions& options, const Schema& schema,
                                            const ScanRequest& request) const override {
    CLP_ASSIGN_OR_RETURN(const NexmarkSpec spec, NexmarkSpec::parse(options));
    std::vector<Field> produced;
    for (const std::string& column : request.columns) {
      const int index = schema.find(column);
      if (index < 0)
        return Status::invalid_argument(fmt::format("the table has no column '{}'", column));
      produced.push_back(schema.field(index));
    }
    const Schema wanted(std::move(produced));
    CLP_RETURN_IF_ERROR(check_schema(spec, wanted));
    return ValueTree::map()
        .set("connector", "nexmark")
        .set("schema", schema_to_tree(wanted))
        .set("options", options_to_tree(options));
  }
  [[nodiscard]] Result<ValueTree> sink_spec(const TableOptions& /*options*/,
                                            const Schema& /*schema*/) const override {
    return Status::invalid_argument("connector 'nexmark' can only be read from");
  }
};

Result<std::unique_ptr<Source>> make_nexmark_source(const ValueTree& tree) {
  CLP_ASSIGN_OR_RETURN(const ValueTree option_tree, tree.get("options"));
  CLP_ASSIGN_OR_RETURN(const TableOptions options, options_from_tree(option_tree));
  CLP_ASSIGN_OR_RETURN(const NexmarkSpec spec, NexmarkSpec::parse(options));
  CLP_ASSIGN_OR_RETURN(const ValueTree schema_tree, tree.get("schema"));
  CLP_ASSIGN_OR_RETURN(SchemaPtr schema, schema_from_tree(schema_tree));
  CLP_RETURN_IF_ERROR(check_schema(spec, *schema));
  return std::make_unique<NexmarkSource>(spec, std::move(schema));
}

}  // namespace

void register_nexmark_connector(ConnectorRegistry& registry) {
  registry.add({.table = std::make_shared<NexmarkConnector>(), .make_source = make_nexmark_source});
}

}  // namespace clepsydra
