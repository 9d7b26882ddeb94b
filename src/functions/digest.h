// Cryptographic digests as SQL offers them: for identifiers and comparisons, not for secrets.
#pragma once

#include <cstdint>
#include <string_view>

namespace clepsydra {

enum class Digest : std::uint8_t { kMd5, kSha1, kSha224, kSha256, kSha384, kSha512 };

inline constexpr int kDigestBytesMax = 64;
int digest_bytes(Digest digest);
// Writes digest_bytes(digest) bytes.
void compute_digest(Digest digest, std::string_view data, std::uint8_t* out);

}  // namespace clepsydra
