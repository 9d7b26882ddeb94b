#include "api/job_client.h"

namespace clepsydra {

// Defined once, so that not every user carries the tables of these interfaces.
ResultReader::~ResultReader() = default;
JobClient::~JobClient() = default;

}  // namespace clepsydra
