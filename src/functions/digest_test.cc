#include "functions/digest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace clepsydra {
namespace {

struct Case {
  int bytes;  // Byte i is (7 * i + 3) mod 251.
  Digest digest;
  const char* start;  // The first twelve bytes.
};

// Computed by Python's hashlib, for lengths around the blocks' ends.
constexpr Case kCases[] = {
    {0, Digest::kMd5, "d41d8cd98f00b204e9800998"},
    {0, Digest::kSha1, "da39a3ee5e6b4b0d3255bfef"},
    {0, Digest::kSha224, "d14a028c2a3a2bc9476102bb"},
    {0, Digest::kSha256, "e3b0c44298fc1c149afbf4c8"},
    {0, Digest::kSha384, "38b060a751ac96384cd9327e"},
    {0, Digest::kSha512, "cf83e1357eefb8bdf1542850"},
    {1, Digest::kMd5, "8666683506aacd900bbd5a74"},
    {1, Digest::kSha1, "9842926af7ca0a8cca12604f"},
    {1, Digest::kSha224, "15ebd4b8fdfc6905ea002a3e"},
    {1, Digest::kSha256, "084fed08b978af4d7d196a74"},
    {1, Digest::kSha384, "8a6c69af6fb6247635f83795"},
    {1, Digest::kSha512, "e45bf5817ddf94aa2f7a4070"},
    {55, Digest::kMd5, "030157be00035d098644cfc7"},
    {55, Digest::kSha1, "8829dc293fb52f1477aa7323"},
    {55, Digest::kSha224, "55608cc8d19643d988227c18"},
    {55, Digest::kSha256, "1deace58c745f3ecadde68a5"},
    {55, Digest::kSha384, "5857bfb2523e03c703868c1d"},
    {55, Digest::kSha512, "eac5ae9c6b4ff21e87bd0e3a"},
    {56, Digest::kMd5, "8e758df1ec8681fc06daa642"},
    {56, Digest::kSha1, "3c440665799f6f245108a068"},
    {56, Digest::kSha224, "79d90db18d878645ce397011"},
    {56, Digest::kSha256, "06dbe23685750e4d3881ded9"},
    {56, Digest::kSha384, "ba012326f3e711530691e296"},
    {56, Digest::kSha512, "8b8c39aff78464f48125c952"},
    {63, Digest::kMd5, "4a805576b511a836fefee199"},
    {63, Digest::kSha1, "5e2cdca8ef9552e40ad22281"},
    {63, Digest::kSha224, "0b6975d77e29540cf227b428"},
    {63, Digest::kSha256, "47fb38b12335c9298d092805"},
    {63, Digest::kSha384, "914e733874699bca094e19b8"},
    {63, Digest::kSha512, "1955e5263d977825e571a314"},
    {64, Digest::kMd5, "7a0cbe2eab91195c56eae7f8"},
    {64, Digest::kSha1, "24d0ab86ac7542b26241687c"},
    {64, Digest::kSha224, "66071624305ed69699a64da4"},
    {64, Digest::kSha256, "dfa798724b1a8014994f363e"},
    {64, Digest::kSha384, "3fc24c04f5cc0d9931ff7b0f"},
    {64, Digest::kSha512, "1cf8de2670546a69ca5cd3e9"},
    {65, Digest::kMd5, "940b4e909b09d4828b0eebe6"},
    {65, Digest::kSha1, "f71ba60012ec8015b3d5ba56"},
    {65, Digest::kSha224, "97cbe8ea781b3fef06d36878"},
    {65, Digest::kSha256, "dd2eab5a5507d7717c63ce95"},
    {65, Digest::kSha384, "ea5da87c44f8b6f5a550efa3"},
    {65, Digest::kSha512, "a5f44d94d65acb5c91488425"},
    {111, Digest::kMd5, "3f17e9ea336d7f96b3f0db19"},
    {111, Digest::kSha1, "568d0ccb8540894bd61a8e58"},
    {111, Digest::kSha224, "63470d4382b4147a88ad2a95"},
    {111, Digest::kSha256, "2ea239204423b890039a115a"},
    {111, Digest::kSha384, "15d0faf0d34231c5a3daa353"},
    {111, Digest::kSha512, "0ef0e383d1e3b7f1e7477f27"},
    {112, Digest::kMd5, "96ae39552a91e0215646c5ed"},
    {112, Digest::kSha1, "0899dadadbcdd6e10fc9b022"},
    {112, Digest::kSha224, "cdac531ed05ea7a07cf6f4fa"},
    {112, Digest::kSha256, "ab7909f0b44839b4f374c4e5"},
    {112, Digest::kSha384, "3f2f40f7d21ee0ece037ccb1"},
    {112, Digest::kSha512, "3b30650ae40d6cf145136a38"},
    {119, Digest::kMd5, "c78b1987e67f5f382adb7de5"},
    {119, Digest::kSha1, "ea44537c014a6f0d332e845e"},
    {119, Digest::kSha224, "5bc533f7af6a898a8219febe"},
    {119, Digest::kSha256, "c6e0f435df5d7d265baacca3"},
    {119, Digest::kSha384, "55f1a337b57d89fb9a07d244"},
    {119, Digest::kSha512, "62c4c75e1b2d0edd08d72113"},
    {120, Digest::kMd5, "4bebaf2293f8b2e434f1a4f0"},
    {120, Digest::kSha1, "939b2cbff515552d0bc4cfa0"},
    {120, Digest::kSha224, "386f9a652e1fe4cf55a4b40b"},
    {120, Digest::kSha256, "17eb8960823a644bde306562"},
    {120, Digest::kSha384, "b4c0322db078db7cf079dd70"},
    {120, Digest::kSha512, "7ba1491ca9a9335da6e5000d"},
    {127, Digest::kMd5, "72a9cc53dbae65d0146d626d"},
    {127, Digest::kSha1, "f5b00f038e9a8ef4711336bb"},
    {127, Digest::kSha224, "84d8568700efa0421506b928"},
    {127, Digest::kSha256, "2409a159329f4e770a7d8128"},
    {127, Digest::kSha384, "7ccfb0aaa18666e62745e471"},
    {127, Digest::kSha512, "07d05c6a64f1c2ebc735334f"},
    {128, Digest::kMd5, "087b965e51e4b1200ebfd13e"},
    {128, Digest::kSha1, "0a1d410f25f3840e4498a2ad"},
    {128, Digest::kSha224, "35a65dc736672442e303c187"},
    {128, Digest::kSha256, "3a9c1e22e20578eebe442238"},
    {128, Digest::kSha384, "cc793001513820ab7cb27b05"},
    {128, Digest::kSha512, "9ac7d9bb8e42c2ce0230fe54"},
    {129, Digest::kMd5, "ed0fec46be329a097e88d7e3"},
    {129, Digest::kSha1, "d615ade267f1b3e48fc13602"},
    {129, Digest::kSha224, "9c670a61366d12dea9263f4a"},
    {129, Digest::kSha256, "956f5da998f608be52587f28"},
    {129, Digest::kSha384, "c9f0d67d9f66dbd7e14cd743"},
    {129, Digest::kSha512, "8e14a5884c493da00130dddf"},
    {1000, Digest::kMd5, "c90582fbbeb1275142915b85"},
    {1000, Digest::kSha1, "576418509284cbe426fa53fa"},
    {1000, Digest::kSha224, "36042fba56241d7289adf173"},
    {1000, Digest::kSha256, "a9425c416f534025a4e2422b"},
    {1000, Digest::kSha384, "a02b7ed5eb01c7daa257bb1d"},
    {1000, Digest::kSha512, "585b7a26bf81872d575ee2d0"},
};

TEST(DigestTest, agrees_with_hashlib) {
  for (const Case& test : kCases) {
    std::string data;
    for (int i = 0; i < test.bytes; ++i) data += static_cast<char>((7 * i + 3) % 251);
    std::array<std::uint8_t, kDigestBytesMax> out{};
    compute_digest(test.digest, data, out.data());
    std::string hex;
    for (std::size_t i = 0; i < 12; ++i) hex += fmt::format("{:02x}", out[i]);
    EXPECT_EQ(hex, test.start) << test.bytes << " bytes, digest " << static_cast<int>(test.digest);
  }
}

}  // namespace
}  // namespace clepsydra
