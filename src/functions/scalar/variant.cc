#include "functions/scalar/variant.h"

#include <memory>
#include <string>

#include "base/check.h"
#include "base/json_string.h"
#include "functions/json/json_document.h"
#include "functions/json/variant.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"

namespace clepsydra {
namespace {

struct ParseSite final : CallSite {
  mutable JsonDocument document;
  mutable std::string text;
};

template <bool kTry>
bool parse_kernel(KernelCall& call) {
  const auto& site = call.site_as<ParseSite>();
  const bool has_choice = call.arguments.size() == 2;
  TextWriter writer(call);
  return for_each_result(call, [&](std::int32_t row) {
    const bool allow_duplicate_keys =
        has_choice && call.argument(1).data<std::uint8_t>()[call.argument(1).index_of(row)] != 0;
    const std::string_view json = call.argument(0).string_at(row);
    const bool is_json = site.document.parse(json);
    site.text.clear();
    if (is_json && append_variant(site.document, allow_duplicate_keys, site.text)) {
      return writer.write(row, site.text);
    }
    if (kTry) {
      call.set_null(row);
      return true;
    }
    return call.fail(row, is_json ? "PARSE_JSON: an object has a key twice (VARIANT_DUPLICATE_KEY)"
                                  : "PARSE_JSON: " + site.document.problem());
  });
}

template <bool kTry>
Result<BoundKernel> bind_parse(const CallBinding&) {
  return BoundKernel{.kernel = parse_kernel<kTry>,
                     .site = std::make_unique<ParseSite>(),
                     .can_fail = !kTry,
                     .is_costly = true};
}

bool key_kernel(KernelCall& call) {
  const Vector& source = call.argument(0);
  TextSharer sharer(call, source);
  std::string key;
  return for_each_result(call, [&](std::int32_t row) {
    key.clear();
    append_json_string(call.argument(1).string_at(row), key);
    std::string_view part;
    switch (variant_field(source.string_at(row), key, part)) {
      case VariantPart::kFound:
        sharer.share(row, part);
        return true;
      case VariantPart::kMissing:
        call.set_null(row);
        return true;
      case VariantPart::kWrongShape:
        break;
    }
    return call.fail(row, "a key is looked up in a VARIANT that is no object");
  });
}

bool index_kernel(KernelCall& call) {
  const Vector& source = call.argument(0);
  const Reader<std::int32_t> indices(call.argument(1));
  TextSharer sharer(call, source);
  return for_each_result(call, [&](std::int32_t row) {
    std::string_view part;
    switch (variant_element(source.string_at(row), indices[row], part)) {
      case VariantPart::kFound:
        sharer.share(row, part);
        return true;
      case VariantPart::kMissing:
        call.set_null(row);
        return true;
      case VariantPart::kWrongShape:
        break;
    }
    return call.fail(row, "an index is looked up in a VARIANT that is no array");
  });
}

constexpr ScalarFunction parse_entry(std::string_view name, std::string_view result,
                                     Result<BoundKernel> (*bind)(const CallBinding&),
                                     std::string_view signature, std::string_view description,
                                     std::string_view example, std::string_view example_result) {
  return {.name = name,
          .arguments_min = 1,
          .arguments_max = 2,
          .parameters = "STRING [BOOLEAN]",
          .result = result,
          .bind = bind,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result};
}

constexpr ScalarFunction kFunctions[] = {
    parse_entry(
        "PARSE_JSON", "VARIANT", bind_parse<false>, "PARSE_JSON(text [, allow_duplicate_keys])",
        "A JSON text as a VARIANT. Of a key that occurs twice the last value counts when "
        "that is allowed; otherwise it is an error.",
        "PARSE_JSON('{\"b\": 1.50, \"a\": [true, null]}')", "{\"a\":[true,null],\"b\":1.5}"),
    parse_entry("TRY_PARSE_JSON", "VARIANT?", bind_parse<true>,
                "TRY_PARSE_JSON(text [, allow_duplicate_keys])",
                "As PARSE_JSON, but NULL of what is not JSON.", "TRY_PARSE_JSON('{')", "\\N"),
};

}  // namespace

Result<DataType> derive_variant_item(CallTyping& call) {
  if (call.type(1).is_integer()) {
    CLP_RETURN_IF_ERROR(call.coerce(1, DataType::integer()));
  } else if (!call.type(1).is_character()) {
    return wrong_types(call);
  }
  return DataType::variant();
}

Result<BoundKernel> bind_variant_item(const CallBinding& call) {
  const bool by_key = call.type(1).is_character();
  if (!by_key && call.type(1).kind() != TypeKind::kInteger) return no_kernel(call);
  return BoundKernel{
      .kernel = by_key ? key_kernel : index_kernel, .can_fail = true, .is_costly = true};
}

std::span<const ScalarFunction> variant_functions() {
  return kFunctions;
}

}  // namespace clepsydra
