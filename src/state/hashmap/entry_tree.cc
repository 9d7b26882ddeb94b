#include "state/hashmap/entry_tree.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"

namespace clepsydra {
namespace {

template <typename T>
void open_gap(T* items, std::uint32_t at, std::uint32_t count) {
  std::memmove(items + at + 1, items + at, (count - at) * sizeof(T));
}

template <typename T>
void close_gap(T* items, std::uint32_t at, std::uint32_t count) {
  std::memmove(items + at, items + at + 1, (count - at - 1) * sizeof(T));
}

}  // namespace

Result<EntryTree::Node*> EntryTree::make_node(std::uint32_t capacity, bool is_leaf,
                                              StateMemory& memory) {
  const std::size_t bytes = sizeof(Node) + capacity * (is_leaf ? sizeof(Item) : sizeof(Branch));
  std::byte* block = nullptr;
  CLP_RETURN_IF_ERROR(memory.allocate(static_cast<std::int64_t>(bytes), block));
  auto* node = reinterpret_cast<Node*>(block);
  *node = {.count = 0, .capacity = capacity};
  return node;
}

void EntryTree::free_node(Node* node, bool is_leaf, StateMemory& memory) {
  const std::size_t bytes =
      sizeof(Node) + node->capacity * (is_leaf ? sizeof(Item) : sizeof(Branch));
  memory.free(reinterpret_cast<std::byte*>(node), static_cast<std::int64_t>(bytes));
}

bool EntryTree::is_before(const EntryOrder& order, const Item& a, const Item& b) {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  return a.row != b.row && order.compare(order.entry_of(*a.row), order.entry_of(*b.row)) < 0;
}

// The last child that begins at or before an item; the first when none does.
std::uint32_t EntryTree::child_of(const EntryOrder& order, Node& node, const Item& item) {
  Branch* const first = node.branches();
  Branch* const found = std::upper_bound(
      first, first + node.count, item,
      [&](const Item& a, const Branch& b) { return is_before(order, a, b.first); });
  return found == first ? 0 : static_cast<std::uint32_t>(found - first) - 1;
}

std::uint32_t EntryTree::place_of(const EntryOrder& order, Node& leaf, const Item& item) {
  Item* const first = leaf.items();
  Item* const found =
      std::lower_bound(first, first + leaf.count, item,
                       [&](const Item& a, const Item& b) { return is_before(order, a, b); });
  return static_cast<std::uint32_t>(found - first);
}

// Nodes that are full are split on the way down, so that each has room when its child is split, and
// the tree is whole wherever memory runs out.
Status EntryTree::insert(const EntryOrder& order, RowHeader* row, StateMemory& memory) {
  const Item item{.prefix = order.prefix(order.entry_of(*row)), .row = row};
  CLP_RETURN_IF_ERROR(make_root_room(order, item, memory));
  // Where it comes to be the first, this is put down last, when nothing can fail any more.
  std::array<Branch*, kHeightMax> firsts{};
  std::size_t first_count = 0;
  Node* node = root_;
  for (std::uint32_t height = height_; height > 0; --height) {
    std::uint32_t at = child_of(order, *node, item);
    const Node* child = node->branches()[at].child;
    if (child->count == child->capacity) {
      CLP_RETURN_IF_ERROR(split(order, *node, at, height == 1, item, memory));
      at = child_of(order, *node, item);
    }
    Branch& branch = node->branches()[at];
    if (is_before(order, item, branch.first)) firsts[first_count++] = &branch;
    node = branch.child;
  }
  for (std::size_t i = 0; i < first_count; ++i) firsts[i]->first = item;
  const std::uint32_t at = place_of(order, *node, item);
  open_gap(node->items(), at, node->count++);
  node->items()[at] = item;
  return Status::ok();
}

// A root that is a leaf is as small as it can be.
Status EntryTree::make_root_room(const EntryOrder& order, const Item& item, StateMemory& memory) {
  if (root_ == nullptr) {
    CLP_ASSIGN_OR_RETURN(root_, make_node(kItemsMin, true, memory));
    return Status::ok();
  }
  if (root_->count < root_->capacity) return Status::ok();
  if (height_ == 0 && root_->capacity < kItemsMax) {
    CLP_ASSIGN_OR_RETURN(Node* const larger,
                         make_node(std::min(root_->capacity * 2, kItemsMax), true, memory));
    larger->count = root_->count;
    std::memcpy(larger->items(), root_->items(), root_->count * sizeof(Item));
    free_node(root_, true, memory);
    root_ = larger;
    return Status::ok();
  }
  CLP_CHECK(height_ + 1 < kHeightMax);
  CLP_ASSIGN_OR_RETURN(Node* const above, make_node(kBranchesMax, false, memory));
  above->count = 1;
  above->branches()[0] = {.first = height_ == 0 ? root_->items()[0] : root_->branches()[0].first,
                          .child = root_};
  const Status status = split(order, *above, 0, height_ == 0, item, memory);
  if (!status.is_ok()) {
    free_node(above, false, memory);
    return status;
  }
  root_ = above;
  ++height_;
  return Status::ok();
}

// The full child at `at` gives half of what it has to a new one, or, when `item` comes behind all
// of it, as little as possible: entries often come in their order.
Status EntryTree::split(const EntryOrder& order, Node& parent, std::uint32_t at, bool is_leaf,
                        const Item& item, StateMemory& memory) {
  Node* const child = parent.branches()[at].child;
  CLP_ASSIGN_OR_RETURN(Node* const right, make_node(child->capacity, is_leaf, memory));
  const Item& last =
      is_leaf ? child->items()[child->count - 1] : child->branches()[child->count - 1].first;
  const std::uint32_t left = is_before(order, last, item) ? child->count - 1 : child->count / 2;
  right->count = child->count - left;
  child->count = left;
  Branch branch{.first = {}, .child = right};
  if (is_leaf) {
    std::memcpy(right->items(), child->items() + left, right->count * sizeof(Item));
    branch.first = right->items()[0];
  } else {
    std::memcpy(right->branches(), child->branches() + left, right->count * sizeof(Branch));
    branch.first = right->branches()[0].first;
  }
  open_gap(parent.branches(), at + 1, parent.count++);
  parent.branches()[at + 1] = branch;
  return Status::ok();
}

void EntryTree::erase(const EntryOrder& order, RowHeader* row, StateMemory& memory) {
  const Item item{.prefix = order.prefix(order.entry_of(*row)), .row = row};
  std::array<Step, kHeightMax> path{};
  std::size_t depth = 0;
  Node* node = root_;
  CLP_CHECK(node != nullptr);
  while (depth < height_) {
    const std::uint32_t at = child_of(order, *node, item);
    path[depth++] = {.node = node, .at = at};
    node = node->branches()[at].child;
  }
  const std::uint32_t at = place_of(order, *node, item);
  CLP_CHECK(at < node->count && node->items()[at].row == row);
  close_gap(node->items(), at, node->count--);
  bool is_leaf = true;
  while (depth > 0) {
    const Step step = path[--depth];
    Branch& branch = step.node->branches()[step.at];
    if (node->count == 0) {
      free_node(node, is_leaf, memory);
      close_gap(step.node->branches(), step.at, step.node->count--);
    } else {
      branch.first = is_leaf ? node->items()[0] : node->branches()[0].first;
      if (node->count <= node->capacity / 4 && !merge(*step.node, step.at, is_leaf, memory) &&
          step.at > 0) {
        merge(*step.node, step.at - 1, is_leaf, memory);
      }
    }
    node = step.node;
    is_leaf = false;
  }
  while (root_->count == 0 || (height_ > 0 && root_->count == 1)) {
    Node* const below = root_->count == 0 ? nullptr : root_->branches()[0].child;
    free_node(root_, height_ == 0, memory);
    root_ = below;
    height_ = below == nullptr ? 0 : height_ - 1;
    if (below == nullptr) break;
  }
}

// The child at `at` and the one behind it, when they have little together.
bool EntryTree::merge(Node& parent, std::uint32_t at, bool is_leaf, StateMemory& memory) {
  if (at + 1 >= parent.count) return false;
  Node* const left = parent.branches()[at].child;
  Node* const right = parent.branches()[at + 1].child;
  if (left->count + right->count > left->capacity / 4 * 3) return false;
  if (is_leaf) {
    std::memcpy(left->items() + left->count, right->items(), right->count * sizeof(Item));
  } else {
    std::memcpy(left->branches() + left->count, right->branches(), right->count * sizeof(Branch));
  }
  left->count += right->count;
  free_node(right, is_leaf, memory);
  close_gap(parent.branches(), at + 1, parent.count--);
  return true;
}

bool EntryTree::Range::is_below(const Item& item) const {
  if (from->key.columns == 0) return false;
  if (item.prefix != from->prefix) return item.prefix < from->prefix;
  const int compared = order->compare(order->entry_of(*item.row), from->key);
  return from->is_included ? compared < 0 : compared <= 0;
}

bool EntryTree::Range::is_beyond(const Item& item) const {
  if (to->key.columns == 0) return false;
  if (item.prefix != to->prefix) return item.prefix > to->prefix;
  const int compared = order->compare(order->entry_of(*item.row), to->key);
  return to->is_included ? compared > 0 : compared >= 0;
}

void EntryTree::collect(const EntryOrder& order, const EntryBound& from, const EntryBound& to,
                        bool backwards, std::size_t limit, std::vector<RowHeader*>& rows) const {
  if (root_ == nullptr) return;
  collect_from(root_, height_, {.order = &order, .from = &from, .to = &to, .limit = limit},
               backwards, rows);
}

// At most kHeightMax calls deep. False: there are enough.
bool EntryTree::collect_from(Node* node, std::uint32_t height, const Range& range, bool backwards,
                             std::vector<RowHeader*>& rows) {
  if (height == 0) {
    Item* const end = node->items() + node->count;
    Item* const first = std::partition_point(
        node->items(), end, [&](const Item& item) { return range.is_below(item); });
    Item* const last =
        std::partition_point(first, end, [&](const Item& item) { return !range.is_beyond(item); });
    const std::size_t count =
        std::min(static_cast<std::size_t>(last - first), range.limit - rows.size());
    for (std::size_t i = 0; i < count; ++i) {
      rows.push_back(backwards ? (last - 1 - i)->row : (first + i)->row);
    }
    return rows.size() < range.limit;
  }
  Branch* const end = node->branches() + node->count;
  Branch* first = std::partition_point(
      node->branches(), end, [&](const Branch& branch) { return range.is_below(branch.first); });
  // What is before the first that begins within may reach into it.
  if (first != node->branches()) --first;
  Branch* const last = std::partition_point(
      first, end, [&](const Branch& branch) { return !range.is_beyond(branch.first); });
  for (std::ptrdiff_t i = 0; i < last - first; ++i) {
    const Branch& branch = backwards ? *(last - 1 - i) : first[i];
    if (!collect_from(branch.child, height - 1, range, backwards, rows)) return false;
  }
  return true;
}

}  // namespace clepsydra
