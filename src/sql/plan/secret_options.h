// Passwords and the like in compiled plans: a plan names the table and the option, and the catalog
// of the session that runs it has the value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "sql/catalog/catalog.h"
#include "sql/logical/plan_rewrite.h"
#include "sql/session.h"

namespace clepsydra::sql {

// An option of a table whose value nobody is to see.
struct SecretOption {
  ObjectPath table;
  std::string option;
};

// A text in an operator's options, cut where secrets stand in it: connectors may have made a URL or
// a login of one.
struct TextPart {
  std::string text;                    // Of no secret.
  std::optional<SecretOption> secret;  // Instead of a text.
};
std::vector<TextPart> split_at_secrets(std::string_view text);
// The reverse.
std::string join_parts(const std::vector<TextPart>& parts);

// The plans with a mark in place of every secret option of their tables, before their operators are
// made: split_at_secrets() finds the marks. FailedPrecondition for a secret that the catalog cannot
// give again, as a hint has it.
Result<PlanRoots> hide_secrets(const PlanRoots& roots);
// The job with the values that the catalog has now in place of the marks.
Status reveal_secrets(const Catalog& catalog, InsertJob& job);

}  // namespace clepsydra::sql
