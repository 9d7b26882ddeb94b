#include "checkpoint/field_renames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/configuration.h"
#include "graph/job_graph.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<std::vector<OperatorRename>> read(const std::string& value) {
  Configuration configuration;
  configuration.set("clepsydra.state-recovery.renamed-fields", value);
  return read_field_renames(configuration);
}

TEST(FieldRenamesTest, names_stand_between_slashes) {
  EXPECT_THAT(read_field_renames(Configuration()).value(), IsEmpty());
  EXPECT_THAT(read(" ; ").value(), IsEmpty());
  EXPECT_THAT(read("op/state/old=new").value(),
              ElementsAre(OperatorRename{"op", {"state", "old", "new"}}));
  EXPECT_THAT(read("  window-1/s/a b=c ;\n Sink\\/x/s\\;/a\\=b=\\\\;").value(),
              ElementsAre(OperatorRename{"window-1", {"s", "a b", "c"}},
                          OperatorRename{"Sink/x", {"s;", "a=b", "\\"}}));
}

TEST(FieldRenamesTest, what_is_no_name_is_refused_and_shown) {
  for (const char* wrong : {"x", "a/b", "a/b/c", "a/b/c=", "a//c=d", "/b/c=d", "a/b/=d", "a/b=c",
                            "a/b/c=d=e", "a/b/c/d=e", "a=b/c/d", "a/b/c=d\\"}) {
    const Status status = read(std::string("o/s/x=y; ") + wrong).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(status.message(), HasSubstr("clepsydra.state-recovery.renamed-fields"));
    EXPECT_THAT(status.message(), HasSubstr(std::string("'") + wrong + "'"));
  }
}

TEST(FieldRenamesTest, an_operator_is_meant_by_its_uid_or_its_name) {
  const std::vector<OperatorRename> renames = {
      {"uid", {"s", "a", "b"}}, {"Name", {"s", "c", "d"}}, {"other", {"s", "e", "f"}}};
  EXPECT_THAT(renames_of(renames, "uid", "Name"),
              ElementsAre(FieldRename{"s", "a", "b"}, FieldRename{"s", "c", "d"}));
}

TEST(FieldRenamesTest, what_nobody_has_is_mistyped) {
  JobGraph graph;
  graph.vertices.resize(2);
  graph.vertices[1].operators.resize(2);
  graph.vertices[1].operators[1].spec.uid = "uid";
  graph.vertices[1].operators[1].spec.name = "Name";
  EXPECT_TRUE(check_renamed_operators({{"uid", {}}, {"Name", {}}}, graph).is_ok());
  const Status op = check_renamed_operators({{"uid", {}}, {"Nane", {}}}, graph);
  EXPECT_EQ(op.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(op.message(), HasSubstr("'clepsydra.state-recovery.renamed-fields'"));
  EXPECT_THAT(op.message(), HasSubstr("operator 'Nane'"));

  EXPECT_TRUE(check_renamed_states({{"s", "a", "b"}, {"t", "a", "b"}}, {"t", "s"}).is_ok());
  const Status state = check_renamed_states({{"s", "a", "b"}, {"u", "a", "b"}}, {"t", "s"});
  EXPECT_EQ(state.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(state.message(), HasSubstr("state 'u' and those that are stored are 't', 's'"));
}

}  // namespace
}  // namespace clepsydra
