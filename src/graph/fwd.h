// Names of graph/ for headers that only mention them.
#pragma once

namespace clepsydra {

struct ChainedOperator;
struct JobEdge;
struct JobGraph;
struct JobStatus;
struct JobVertex;
struct OperatorMetrics;
struct OperatorSpec;
struct StreamEdge;
struct StreamGraph;
struct StreamNode;

}  // namespace clepsydra
