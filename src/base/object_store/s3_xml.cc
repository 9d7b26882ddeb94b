#include "base/object_store/s3_xml.h"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace clepsydra {
namespace {

constexpr std::size_t kDepthMax = 16;

// Threads: one.
class TreeBuilder {
 public:
  explicit TreeBuilder(XML_Parser parser) : parser_(parser) {
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, &TreeBuilder::on_start, &TreeBuilder::on_end);
    XML_SetCharacterDataHandler(parser, &TreeBuilder::on_text);
    XML_SetStartDoctypeDeclHandler(parser, &TreeBuilder::on_document_type);
  }

  [[nodiscard]] bool is_refused() const { return is_refused_; }
  XmlElement take() { return std::move(root_.children.front()); }

 private:
  static TreeBuilder& of(void* user) { return *static_cast<TreeBuilder*>(user); }

  static void on_start(void* user, const XML_Char* name, const XML_Char** attributes) {
    (void)attributes;
    TreeBuilder& tree = of(user);
    if (tree.open_.size() > kDepthMax) {
      tree.refuse();
      return;
    }
    const std::string_view full(name);
    XmlElement element;
    element.name = full.substr(full.rfind(':') + 1);
    tree.open_.push_back(std::move(element));
  }

  static void on_end(void* user, const XML_Char* name) {
    (void)name;
    TreeBuilder& tree = of(user);
    if (tree.is_refused_) return;
    XmlElement element = std::move(tree.open_.back());
    tree.open_.pop_back();
    XmlElement& parent = tree.open_.empty() ? tree.root_ : tree.open_.back();
    parent.children.push_back(std::move(element));
  }

  static void on_text(void* user, const XML_Char* text, int length) {
    TreeBuilder& tree = of(user);
    if (!tree.open_.empty()) tree.open_.back().text.append(text, static_cast<std::size_t>(length));
  }

  static void on_document_type(void* user, const XML_Char* name, const XML_Char* system_id,
                               const XML_Char* public_id, int has_internal_subset) {
    (void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
    of(user).refuse();
  }

  void refuse() {
    is_refused_ = true;
    (void)XML_StopParser(parser_, XML_FALSE);
  }

  XML_Parser parser_;
  XmlElement root_;
  std::vector<XmlElement> open_;
  bool is_refused_ = false;
};

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const XmlElement& element) { return element.name == child; });
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::text_of(std::string_view child) const {
  const XmlElement* element = find(child);
  return element == nullptr ? std::string_view() : std::string_view(element->text);
}

Result<XmlElement> parse_xml(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return Status::data_loss("the XML is too long");
  }
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate(nullptr), &XML_ParserFree);
  if (parser == nullptr) return Status::resource_exhausted("no memory to read XML");
  TreeBuilder tree(parser.get());
  const XML_Status parsed =
      XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
  if (tree.is_refused()) {
    return Status::data_loss("the XML has a document type, or is nested too deep");
  }
  if (parsed != XML_STATUS_OK) {
    return Status::data_loss(fmt::format("broken XML in line {}: {}",
                                         XML_GetCurrentLineNumber(parser.get()),
                                         XML_ErrorString(XML_GetErrorCode(parser.get()))));
  }
  return tree.take();
}

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace clepsydra
