// The entries of one outer key in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/entry_order.h"
#include "state/hashmap/key_layout.h"
#include "state/keyed_state.h"

namespace clepsydra {

// One end of a range of entries.
struct EntryBound {
  EntryKey key;  // Without columns: there is none.
  bool is_included = true;
  std::uint64_t prefix = 0;
};

// A B+ tree of addresses of rows, whose keys stay as they are while they are in it. Value type of
// 16 bytes, all zero when it is empty: it lies in the value of a row, and its nodes in a
// StateMemory that is given with each call. Threads: the owner of the state.
class EntryTree {
 public:
  [[nodiscard]] bool empty() const { return root_ == nullptr; }
  // Asks the memory for its first lines ahead of use.
  void ask_for() const {
    const auto* lines = reinterpret_cast<const std::byte*>(root_);
    for (std::int64_t line = 0; line < kAskedLines; ++line) {
      __builtin_prefetch(lines + line * 64, 1);
    }
  }

  // One whose key is not there. ResourceExhausted: the tree is as it was.
  Status insert(const EntryOrder& order, RowHeader* row, StateMemory& memory);
  // One that is there.
  void erase(const EntryOrder& order, RowHeader* row, StateMemory& memory);

  // Appends the rows of a range, in their order or backwards, until there are `limit` in all.
  void collect(const EntryOrder& order, const EntryBound& from, const EntryBound& to,
               bool backwards, std::size_t limit, std::vector<RowHeader*>& rows) const;

 private:
  struct Item {
    std::uint64_t prefix;
    RowHeader* row;
  };
  struct Node;
  // The first entry below a child stands for it.
  struct Branch {
    Item first;
    Node* child;
  };
  struct Node {
    std::uint32_t count;
    std::uint32_t capacity;
    [[nodiscard]] Item* items() { return reinterpret_cast<Item*>(this + 1); }
    [[nodiscard]] Branch* branches() { return reinterpret_cast<Branch*>(this + 1); }
  };
  // So that a full node has 1 KiB.
  static constexpr std::uint32_t kItemsMin = 2;
  static constexpr std::uint32_t kItemsMax = 63;
  static constexpr std::uint32_t kBranchesMax = 42;
  static constexpr std::uint32_t kHeightMax = 16;
  static constexpr std::int64_t kAskedLines = 4;
  struct Step {
    Node* node;
    std::uint32_t at;  // Of the branch that was taken.
  };

  static Result<Node*> make_node(std::uint32_t capacity, bool is_leaf, StateMemory& memory);
  static void free_node(Node* node, bool is_leaf, StateMemory& memory);
  static bool is_before(const EntryOrder& order, const Item& a, const Item& b);
  static std::uint32_t child_of(const EntryOrder& order, Node& node, const Item& item);
  static std::uint32_t place_of(const EntryOrder& order, Node& leaf, const Item& item);
  Status make_root_room(const EntryOrder& order, const Item& item, StateMemory& memory);
  static Status split(const EntryOrder& order, Node& parent, std::uint32_t at, bool is_leaf,
                      const Item& item, StateMemory& memory);
  static bool merge(Node& parent, std::uint32_t at, bool is_leaf, StateMemory& memory);

  struct Range {
    const EntryOrder* order;
    const EntryBound* from;
    const EntryBound* to;
    std::size_t limit;
    [[nodiscard]] bool is_below(const Item& item) const;
    [[nodiscard]] bool is_beyond(const Item& item) const;
  };
  static bool collect_from(Node* node, std::uint32_t height, const Range& range, bool backwards,
                           std::vector<RowHeader*>& rows);

  Node* root_ = nullptr;
  std::uint32_t height_ = 0;  // Of the root; a leaf has 0.
};
static_assert(sizeof(EntryTree) == 16);

}  // namespace clepsydra
