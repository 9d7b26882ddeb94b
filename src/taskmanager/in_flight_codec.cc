#include "taskmanager/in_flight_codec.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/bits.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

constexpr std::uint8_t kHasSpoken = 1;
constexpr std::uint8_t kIsIdle = 2;
constexpr std::uint8_t kHasEnded = 4;
constexpr std::uint8_t kAllFlags = 7;
// Peer, flags, watermark, elements.
constexpr std::size_t kChannelBytes = 4 + 1 + 8 + 4;

template <typename T>
void append_le(T value, std::string& out) {
  const std::size_t at = out.size();
  out.resize(at + sizeof(T));
  store_le(reinterpret_cast<std::uint8_t*>(out.data()) + at, value);
}

Status broken(std::string_view why) {
  return Status::data_loss(fmt::format("cannot read what was in flight: {}", why));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool has(std::size_t count) const { return bytes_.size() - at_ >= count; }
  [[nodiscard]] bool is_done() const { return at_ == bytes_.size(); }
  // has(sizeof(T)).
  template <typename T>
  T take() {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes_.data());
    const T value = load_le<T>(data + at_);
    at_ += sizeof(T);
    return value;
  }
  Result<StreamElement> take_element(const BatchCodec& codec, MemoryPool& pool) {
    if (!has(static_cast<std::size_t>(kFrameHeaderBytes))) return broken("a frame is cut off");
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes_.data()) + at_;
    CLP_ASSIGN_OR_RETURN(const std::int64_t size,
                         frame_bytes(std::span(data, static_cast<std::size_t>(kFrameHeaderBytes))));
    if (!has(static_cast<std::size_t>(size))) return broken("a frame is cut off");
    auto frame = std::make_shared<MutableBuffer>(pool.shared_from_this());
    CLP_RETURN_IF_ERROR(frame->resize(size));
    std::memcpy(frame->mutable_data(), data, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return codec.decode(std::move(frame), /*check_utf8=*/false, pool);
  }

 private:
  const std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace

InFlightEncoder::InFlightEncoder(SchemaPtr schema, std::vector<InFlightOf> channels,
                                 MemoryPool& pool)
    : codec_(std::move(schema)), channels_(std::move(channels)), pool_(pool) {
  for (const InFlightOf& channel : channels_) {
    for (const StreamElement& element : channel.content.elements) {
      if (const Batch* batch = as_batch(element)) rows_ += batch->rows();
    }
  }
}

Result<bool> InFlightEncoder::encode_some(std::int64_t bytes_max, std::string& out) {
  if (!has_header_) {
    has_header_ = true;
    append_le(static_cast<std::uint32_t>(channels_.size()), out);
    for (const InFlightOf& channel : channels_) {
      const InFlightChannel& content = channel.content;
      append_le(static_cast<std::uint32_t>(channel.peer), out);
      out.push_back(static_cast<char>((content.has_spoken ? kHasSpoken : 0) |
                                      (content.is_idle ? kIsIdle : 0) |
                                      (content.has_ended ? kHasEnded : 0)));
      append_le(static_cast<std::uint64_t>(content.watermark), out);
      append_le(static_cast<std::uint32_t>(content.elements.size()), out);
    }
  }
  const std::size_t begin = out.size();
  while (channel_ < channels_.size()) {
    std::vector<StreamElement>& elements = channels_[channel_].content.elements;
    if (element_ == elements.size()) {
      elements.clear();
      ++channel_;
      element_ = 0;
      continue;
    }
    if (static_cast<std::int64_t>(out.size() - begin) >= bytes_max) return false;
    CLP_ASSIGN_OR_RETURN(const BufferPtr frame, codec_.encode(elements[element_], pool_));
    elements[element_++] = StreamElement();  // What is encoded pins nothing.
    out.append(reinterpret_cast<const char*>(frame->data()),
               static_cast<std::size_t>(frame->size()));
  }
  return true;
}

Result<std::vector<InFlightOf>> decode_in_flight(const std::string& bytes, const SchemaPtr& schema,
                                                 MemoryPool& pool) {
  Reader reader(bytes);
  if (!reader.has(4)) return broken("its number of channels is cut off");
  const auto count = reader.take<std::uint32_t>();
  if (count > bytes.size() / kChannelBytes) return broken(fmt::format("{} channels", count));
  std::vector<InFlightOf> channels(count);
  std::vector<std::uint32_t> elements(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!reader.has(kChannelBytes)) return broken("a channel is cut off");
    channels[i].peer = static_cast<int>(reader.take<std::uint32_t>() & 0x7fffffffU);
    const auto flags = reader.take<std::uint8_t>();
    if ((flags & ~kAllFlags) != 0) return broken(fmt::format("flags {}", flags));
    InFlightChannel& content = channels[i].content;
    content.has_spoken = (flags & kHasSpoken) != 0;
    content.is_idle = (flags & kIsIdle) != 0;
    content.has_ended = (flags & kHasEnded) != 0;
    content.watermark = static_cast<std::int64_t>(reader.take<std::uint64_t>());
    elements[i] = reader.take<std::uint32_t>();
  }
  const BatchCodec codec(schema);
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::uint32_t e = 0; e < elements[i]; ++e) {
      CLP_ASSIGN_OR_RETURN(StreamElement element, reader.take_element(codec, pool));
      const auto* signal = std::get_if<Signal>(&element);
      if (signal != nullptr && !std::holds_alternative<WatermarkSignal>(*signal) &&
          !std::holds_alternative<IdleSignal>(*signal)) {
        return broken("a signal that is never in flight");
      }
      channels[i].content.elements.push_back(std::move(element));
    }
  }
  if (!reader.is_done()) return broken("bytes behind its end");
  return channels;
}

}  // namespace clepsydra
