// Digests, and texts that stand for bytes and numbers: hexadecimal, binary, base64, URLs, character
// sets.
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/base64.h"
#include "base/check.h"
#include "base/utf8.h"
#include "functions/digest.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"

namespace clepsydra {
namespace {

constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";

void append_hex(std::string_view bytes, std::string_view digits, std::string& out) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Write: bool(row, out); what it appends to `out` is the result.
template <typename Write>
bool write_texts(KernelCall& call, Write&& write) {
  TextWriter writer(call);
  std::string out;
  return for_each_result(call, [&](std::int32_t row) {
    out.clear();
    return write(row, out) && writer.write(row, out) && call.status().is_ok();
  });
}

// ---- Digests ----

void append_digest(Digest digest, std::string_view data, std::string& out) {
  std::array<std::uint8_t, kDigestBytesMax> bytes{};
  compute_digest(digest, data, bytes.data());
  append_hex(
      {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(digest_bytes(digest))},
      kLowerHex, out);
}

template <Digest kDigest>
bool digest_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    append_digest(kDigest, call.argument(0).string_at(row), out);
    return true;
  });
}

bool sha2_kernel(KernelCall& call) {
  const Reader<std::int32_t> lengths(call.argument(1));
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    Digest digest = Digest::kSha256;
    switch (lengths[row]) {
      case 224:
        digest = Digest::kSha224;
        break;
      case 256:
        break;
      case 384:
        digest = Digest::kSha384;
        break;
      case 512:
        digest = Digest::kSha512;
        break;
      default:
        return call.fail(row,
                         fmt::format("SHA2 has 224, 256, 384 or 512 bits, not {}", lengths[row]));
    }
    append_digest(digest, call.argument(0).string_at(row), out);
    return true;
  });
}

// ---- HEX, UNHEX, BIN ----

void append_digits(std::uint64_t value, int bits_per_digit, std::string& out) {
  std::array<char, 64> digits{};
  std::size_t at = digits.size();
  do {
    digits[--at] = kUpperHex[value & ((1U << bits_per_digit) - 1)];
    value >>= bits_per_digit;
  } while (value != 0);
  out.append(digits.data() + at, digits.size() - at);
}

template <int kBitsPerDigit>
bool number_digits_kernel(KernelCall& call) {
  const Reader<std::int64_t> values(call.argument(0));
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    append_digits(static_cast<std::uint64_t>(values[row]), kBitsPerDigit, out);
    return true;
  });
}

bool hex_text_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    append_hex(call.argument(0).string_at(row), kUpperHex, out);
    return true;
  });
}

// An odd number of digits has a 0 in front; NULL when a character is no digit.
bool unhex_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    std::string_view digits = call.argument(0).string_at(row);
    bool good = true;
    if (digits.size() % 2 == 1) {
      // As the reference: a lone digit is a byte of zeros.
      good = hex_value(digits[0]) >= 0;
      out += '\0';
      digits.remove_prefix(1);
    }
    for (std::size_t i = 0; good && i < digits.size(); i += 2) {
      const int high = hex_value(digits[i]);
      const int low = hex_value(digits[i + 1]);
      good = high >= 0 && low >= 0;
      out += static_cast<char>(high * 16 + low);
    }
    if (!good) call.set_null(row);
    return true;
  });
}

// ---- Base64, URLs ----

bool to_base64_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    append_base64(call.argument(0).string_at(row), out);
    return true;
  });
}

bool from_base64_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    const std::string_view text = call.argument(0).string_at(row);
    if (!decode_base64(text, out))
      return call.fail(row, fmt::format("\"{}\" is not base64", clip(text, 64)));
    out = replace_invalid_utf8(out);
    return true;
  });
}

bool is_url_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '*' || c == '_';
}

// As application/x-www-form-urlencoded: a blank is "+".
bool url_encode_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    for (const char c : call.argument(0).string_at(row)) {
      if (is_url_safe(c)) {
        out += c;
      } else if (c == ' ') {
        out += '+';
      } else {
        out += '%';
        append_hex({&c, 1}, kUpperHex, out);
      }
    }
    return true;
  });
}

bool url_decode_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    const std::string_view text = call.argument(0).string_at(row);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '+') {
        out += ' ';
      } else if (text[i] != '%') {
        out += text[i];
      } else {
        const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
          call.set_null(row);
          return true;
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
      }
    }
    out = replace_invalid_utf8(out);
    return true;
  });
}

// ---- ENCODE, DECODE ----

enum class Charset : std::uint8_t { kUnknown, kUtf8, kLatin1, kAscii, kUtf16Be, kUtf16Le, kUtf16 };

Charset charset_of(std::string_view name) {
  std::string upper;
  for (const char c : name) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (upper == "UTF-8" || upper == "UTF8") return Charset::kUtf8;
  if (upper == "ISO-8859-1" || upper == "LATIN1") return Charset::kLatin1;
  if (upper == "US-ASCII" || upper == "ASCII") return Charset::kAscii;
  if (upper == "UTF-16BE") return Charset::kUtf16Be;
  if (upper == "UTF-16LE") return Charset::kUtf16Le;
  if (upper == "UTF-16") return Charset::kUtf16;
  return Charset::kUnknown;
}

bool fail_charset(KernelCall& call, std::int32_t row, std::string_view name) {
  return call.fail(
      row, fmt::format("unknown character set '{}'; known: US-ASCII, ISO-8859-1, UTF-8, UTF-16, "
                       "UTF-16BE, UTF-16LE",
                       clip(name, 32)));
}

void append_unit(std::uint32_t unit, bool big_endian, std::string& out) {
  const auto high = static_cast<char>(unit >> 8);
  const auto low = static_cast<char>(unit & 0xFF);
  out += big_endian ? high : low;
  out += big_endian ? low : high;
}

void encode(std::string_view text, Charset charset, std::string& out) {
  if (charset == Charset::kUtf8) {
    out += text;
    return;
  }
  if (charset == Charset::kUtf16) append_unit(0xFEFF, true, out);
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = utf8_next(text, at);
    if (charset == Charset::kLatin1 || charset == Charset::kAscii) {
      const char32_t limit = charset == Charset::kLatin1 ? 0x100 : 0x80;
      out += point < limit ? static_cast<char>(point) : '?';
    } else if (point < 0x10000) {
      append_unit(static_cast<std::uint32_t>(point), charset != Charset::kUtf16Le, out);
    } else {
      const auto rest = static_cast<std::uint32_t>(point) - 0x10000;
      append_unit(0xD800 + (rest >> 10), charset != Charset::kUtf16Le, out);
      append_unit(0xDC00 + (rest & 0x3FF), charset != Charset::kUtf16Le, out);
    }
  }
}

// What is no character becomes U+FFFD.
void decode(std::string_view bytes, Charset charset, std::string& out) {
  constexpr char32_t kReplacement = 0xFFFD;
  if (charset == Charset::kUtf8) {
    out = replace_invalid_utf8(bytes);
    return;
  }
  if (charset == Charset::kLatin1 || charset == Charset::kAscii) {
    for (const char c : bytes) {
      const auto point = static_cast<unsigned char>(c);
      utf8_append(charset == Charset::kAscii && point >= 0x80 ? kReplacement : char32_t{point},
                  out);
    }
    return;
  }
  bool big_endian = charset != Charset::kUtf16Le;
  const auto unit_at = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  std::size_t at = 0;
  if (charset == Charset::kUtf16 && bytes.size() >= 2 &&
      (unit_at(0) == 0xFEFF || unit_at(0) == 0xFFFE)) {
    big_endian = unit_at(0) == 0xFEFF;
    at = 2;
  }
  for (; at + 1 < bytes.size(); at += 2) {
    const char32_t unit = unit_at(at);
    if (unit < 0xD800 || unit > 0xDFFF) {
      utf8_append(unit, out);
    } else if (unit < 0xDC00 && at + 3 < bytes.size() && unit_at(at + 2) >= 0xDC00 &&
               unit_at(at + 2) <= 0xDFFF) {
      utf8_append(0x10000 + ((unit - 0xD800) << 10) + (unit_at(at + 2) - 0xDC00), out);
      at += 2;
    } else {
      utf8_append(kReplacement, out);
    }
  }
  if (at < bytes.size()) utf8_append(kReplacement, out);
}

template <bool kEncode>
bool charset_kernel(KernelCall& call) {
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    const std::string_view name = call.argument(1).string_at(row);
    const Charset charset = charset_of(name);
    if (charset == Charset::kUnknown) return fail_charset(call, row, name);
    (kEncode ? encode : decode)(call.argument(0).string_at(row), charset, out);
    return true;
  });
}

// ---- INET_ATON, INET_NTOA ----

// "a.b.c.d"; fewer parts fill the last one's bytes, as the C library does.
bool parse_inet(std::string_view text, std::int64_t& address) {
  std::array<std::int64_t, 4> parts{};
  std::size_t count = 0;
  while (count < parts.size()) {
    const std::size_t end = text.find('.');
    const std::string_view part = text.substr(0, end);
    if (part.empty() || part.size() > 10) return false;
    for (const char c : part) {
      if (c < '0' || c > '9') return false;
      parts[count] = parts[count] * 10 + (c - '0');
    }
    ++count;
    if (end == std::string_view::npos) {
      address = 0;
      for (std::size_t i = 0; i + 1 < count; ++i) {
        if (parts[i] > 255) return false;
        address |= parts[i] << (24 - 8 * i);
      }
      if (parts[count - 1] >= std::int64_t{1} << (8 * (5 - count))) return false;
      address |= parts[count - 1];
      return true;
    }
    text.remove_prefix(end + 1);
  }
  return false;
}

bool inet_aton_kernel(KernelCall& call) {
  auto* out = call.results<std::int64_t>();
  return for_each_result(call, [&](std::int32_t row) {
    out[row] = 0;
    if (!parse_inet(call.argument(0).string_at(row), out[row])) call.set_null(row);
    return call.status().is_ok();
  });
}

bool inet_ntoa_kernel(KernelCall& call) {
  const Reader<std::int64_t> values(call.argument(0));
  return write_texts(call, [&](std::int32_t row, std::string& out) {
    const std::int64_t value = values[row];
    if (value < 0 || value > 0xFFFFFFFF) {
      call.set_null(row);
      return true;
    }
    out = fmt::format("{}.{}.{}.{}", value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255);
    return true;
  });
}

// ---- The table ----

template <Kernel kKernel>
Result<BoundKernel> bind(const CallBinding&) {
  return costly_kernel(kKernel);
}
template <Kernel kKernel>
Result<BoundKernel> bind_failing(const CallBinding&) {
  return BoundKernel{.kernel = kKernel, .can_fail = true, .is_costly = true};
}

Result<BoundKernel> bind_hex(const CallBinding& call) {
  return costly_kernel(call.type(0).is_integer() ? number_digits_kernel<4> : hex_text_kernel);
}

Result<DataType> derive_hex(CallTyping& call) {
  if (call.type(0).is_integer()) {
    CLP_RETURN_IF_ERROR(call.coerce(0, DataType::big_int()));
  } else if (!call.type(0).is_character()) {
    return wrong_types(call);
  }
  return call.strict(DataType::string());
}

constexpr ScalarFunction encoding_entry(std::string_view name, std::string_view parameters,
                                        int count, std::string_view result,
                                        Result<BoundKernel> (*bind_kernel)(const CallBinding&),
                                        std::string_view signature, std::string_view description,
                                        std::string_view example, std::string_view example_result) {
  return {.name = name,
          .arguments_min = count,
          .arguments_max = count,
          .parameters = parameters,
          .result = result,
          .bind = bind_kernel,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result};
}

constexpr ScalarFunction with_types(ScalarFunction entry, Result<DataType> (*derive)(CallTyping&)) {
  entry.derive = derive;
  return entry;
}

constexpr ScalarFunction kFunctions[] = {
    encoding_entry("MD5", "STRING", 1, "CHAR(32)", bind<digest_kernel<Digest::kMd5>>, "MD5(text)",
                   "The MD5 digest in hexadecimal.", "MD5('abc')",
                   "900150983cd24fb0d6963f7d28e17f72"),
    encoding_entry("SHA1", "STRING", 1, "CHAR(40)", bind<digest_kernel<Digest::kSha1>>,
                   "SHA1(text)", "The SHA-1 digest in hexadecimal.", "SHA1('abc')",
                   "a9993e364706816aba3e25717850c26c9cd0d89d"),
    encoding_entry("SHA224", "STRING", 1, "CHAR(56)", bind<digest_kernel<Digest::kSha224>>,
                   "SHA224(text)", "The SHA-224 digest in hexadecimal.", "SHA224('abc')",
                   "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    encoding_entry("SHA256", "STRING", 1, "CHAR(64)", bind<digest_kernel<Digest::kSha256>>,
                   "SHA256(text)", "The SHA-256 digest in hexadecimal.", "SHA256('abc')",
                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    encoding_entry(
        "SHA384", "STRING", 1, "CHAR(96)", bind<digest_kernel<Digest::kSha384>>, "SHA384(text)",
        "The SHA-384 digest in hexadecimal.", "SHA384('abc')",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358bae"
        "ca134c825a7"),
    encoding_entry(
        "SHA512", "STRING", 1, "CHAR(128)", bind<digest_kernel<Digest::kSha512>>, "SHA512(text)",
        "The SHA-512 digest in hexadecimal.", "SHA512('abc')",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3"
        "c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"),
    encoding_entry("SHA2", "STRING INT", 2, "VARCHAR(128)", bind_failing<sha2_kernel>,
                   "SHA2(text, bits)",
                   "The SHA-2 digest of 224, 256, 384 or 512 bits in hexadecimal.",
                   "SHA2('abc', 224)", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    with_types(
        encoding_entry("HEX", "", 1, "", bind_hex, "HEX(whole number), HEX(text)",
                       "The number, or the bytes of the text, in hexadecimal.", "HEX(255)", "FF"),
        derive_hex),
    encoding_entry("UNHEX", "STRING", 1, "BYTES?", bind<unhex_kernel>, "UNHEX(text)",
                   "The bytes that a hexadecimal text stands for.", "UNHEX('FFfe')", "x'fffe'"),
    encoding_entry("BIN", "BIGINT", 1, "STRING", bind<number_digits_kernel<1>>, "BIN(whole number)",
                   "The number in binary.", "BIN(4)", "100"),
    encoding_entry("TO_BASE64", "STRING", 1, "STRING", bind<to_base64_kernel>, "TO_BASE64(text)",
                   "The bytes of the text in base64.", "TO_BASE64('hello world')",
                   "aGVsbG8gd29ybGQ="),
    encoding_entry("FROM_BASE64", "STRING", 1, "STRING", bind_failing<from_base64_kernel>,
                   "FROM_BASE64(text)", "The text that base64 stands for.",
                   "FROM_BASE64('aGVsbG8gd29ybGQ=')", "hello world"),
    encoding_entry("URL_ENCODE", "STRING", 1, "STRING?", bind<url_encode_kernel>,
                   "URL_ENCODE(text)", "The text as part of a URL.", "URL_ENCODE('a b')", "a+b"),
    encoding_entry("URL_DECODE", "STRING", 1, "STRING?", bind<url_decode_kernel>,
                   "URL_DECODE(text)", "The text that a part of a URL stands for.",
                   "URL_DECODE('a%20b+c')", "a b c"),
    encoding_entry("ENCODE", "STRING STRING", 2, "BYTES", bind_failing<charset_kernel<true>>,
                   "ENCODE(text, character_set)", "The bytes of the text in a character set.",
                   "ENCODE('abc', 'UTF-8')", "x'616263'"),
    encoding_entry("DECODE", "BYTES STRING", 2, "STRING", bind_failing<charset_kernel<false>>,
                   "DECODE(bytes, character_set)",
                   "The text that bytes stand for in a character set.",
                   "DECODE(ENCODE('abc', 'UTF-16'), 'UTF-16')", "abc"),
    encoding_entry("INET_ATON", "STRING", 1, "BIGINT?", bind<inet_aton_kernel>, "INET_ATON(text)",
                   "The number of an IPv4 address.", "INET_ATON('127.0.0.1')", "2130706433"),
    encoding_entry("INET_NTOA", "BIGINT", 1, "STRING?", bind<inet_ntoa_kernel>, "INET_NTOA(number)",
                   "The IPv4 address of a number.", "INET_NTOA(4294967295)", "255.255.255.255"),
};

}  // namespace

std::span<const ScalarFunction> encoding_functions() {
  return kFunctions;
}

}  // namespace clepsydra
