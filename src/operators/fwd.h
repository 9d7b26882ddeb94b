// Names of operators/ for headers that only mention them.
#pragma once

namespace clepsydra {

class Operator;
class OperatorChain;
class OperatorRegistry;
class Output;
class ResultSender;
struct OperatorContext;
struct OperatorCounters;

}  // namespace clepsydra
