#include "scion/audio/mpeg_decoder.h"

#include <fmt/format.h>
#include <mpg123.h>

#include <memory>

#include "scion/audio/containers/broken_audio.h"
#include "scion/core/error.h"

namespace scion {
namespace {

struct DeleteDecoder {
  void operator()(mpg123_handle* handle) const { mpg123_delete(handle); }
};
using Decoder = std::unique_ptr<mpg123_handle, DeleteDecoder>;

/// `free_bytes`: the size of frames in free format, 0 when the headers say their size.
Decoder open_decoder(size_t free_bytes) {
  mpg123_init();
  int error = MPG123_OK;
  Decoder decoder(mpg123_new(nullptr, &error));
  if (!decoder) throw Failure(fmt::format("libmpg123: {}", mpg123_plain_strerror(error)));
  mpg123_handle* const handle = decoder.get();
  // Whole frames are handed over one by one, and what is silence is decided elsewhere.
  mpg123_param(handle, MPG123_REMOVE_FLAGS, MPG123_GAPLESS | MPG123_AUTO_RESAMPLE, 0);
  mpg123_param(handle, MPG123_ADD_FLAGS,
               MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_NO_READAHEAD | MPG123_IGNORE_INFOFRAME,
               0);
  if (free_bytes > 0)
    mpg123_param(handle, MPG123_FREEFORMAT_SIZE, static_cast<long>(free_bytes) - 4, 0);
  error = mpg123_open_feed(handle);
  if (error != MPG123_OK) throw Failure(fmt::format("libmpg123: {}", mpg123_strerror(handle)));
  return decoder;
}

/// The samples of one frame, until the next call.
std::span<const float> decode_frame(mpg123_handle* decoder, std::span<const std::byte> bytes) {
  if (mpg123_feed(decoder, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) !=
      MPG123_OK)
    return {};
  unsigned char* audio = nullptr;
  size_t count = 0;
  int result = MPG123_NEW_FORMAT;
  while (result == MPG123_NEW_FORMAT)
    result = mpg123_decode_frame(decoder, nullptr, &audio, &count);
  if (result != MPG123_OK) return {};
  return {reinterpret_cast<const float*>(audio), count / sizeof(float)};
}

}  // namespace

void decode_mpeg(std::span<const std::byte> file, std::span<const MpegFrame> frames, size_t begin,
                 size_t end, const std::filesystem::path& path,
                 const std::function<void(std::span<const float>)>& take) {
  const auto header = parse_mpeg_header(file.subspan(frames[0].begin));
  const bool free_format = header && header->bytes == 0;
  const Decoder decoder =
      open_decoder(free_format ? frames[0].bytes - size_t(frames[0].header.padding) : 0);
  for (size_t i = 0; i < end; ++i) {
    const MpegFrame& frame = frames[i];
    const std::span<const float> samples =
        decode_frame(decoder.get(), file.subspan(frame.begin, frame.bytes));
    if (samples.size() != size_t(frame.header.samples) * size_t(frame.header.channels))
      fail_damaged(path,
                   fmt::format("the MPEG frame at byte {} gives {} samples of {}", frame.begin,
                               samples.size(), frame.header.samples * frame.header.channels));
    if (i >= begin) take(samples);
  }
}

}  // namespace scion
