#include "checkpoint/state_assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "graph/job_graph.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Parallelism {
  int source = 1;
  int window = 1;
};

ChainedOperator chained(const std::string& kind, const std::string& uid, int producer) {
  ChainedOperator op;
  op.spec.kind = kind;
  op.spec.uid = uid;
  op.spec.name = "the " + uid;
  op.producer = producer;
  return op;
}

JobVertex vertex(const std::string& name, std::vector<ChainedOperator> operators, int parallelism) {
  JobVertex v;
  v.name = name;
  v.operators = std::move(operators);
  v.parallelism = parallelism;
  return v;
}

// source -> calc, hash, window -> sink.
JobGraph graph(Parallelism parallelism) {
  JobGraph g;
  g.name = "job";
  g.vertices = {
      vertex("Source -> Calc", {chained("source", "source", -1), chained("calc", "calc", 0)},
             parallelism.source),
      vertex("Window -> Sink",
             {chained("window_aggregate", "window", -1), chained("sink_writer", "sink", 0)},
             parallelism.window)};
  g.edges = {{0, 1, 1, 0, Partitioning::kHash, {0}}};
  return g;
}

StateFile file(const std::string& path) {
  return {path, "", 10, 1};
}

OperatorSnapshot state(int op, std::vector<StateFile> files) {
  OperatorSnapshot snapshot;
  snapshot.op = op;
  snapshot.files = std::move(files);
  return snapshot;
}

OperatorSnapshot splits(std::vector<SourceSplit> held) {
  OperatorSnapshot snapshot;
  snapshot.splits = std::move(held);
  return snapshot;
}

OperatorSnapshot prepared(int op, std::vector<std::string> committables) {
  OperatorSnapshot snapshot;
  snapshot.op = op;
  snapshot.committables = std::move(committables);
  return snapshot;
}

// What `graph()` would have stored: every subtask s of the window a base "w<s>" and a delta "d<s>".
CheckpointMetadata metadata(Parallelism parallelism) {
  const JobGraph g = graph(parallelism);
  CheckpointMetadata m;
  m.id = 7;
  m.job_name = "former job";
  for (const JobVertex& v : g.vertices) {
    CheckpointMetadata::Vertex& out = m.vertices.emplace_back();
    out.name = v.name;
    out.max_parallelism = v.max_parallelism;
    for (const ChainedOperator& op : v.operators) {
      out.operators.push_back({op.spec.uid, op.spec.name, op.spec.kind, ""});
    }
    out.subtasks.resize(static_cast<std::size_t>(v.parallelism));
  }
  m.vertices[0].operators[0].enumerator = "left";
  for (std::size_t s = 0; s < m.vertices[0].subtasks.size(); ++s) {
    m.vertices[0].subtasks[s].operators = {splits({{"split-" + std::to_string(s), "at 5", "wm"}})};
  }
  for (std::size_t s = 0; s < m.vertices[1].subtasks.size(); ++s) {
    const std::string n = std::to_string(s);
    m.vertices[1].subtasks[s].operators = {state(0, {file("w" + n), file("d" + n)}),
                                           prepared(1, {"part-" + n})};
  }
  return m;
}

StateAssignment assign(const CheckpointMetadata& m, const JobGraph& g, bool allow = false) {
  Result<StateAssignment> assignment = assign_state(m, "/folder", g, allow);
  EXPECT_TRUE(assignment.is_ok()) << assignment.status().to_string();
  return assignment.is_ok() ? *std::move(assignment) : StateAssignment();
}

std::string error_of(const CheckpointMetadata& m, const JobGraph& g) {
  const Result<StateAssignment> assignment = assign_state(m, "/folder", g, false);
  if (assignment.is_ok()) return "ok";
  EXPECT_EQ(assignment.status().code(), StatusCode::kFailedPrecondition);
  return std::string(assignment.status().message());
}

// "1.0: op 0 [w0 d0]" of a task.
std::string text_of(const TaskRestore& task) {
  std::string text = std::to_string(task.vertex) + "." + std::to_string(task.subtask) + ":";
  if (task.has_finished) text += " finished";
  for (const TaskRestore::Operator& op : task.operators) {
    text += " op " + std::to_string(op.op);
    for (const auto& part : op.parts) {
      text += " [";
      for (const StateFile& snapshot : part.snapshots) {
        text += (text.back() == '[' ? "" : " ") + snapshot.path;
      }
      text += "]";
    }
  }
  return text;
}

std::vector<std::string> texts_of(const StateAssignment& assignment) {
  std::vector<std::string> texts;
  for (const TaskRestore& task : assignment.tasks) {
    EXPECT_EQ(task.folder, "/folder");
    texts.push_back(text_of(task));
  }
  return texts;
}

TEST(StateAssignmentTest, the_same_job_gets_everything_back_in_its_place) {
  const StateAssignment assignment = assign(metadata({2, 2}), graph({2, 2}));
  EXPECT_THAT(texts_of(assignment), ElementsAre("1.0: op 0 [w0 d0]", "1.1: op 0 [w1 d1]"));
  ASSERT_THAT(assignment.sources, SizeIs(1));
  EXPECT_EQ(assignment.sources[0],
            (SourceRestore{0, 0, "left", {{"split-0", "at 5", "wm"}, {"split-1", "at 5", "wm"}}}));
  EXPECT_THAT(assignment.commit, ElementsAre(SinkCommittables{1, 1, {"part-0", "part-1"}}));
  EXPECT_THAT(assignment.dropped, IsEmpty());
}

TEST(StateAssignmentTest, more_or_fewer_subtasks_get_all_parts_and_sources_all_splits) {
  const StateAssignment more = assign(metadata({2, 2}), graph({3, 3}));
  EXPECT_THAT(texts_of(more), ElementsAre("1.0: op 0 [w0 d0] [w1 d1]", "1.1: op 0 [w0 d0] [w1 d1]",
                                          "1.2: op 0 [w0 d0] [w1 d1]"));
  EXPECT_THAT(more.sources[0].splits, SizeIs(2));
  const StateAssignment fewer = assign(metadata({3, 3}), graph({2, 2}));
  EXPECT_THAT(texts_of(fewer), ElementsAre("1.0: op 0 [w0 d0] [w1 d1] [w2 d2]",
                                           "1.1: op 0 [w0 d0] [w1 d1] [w2 d2]"));
  EXPECT_THAT(fewer.sources[0].splits, SizeIs(3));
  EXPECT_THAT(fewer.commit[0].committables, SizeIs(3));
}

// Which subtask gets which split is decided anew, so what one knew of its splits is for all.
TEST(StateAssignmentTest, whoever_reads_splits_gets_all_parts_also_at_the_same_parallelism) {
  CheckpointMetadata m = metadata({.source = 2, .window = 2});
  JobGraph g = graph({.source = 2, .window = 2});
  for (int s = 0; s < 2; ++s) {
    m.vertices[0].subtasks[static_cast<std::size_t>(s)].operators.push_back(
        state(1, {file("c" + std::to_string(s))}));
  }
  std::vector<TaskRestore> tasks = assign(m, g).tasks;
  ASSERT_THAT(tasks, SizeIs(4));
  for (int s = 0; s < 2; ++s) {
    const TaskRestore& of_calc = tasks[static_cast<std::size_t>(s)];
    ASSERT_EQ(of_calc.vertex, 0);
    ASSERT_THAT(of_calc.operators, SizeIs(1));
    EXPECT_THAT(of_calc.operators[0].parts, SizeIs(2));
    // Behind the exchange each has its keys.
    const TaskRestore& of_window = tasks[2 + static_cast<std::size_t>(s)];
    ASSERT_EQ(of_window.vertex, 1);
    EXPECT_THAT(of_window.operators[0].parts, SizeIs(1));
  }
  // Without an exchange, or with one by turns, the window is no better off than the source.
  for (const Partitioning partitioning : {Partitioning::kForward, Partitioning::kRebalance}) {
    g.edges[0].partitioning = partitioning;
    tasks = assign(m, g).tasks;
    ASSERT_THAT(tasks, SizeIs(4));
    EXPECT_THAT(tasks[2].operators[0].parts, SizeIs(2));
  }
}

TEST(StateAssignmentTest, operators_are_found_by_uid_in_whatever_task_they_are) {
  // The sink is a task of its own now, and the window is the second operator of its task.
  JobGraph g = graph({1, 1});
  g.vertices[1].operators = {chained("calc", "new calc", -1),
                             chained("window_aggregate", "window", 0)};
  g.vertices.push_back(vertex("Sink", {chained("sink_writer", "sink", -1)}, 1));
  g.edges.push_back({1, 1, 2, 0, Partitioning::kRebalance, {}});
  const StateAssignment assignment = assign(metadata({1, 1}), g);
  EXPECT_THAT(texts_of(assignment), ElementsAre("1.0: op 1 [w0 d0]"));
  EXPECT_THAT(assignment.commit, ElementsAre(SinkCommittables{2, 0, {"part-0"}}));
}

TEST(StateAssignmentTest, state_of_an_operator_that_is_gone_is_an_error_unless_it_may_be_dropped) {
  JobGraph g = graph({1, 1});
  g.vertices[1].operators[0].spec.uid = "another window";
  const std::string error = error_of(metadata({1, 1}), g);
  EXPECT_THAT(error, HasSubstr("the window"));
  EXPECT_THAT(error, HasSubstr("state of 1 subtasks"));
  EXPECT_THAT(error, HasSubstr("execution.state-recovery.ignore-unclaimed-state"));
  const StateAssignment assignment = assign(metadata({1, 1}), g, /*allow=*/true);
  EXPECT_THAT(assignment.tasks, IsEmpty());
  EXPECT_THAT(assignment.dropped, ElementsAre(HasSubstr("the window")));
}

TEST(StateAssignmentTest, a_checkpoint_of_another_job_is_named) {
  JobGraph g = graph({1, 1});
  for (JobVertex& v : g.vertices) {
    for (ChainedOperator& op : v.operators) op.spec.uid += " of another job";
  }
  EXPECT_THAT(error_of(metadata({1, 1}), g), HasSubstr("this is a checkpoint of job 'former job'"));
}

TEST(StateAssignmentTest, an_operator_without_anything_may_go) {
  JobGraph g = graph({1, 1});
  g.vertices[0].operators[1].spec.uid = "another calc";
  EXPECT_EQ(error_of(metadata({1, 1}), g), "ok");
}

TEST(StateAssignmentTest, another_maximal_parallelism_is_an_error_where_there_is_state) {
  JobGraph g = graph({1, 1});
  g.vertices[1].max_parallelism = 256;
  const std::string error = error_of(metadata({1, 1}), g);
  EXPECT_THAT(error, HasSubstr("maximal parallelism is 256, it was 128"));
  // Splits and committables do not care.
  JobGraph other = graph({1, 1});
  other.vertices[0].max_parallelism = 256;
  EXPECT_EQ(error_of(metadata({1, 1}), other), "ok");
}

TEST(StateAssignmentTest, a_parallelism_above_the_maximum_is_an_error) {
  EXPECT_THAT(error_of(metadata({1, 1}), graph({1, 129})),
              HasSubstr("parallelism 129 is above its maximal parallelism 128"));
}

TEST(StateAssignmentTest, two_operators_with_one_uid_are_an_error) {
  JobGraph g = graph({1, 1});
  g.vertices[1].operators[1].spec.uid = "window";
  EXPECT_THAT(error_of(metadata({1, 1}), g), HasSubstr("uid 'window'"));
  CheckpointMetadata m = metadata({1, 1});
  m.vertices[1].operators[1].uid = "window";
  EXPECT_THAT(error_of(m, graph({1, 1})), HasSubstr("uid 'window'"));
}

TEST(StateAssignmentTest, tasks_that_had_finished_are_restored_as_finished) {
  CheckpointMetadata m = metadata({2, 1});
  for (auto& subtask : m.vertices[0].subtasks) subtask = {true, {}};
  const StateAssignment all = assign(m, graph({2, 1}));
  EXPECT_THAT(texts_of(all), ElementsAre("0.0: finished", "0.1: finished", "1.0: op 0 [w0 d0]"));
  // Also where there are more of them now.
  EXPECT_THAT(texts_of(assign(m, graph({3, 1}))),
              ElementsAre("0.0: finished", "0.1: finished", "0.2: finished", "1.0: op 0 [w0 d0]"));
  // Its enumerator must not begin anew.
  EXPECT_EQ(all.sources[0], (SourceRestore{0, 0, "left", {}}));
}

TEST(StateAssignmentTest, one_of_two_finished_is_finished_only_at_the_same_parallelism) {
  CheckpointMetadata m = metadata({2, 1});
  m.vertices[0].subtasks[0] = {true, {}};
  EXPECT_THAT(texts_of(assign(m, graph({2, 1}))),
              ElementsAre("0.0: finished", "1.0: op 0 [w0 d0]"));
  EXPECT_THAT(texts_of(assign(m, graph({3, 1}))), ElementsAre("1.0: op 0 [w0 d0]"));
}

TEST(StateAssignmentTest, a_finished_task_begins_again_where_rows_come_another_way) {
  // They were fed one by one, and now all are by one.
  CheckpointMetadata m = metadata({2, 2});
  m.vertices[0].subtasks[0] = {true, {}};
  m.vertices[1].subtasks[0] = {true, {}};
  JobGraph g = graph({2, 2});
  g.edges[0].partitioning = Partitioning::kForward;
  EXPECT_THAT(texts_of(assign(m, g)),
              ElementsAre("0.0: finished", "1.0: finished", "1.1: op 0 [w1 d1]"));
  EXPECT_THAT(texts_of(assign(m, graph({1, 2}))), ElementsAre("1.1: op 0 [w1 d1]"));
}

TEST(StateAssignmentTest, committables_of_finished_tasks_are_committed) {
  CheckpointMetadata m = metadata({1, 1});
  m.vertices[0].subtasks[0] = {true, {}};
  m.vertices[1].subtasks[0] = {true, {prepared(1, {"the last part"})}};
  const StateAssignment assignment = assign(m, graph({1, 1}));
  EXPECT_THAT(assignment.commit, ElementsAre(SinkCommittables{1, 1, {"the last part"}}));
}

TEST(StateAssignmentTest, a_finished_task_that_is_fed_by_a_new_one_is_an_error) {
  CheckpointMetadata m = metadata({1, 1});
  m.vertices[0].subtasks[0] = {true, {}};
  m.vertices[1].subtasks[0] = {true, {}};
  JobGraph g = graph({1, 1});
  g.vertices.insert(g.vertices.begin(), vertex("Source: more", {chained("source", "more", -1)}, 1));
  g.edges = {{1, 1, 2, 0, Partitioning::kHash, {0}}, {0, 0, 2, 0, Partitioning::kHash, {0}}};
  const std::string error = error_of(m, g);
  EXPECT_THAT(error, HasSubstr("'Window -> Sink' had finished"));
  EXPECT_THAT(error, HasSubstr("'Source: more'"));
}

TEST(StateAssignmentTest, a_new_operator_starts_with_nothing) {
  JobGraph g = graph({1, 1});
  g.vertices[1].operators.push_back(chained("sink_writer", "second sink", 0));
  EXPECT_THAT(texts_of(assign(metadata({1, 1}), g)), ElementsAre("1.0: op 0 [w0 d0]"));
}

TEST(StateAssignmentTest, metadata_without_subtasks_restore_nothing) {
  CheckpointMetadata m = metadata({1, 1});
  for (auto& v : m.vertices) v.subtasks.clear();
  const StateAssignment assignment = assign(m, graph({2, 2}));
  EXPECT_THAT(assignment.tasks, IsEmpty());
}

// ---- What was in flight ----

CheckpointMetadata metadata_in_flight(Parallelism parallelism, std::int64_t rows) {
  CheckpointMetadata m = metadata(parallelism);
  m.edges = {{0, 1, "calc", "window", 0}};
  m.vertices[0].subtasks[0].in_flight = {{0, true, rows, file("out")}};
  m.vertices[1].subtasks.back().in_flight = {{0, false, 0, file("in")}};
  return m;
}

TEST(StateAssignmentTest, what_was_in_flight_goes_to_the_edge_between_the_same_operators) {
  JobGraph g = graph({.source = 3, .window = 1});
  // Another edge before it, and a task.
  g.vertices.insert(g.vertices.begin(), vertex("New", {chained("calc", "new", -1)}, 1));
  g.edges[0].from_vertex = 1;
  g.edges[0].to_vertex = 2;
  g.edges.insert(g.edges.begin(), {0, 0, 2, 1, Partitioning::kGlobal, {}});
  const StateAssignment got = assign(metadata_in_flight({.source = 2, .window = 2}, 5), g);
  ASSERT_THAT(got.in_flight, SizeIs(1));
  const InFlightRestore& restore = got.in_flight[0];
  EXPECT_EQ(restore.edge, 1);
  EXPECT_EQ(restore.producers, 2);
  EXPECT_EQ(restore.consumers, 2);
  EXPECT_EQ(restore.max_parallelism, 128);
  EXPECT_EQ(restore.folder, "/folder");
  EXPECT_EQ(restore.parts,
            (std::vector<InFlightRestore::Part>{{1, false, file("in")}, {0, true, file("out")}}));
}

TEST(StateAssignmentTest, rows_in_flight_on_an_edge_that_is_gone_are_not_lost_silently) {
  JobGraph g = graph({});
  g.edges[0].from_operator = 0;
  const CheckpointMetadata m = metadata_in_flight({}, 5);
  EXPECT_THAT(error_of(m, g), HasSubstr("5 rows in flight between 'Source -> Calc' and 'Window"));
  const StateAssignment got = assign(m, g, /*allow=*/true);
  EXPECT_THAT(got.in_flight, IsEmpty());
  EXPECT_THAT(got.dropped, SizeIs(1));
  // Where nothing was, nothing is lost.
  EXPECT_THAT(assign(metadata_in_flight({}, 0), g).in_flight, IsEmpty());
}

TEST(StateAssignmentTest, rows_in_flight_go_to_whatever_kind_of_edge_there_is_now) {
  JobGraph g = graph({.source = 3, .window = 3});
  for (const Partitioning now :
       {Partitioning::kForward, Partitioning::kRebalance, Partitioning::kBroadcast}) {
    g.edges[0].partitioning = now;
    EXPECT_THAT(assign(metadata_in_flight({.source = 2, .window = 2}, 5), g).in_flight, SizeIs(1));
  }
}

// source -> calc -> window -> sink in one task.
JobGraph chained_graph(int parallelism) {
  JobGraph g;
  g.vertices = {
      vertex("All",
             {chained("source", "source", -1), chained("calc", "calc", 0),
              chained("window_aggregate", "window", 1), chained("sink_writer", "sink", 2)},
             parallelism)};
  return g;
}

TEST(StateAssignmentTest, operators_with_rows_between_them_are_found_where_they_are_chained) {
  using Places = std::vector<std::pair<int, int>>;
  EXPECT_EQ(chained_over(metadata_in_flight({.source = 2, .window = 2}, 5), chained_graph(2)),
            (Places{{0, 2}}));
  // No rows, but how far event time was in tasks that were not one to one.
  EXPECT_EQ(chained_over(metadata_in_flight({.source = 3, .window = 2}, 0), chained_graph(2)),
            (Places{{0, 2}}));
  EXPECT_THAT(chained_over(metadata_in_flight({.source = 2, .window = 2}, 0), chained_graph(2)),
              IsEmpty());
  EXPECT_THAT(chained_over(metadata({.source = 3, .window = 2}), chained_graph(2)), IsEmpty());
  // Not chained to each other.
  EXPECT_THAT(chained_over(metadata_in_flight({.source = 3, .window = 2}, 5),
                           graph({.source = 3, .window = 2})),
              IsEmpty());
}

}  // namespace
}  // namespace clepsydra
