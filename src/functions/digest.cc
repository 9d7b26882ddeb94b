// MD5 (RFC 1321), SHA-1 and SHA-2 (FIPS 180-4).
#include "functions/digest.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace clepsydra {
namespace {

std::uint32_t rotate(std::uint32_t x, int bits) {
  return std::rotl(x, bits);
}

template <typename Word>
Word load_big_endian(const std::uint8_t* from) {
  Word word = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) word = static_cast<Word>(word << 8 | from[i]);
  return word;
}

template <typename Word>
void store_big_endian(Word word, std::uint8_t* to) {
  for (std::size_t i = sizeof(Word); i-- > 0; word = static_cast<Word>(word >> 8)) {
    to[i] = static_cast<std::uint8_t>(word);
  }
}

// Calls block(data) for every block of the padded message: 0x80, zeros, the length in bits.
template <std::size_t kBlock, typename F>
void for_each_block(std::string_view data, bool little_endian, F&& block) {
  constexpr std::size_t kLengthBytes = kBlock / 8;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(data.data());
  std::size_t at = 0;
  for (; at + kBlock <= data.size(); at += kBlock) block(bytes + at);
  std::array<std::uint8_t, 2 * kBlock> last{};
  const std::size_t rest = data.size() - at;
  if (rest > 0) std::memcpy(last.data(), bytes + at, rest);
  last[rest] = 0x80;
  const std::size_t total = rest + 1 + kLengthBytes <= kBlock ? kBlock : 2 * kBlock;
  std::uint64_t bits = std::uint64_t{data.size()} * 8;
  for (std::size_t i = 0; i < 8; ++i, bits >>= 8) {
    const std::size_t place = little_endian ? total - 8 + i : total - 1 - i;
    last[place] = static_cast<std::uint8_t>(bits);
  }
  for (std::size_t i = 0; i < total; i += kBlock) block(last.data() + i);
}

// ---- MD5 ----

// floor(2^32 * |sin(i + 1)|)
const std::array<std::uint32_t, 64>& md5_constants() {
  static const std::array<std::uint32_t, 64> kConstants = [] {
    std::array<std::uint32_t, 64> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<std::uint32_t>(4294967296.0 *
                                             std::fabs(std::sin(static_cast<double>(i + 1))));
    }
    return values;
  }();
  return kConstants;
}

void md5(std::string_view data, std::uint8_t* out) {
  constexpr std::array<int, 16> kShifts = {7, 12, 17, 22, 5, 9,  14, 20,
                                           4, 11, 16, 23, 6, 10, 15, 21};
  const std::array<std::uint32_t, 64>& constants = md5_constants();
  std::array<std::uint32_t, 4> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for_each_block<64>(data, true, [&](const std::uint8_t* block) {
    std::array<std::uint32_t, 16> words{};
    std::memcpy(words.data(), block, 64);  // Little endian, as this machine.
    auto [a, b, c, d] = state;
    for (std::size_t i = 0; i < 64; ++i) {
      std::uint32_t mixed = 0;
      std::size_t word = i;
      switch (i / 16) {
        case 0:
          mixed = (b & c) | (~b & d);
          break;
        case 1:
          mixed = (d & b) | (~d & c);
          word = (5 * i + 1) % 16;
          break;
        case 2:
          mixed = b ^ c ^ d;
          word = (3 * i + 5) % 16;
          break;
        default:
          mixed = c ^ (b | ~d);
          word = 7 * i % 16;
          break;
      }
      mixed += a + constants[i] + words[word];
      a = d;
      d = c;
      c = b;
      b += rotate(mixed, kShifts[i / 16 * 4 + i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
  });
  std::memcpy(out, state.data(), 16);
}

// ---- SHA-1 ----

void sha1(std::string_view data, std::uint8_t* out) {
  std::array<std::uint32_t, 5> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for_each_block<64>(data, false, [&](const std::uint8_t* block) {
    std::array<std::uint32_t, 80> words{};
    for (std::size_t i = 0; i < 16; ++i) words[i] = load_big_endian<std::uint32_t>(block + 4 * i);
    for (std::size_t i = 16; i < 80; ++i) {
      words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    auto [a, b, c, d, e] = state;
    for (std::size_t i = 0; i < 80; ++i) {
      constexpr std::array<std::uint32_t, 4> kConstants = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
                                                           0xca62c1d6};
      const std::uint32_t choice = i < 20   ? (b & c) | (~b & d)
                                   : i < 40 ? b ^ c ^ d
                                   : i < 60 ? (b & c) | (b & d) | (c & d)
                                            : b ^ c ^ d;
      const std::uint32_t next = rotate(a, 5) + choice + e + kConstants[i / 20] + words[i];
      e = d;
      d = c;
      c = rotate(b, 30);
      b = a;
      a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
  });
  for (std::size_t i = 0; i < 5; ++i) store_big_endian(state[i], out + 4 * i);
}

// ---- SHA-2 ----

// The first 64 bits of the fractional parts of the cube roots of the first 80 primes; SHA-256 takes
// the upper halves of the first 64.
constexpr std::array<std::uint64_t, 80> kSha2Constants = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

struct Sha256Shape {
  using Word = std::uint32_t;
  static constexpr std::size_t kRounds = 64;
  static constexpr std::array<int, 6> kSums = {2, 13, 22, 6, 11, 25};
  static constexpr std::array<int, 6> kSchedule = {7, 18, 3, 17, 19, 10};
  static Word constant(std::size_t i) { return static_cast<Word>(kSha2Constants[i] >> 32); }
};
struct Sha512Shape {
  using Word = std::uint64_t;
  static constexpr std::size_t kRounds = 80;
  static constexpr std::array<int, 6> kSums = {28, 34, 39, 14, 18, 41};
  static constexpr std::array<int, 6> kSchedule = {1, 8, 7, 19, 61, 6};
  static Word constant(std::size_t i) { return kSha2Constants[i]; }
};

template <typename Shape>
void sha2(std::string_view data, std::array<typename Shape::Word, 8> state, std::size_t out_bytes,
          std::uint8_t* out) {
  using Word = typename Shape::Word;
  for_each_block<16 * sizeof(Word)>(data, false, [&](const std::uint8_t* block) {
    std::array<Word, Shape::kRounds> words{};
    for (std::size_t i = 0; i < 16; ++i) words[i] = load_big_endian<Word>(block + sizeof(Word) * i);
    for (std::size_t i = 16; i < Shape::kRounds; ++i) {
      constexpr auto kShift = Shape::kSchedule;
      const Word x = words[i - 15];
      const Word y = words[i - 2];
      words[i] = words[i - 16] + words[i - 7] +
                 (std::rotr(x, kShift[0]) ^ std::rotr(x, kShift[1]) ^ (x >> kShift[2])) +
                 (std::rotr(y, kShift[3]) ^ std::rotr(y, kShift[4]) ^ (y >> kShift[5]));
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t i = 0; i < Shape::kRounds; ++i) {
      constexpr auto kSum = Shape::kSums;
      const Word upper = std::rotr(e, kSum[3]) ^ std::rotr(e, kSum[4]) ^ std::rotr(e, kSum[5]);
      const Word first = h + upper + ((e & f) ^ (~e & g)) + Shape::constant(i) + words[i];
      const Word lower = std::rotr(a, kSum[0]) ^ std::rotr(a, kSum[1]) ^ std::rotr(a, kSum[2]);
      const Word second = lower + ((a & b) ^ (a & c) ^ (b & c));
      h = g;
      g = f;
      f = e;
      e = d + first;
      d = c;
      c = b;
      b = a;
      a = first + second;
    }
    const std::array<Word, 8> added = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state[i] += added[i];
  });
  std::array<std::uint8_t, 64> bytes{};
  for (std::size_t i = 0; i < 8; ++i) store_big_endian(state[i], bytes.data() + sizeof(Word) * i);
  std::memcpy(out, bytes.data(), out_bytes);
}

// The first bits of the fractional parts of the square roots of the first primes (224, 384: of the
// 9th to 16th).
constexpr std::array<std::uint32_t, 8> kSha224Start = {
    0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4,
};
constexpr std::array<std::uint32_t, 8> kSha256Start = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};
constexpr std::array<std::uint64_t, 8> kSha384Start = {
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};
constexpr std::array<std::uint64_t, 8> kSha512Start = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

}  // namespace

int digest_bytes(Digest digest) {
  switch (digest) {
    case Digest::kMd5:
      return 16;
    case Digest::kSha1:
      return 20;
    case Digest::kSha224:
      return 28;
    case Digest::kSha256:
      return 32;
    case Digest::kSha384:
      return 48;
    case Digest::kSha512:
      return 64;
  }
  return 0;
}

void compute_digest(Digest digest, std::string_view data, std::uint8_t* out) {
  const auto bytes = static_cast<std::size_t>(digest_bytes(digest));
  switch (digest) {
    case Digest::kMd5:
      return md5(data, out);
    case Digest::kSha1:
      return sha1(data, out);
    case Digest::kSha224:
      return sha2<Sha256Shape>(data, kSha224Start, bytes, out);
    case Digest::kSha256:
      return sha2<Sha256Shape>(data, kSha256Start, bytes, out);
    case Digest::kSha384:
      return sha2<Sha512Shape>(data, kSha384Start, bytes, out);
    case Digest::kSha512:
      return sha2<Sha512Shape>(data, kSha512Start, bytes, out);
  }
}

}  // namespace clepsydra
