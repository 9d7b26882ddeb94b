// `clepsydra sql`: puts session, cluster and console together and runs the statements.
#pragma once

namespace clepsydra {

class Process;
struct SqlCommand;

// The exit code of the process.
int run_sql_command(const SqlCommand& command, Process& process);

}  // namespace clepsydra
