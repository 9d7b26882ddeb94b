#include "operators/operator_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace clepsydra {

// One operator with what is wired to it. As Output it is what its operator emits into.
struct OperatorChain::Node final : public Output {
  OperatorChain* chain = nullptr;
  OperatorSpec spec;
  OperatorContext context;
  OperatorCounters counters;
  OperatorPtr op;  // Null for a source.
  std::vector<Node*> consumers;
  std::vector<Output*> external;
  // What came while the operator still had work: at most what one step of its producer emits.
  std::deque<Batch> waiting;

  Status emit(Batch batch) override {
    counters.rows_out += batch.rows();
    const std::size_t targets = consumers.size() + external.size();
    std::size_t served = 0;
    // The last one takes the handle, the others a copy of it.
    const auto handle = [&] {
      Batch copy;
      if (++served == targets) {
        std::swap(copy, batch);
      } else {
        copy = batch;
      }
      return copy;
    };
    for (Node* consumer : consumers) {
      CLP_RETURN_IF_ERROR(chain->deliver(*consumer, 0, handle()));
    }
    for (Output* output : external) CLP_RETURN_IF_ERROR(output->emit(handle()));
    return Status::ok();
  }

  [[nodiscard]] bool has_work() const {
    return !waiting.empty() || (op != nullptr && op->has_pending());
  }
  // An error that comes from further down the chain already names its operator.
  [[nodiscard]] Status named(Status status) {
    if (status.is_ok() || chain->error_named_) return status;
    chain->error_named_ = true;
    return status.with_context(fmt::format("operator '{}'", spec.name));
  }
};

OperatorChain::OperatorChain() = default;
OperatorChain::~OperatorChain() = default;

Result<std::unique_ptr<OperatorChain>> OperatorChain::make(std::vector<Link> links,
                                                           const Wiring& wiring,
                                                           const OperatorRegistry& registry) {
  if (links.empty() || links.size() > kLinksMax) {
    return Status::invalid_argument(
        fmt::format("a chain has 1 to {} operators, found {}", kLinksMax, links.size()));
  }
  std::unique_ptr<OperatorChain> chain(new OperatorChain());
  for (std::size_t i = 0; i < links.size(); ++i) {
    Link& link = links[i];
    const int index = static_cast<int>(i);
    if (i == 0 ? link.producer != -1 : link.producer < 0 || link.producer >= index) {
      return Status::invalid_argument(
          fmt::format("operator '{}' is number {} of its chain and cannot be fed by number {}",
                      link.spec.name, index, link.producer));
    }
    auto node = std::make_unique<Node>();
    node->chain = chain.get();
    node->spec = std::move(link.spec);
    node->external = wiring.outputs(index);
    if (i > 0 || node->spec.kind != "source") {
      Result<OperatorContext> context = wiring.context(index, node->spec);
      if (!context.is_ok()) return node->named(context.status());
      node->context = *std::move(context);
      node->context.counters = &node->counters;
      Result<OperatorPtr> op = registry.make(node->spec, node->context);
      if (!op.is_ok()) return node->named(op.status());
      node->op = *std::move(op);
    }
    if (link.producer >= 0) {
      chain->nodes_[static_cast<std::size_t>(link.producer)]->consumers.push_back(node.get());
    }
    chain->nodes_.push_back(std::move(node));
  }
  return chain;
}

Status OperatorChain::process(int input, Batch batch) {
  CLP_CHECK(sweep_ == Sweep::kNone);
  Node& head = *nodes_[0];
  return head.op != nullptr ? deliver(head, input, std::move(batch)) : head.emit(std::move(batch));
}

Status OperatorChain::deliver(Node& node, int input, Batch batch) {
  if (node.has_work()) {
    CLP_CHECK(input == 0);  // The head's inputs come one at a time, when nothing is pending.
    node.waiting.push_back(std::move(batch));
    return Status::ok();
  }
  node.counters.rows_in += batch.rows();
  return node.named(node.op->process(input, std::move(batch), node));
}

bool OperatorChain::has_waiting_work() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const std::unique_ptr<Node>& node) { return node->has_work(); });
}

bool OperatorChain::has_pending() const {
  return sweep_ != Sweep::kNone || has_waiting_work();
}

Status OperatorChain::resume() {
  // Consumers catch up before their producers go on: what waits in between stays small.
  for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) {
    Node& node = **it;
    if (node.op == nullptr || !node.has_work()) continue;
    if (node.op->has_pending()) return node.named(node.op->resume(node));
    Batch batch = std::move(node.waiting.front());
    node.waiting.pop_front();
    node.counters.rows_in += batch.rows();
    return node.named(node.op->process(0, std::move(batch), node));
  }
  return continue_sweep();
}

Status OperatorChain::flush() {
  return start_sweep(Sweep::kFlush);
}

Status OperatorChain::prepare_checkpoint() {
  CLP_CHECK(!has_pending());
  for (const auto& node : nodes_) {
    if (node->op != nullptr) CLP_RETURN_IF_ERROR(node->named(node->op->prepare_checkpoint()));
  }
  return Status::ok();
}

Status OperatorChain::finish() {
  return start_sweep(Sweep::kFinish);
}

Status OperatorChain::on_processing_time(std::int64_t now_ms) {
  sweep_now_ms_ = now_ms;
  return start_sweep(Sweep::kProcessingTime);
}

Status OperatorChain::start_sweep(Sweep sweep) {
  CLP_CHECK(!has_pending());
  sweep_ = sweep;
  sweep_next_ = 0;
  return continue_sweep();
}

// Producers stand before consumers, so that what one gives out is seen by the next.
Status OperatorChain::continue_sweep() {
  while (sweep_ != Sweep::kNone) {
    if (has_waiting_work()) return Status::ok();
    if (sweep_next_ == nodes_.size()) {
      sweep_ = Sweep::kNone;
      break;
    }
    Node& node = *nodes_[sweep_next_++];
    if (node.op == nullptr) continue;
    Status status;
    if (sweep_ == Sweep::kFlush) {
      status = node.op->flush(node);
    } else if (sweep_ == Sweep::kFinish) {
      status = node.op->finish(node);
    } else if (node.op->next_timer_ms() <= sweep_now_ms_) {
      status = node.op->on_processing_time(sweep_now_ms_, node);
    }
    CLP_RETURN_IF_ERROR(node.named(std::move(status)));
  }
  return Status::ok();
}

std::int64_t OperatorChain::next_timer_ms() const {
  std::int64_t next = kMaxWatermark;
  for (const auto& node : nodes_) {
    if (node->op != nullptr) next = std::min(next, node->op->next_timer_ms());
  }
  return next;
}

const OperatorSpec& OperatorChain::spec(int op) const {
  return nodes_[static_cast<std::size_t>(op)]->spec;
}

OperatorCounters& OperatorChain::counters(int op) {
  return nodes_[static_cast<std::size_t>(op)]->counters;
}

const OperatorCounters& OperatorChain::counters(int op) const {
  return nodes_[static_cast<std::size_t>(op)]->counters;
}

}  // namespace clepsydra
