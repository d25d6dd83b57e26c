#include "scion/audio/containers/sizes.h"

#include <charconv>

#include "scion/audio/containers/broken_audio.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// How a format's chunks are laid out.
struct ChunkLayout {
  size_t first = 12;               ///< place of the first chunk
  size_t name_bytes = 4;           ///< before the size
  size_t size_bytes = 4;           ///< of the size itself
  bool is_big_endian = false;      ///< sizes
  bool counts_itself = false;      ///< the size includes name and size
  size_t alignment = 2;            ///< of the next chunk
  std::string_view data = "data";  /// name of the chunk with the samples
  size_t before_samples = 0;       ///< bytes of it that come before them
};

/// Where the samples are, and what the header says of their size.
struct SampleData {
  size_t begin = 0;
  size_t size_at = 0, size_bytes = 0;  ///< place of the stated size; 0 bytes: cannot be corrected
  bool is_big_endian = false;
  uint64_t stated = 0;          ///< as it is written
  uint64_t more_than_data = 0;  ///< bytes that it counts beside the samples
  uint64_t open_from = 0x7fff0000;
  std::optional<ChunkLayout> layout;
};

uint64_t number(Bytes bytes, size_t at, size_t count, bool is_big_endian) {
  return is_big_endian ? big_endian(bytes, at, count) : little_endian(bytes, at, count);
}

/// Begin of the chunk's content, and its size.
struct Chunk {
  std::string_view name;
  size_t size_at = 0, begin = 0;
  uint64_t stated = 0, size = 0;
  uint64_t next(const ChunkLayout& layout) const {
    const uint64_t end = begin + size;
    return (end + layout.alignment - 1) / layout.alignment * layout.alignment;
  }
};

std::optional<Chunk> chunk_at(Bytes bytes, uint64_t at, const ChunkLayout& layout) {
  const size_t header = layout.name_bytes + layout.size_bytes;
  if (at > bytes.size() || bytes.size() - at < header) return std::nullopt;
  Chunk chunk;
  chunk.name = text_at(bytes, size_t(at), 4);
  chunk.size_at = size_t(at) + layout.name_bytes;
  chunk.begin = size_t(at) + header;
  chunk.stated = number(bytes, chunk.size_at, layout.size_bytes, layout.is_big_endian);
  const uint64_t counted = layout.counts_itself ? header : 0;
  chunk.size = chunk.stated < counted ? 0 : chunk.stated - counted;
  return chunk;
}

bool is_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Whether nothing but chunks follows from `at` to the end of the file.
bool chunks_follow(Bytes bytes, uint64_t at, const ChunkLayout& layout) {
  while (at < bytes.size()) {
    const std::optional<Chunk> chunk = chunk_at(bytes, at, layout);
    if (!chunk || !is_name(chunk->name) || chunk->size > bytes.size() - chunk->begin) return false;
    at = chunk->next(layout);
  }
  return true;
}

std::optional<SampleData> find_chunk(Bytes bytes, const ChunkLayout& layout) {
  uint64_t at = layout.first;
  while (const std::optional<Chunk> chunk = chunk_at(bytes, at, layout)) {
    if (chunk->name == layout.data)
      return SampleData{.begin = chunk->begin + layout.before_samples,
                        .size_at = chunk->size_at,
                        .size_bytes = layout.size_bytes,
                        .is_big_endian = layout.is_big_endian,
                        .stated = chunk->stated,
                        .more_than_data = chunk->stated - chunk->size + layout.before_samples,
                        .layout = layout};
    if (chunk->size > bytes.size() - chunk->begin) break;
    at = chunk->next(layout);
  }
  return std::nullopt;
}

/// RF64 has the sizes in its first chunk.
std::optional<SampleData> find_rf64(Bytes bytes) {
  constexpr size_t size_at = 12 + 8 + 8;
  std::optional<SampleData> data = find_chunk(bytes, {});
  if (!data || text_at(bytes, 12, 4) != "ds64" || data->stated != 0xffffffff) return data;
  data->size_at = size_at;
  data->size_bytes = 8;
  data->stated = little_endian(bytes, size_at, 8);
  data->open_from = uint64_t(1) << 62;
  return data;
}

std::optional<SampleData> find_au(Bytes bytes) {
  if (bytes.size() < 24) return std::nullopt;
  const bool is_big_endian = text_at(bytes, 0, 4) == ".snd";
  const uint64_t begin = number(bytes, 4, 4, is_big_endian);
  if (begin < 24 || begin > bytes.size()) return std::nullopt;
  return SampleData{.begin = size_t(begin),
                    .size_at = 8,
                    .size_bytes = 4,
                    .is_big_endian = is_big_endian,
                    .stated = number(bytes, 8, 4, is_big_endian)};
}

/// The number after "NAME -i " in a SPHERE header.
uint64_t sphere_number(std::string_view header, const std::string& name) {
  const std::string field = "\n" + name + " -i ";
  const size_t at = header.find(field);
  uint64_t value = 0;
  if (at != std::string_view::npos)
    std::from_chars(header.data() + at + field.size(), header.data() + header.size(), value);
  return value;
}

std::optional<SampleData> find_sphere(Bytes bytes) {
  const std::string_view header = text_at(bytes, 0, 1024);
  const size_t coding = header.find("\nsample_coding -s");
  const std::string_view after = coding == std::string_view::npos ? "" : header.substr(coding, 60);
  if (header.empty() || after.find("embedded") != std::string_view::npos) return std::nullopt;
  const uint64_t channels = sphere_number(header, "channel_count");
  return SampleData{.begin = 1024,
                    .stated = sphere_number(header, "sample_count") *
                              sphere_number(header, "sample_n_bytes") * (channels ? channels : 1)};
}

std::optional<SampleData> find_samples(Bytes bytes) {
  const std::string_view magic = text_at(bytes, 0, 4), kind = text_at(bytes, 8, 4);
  if (magic == "RIFF" && kind == "WAVE") return find_chunk(bytes, {});
  if (magic == "RIFX" && kind == "WAVE") return find_chunk(bytes, {.is_big_endian = true});
  if (magic == "RF64" && kind == "WAVE") return find_rf64(bytes);
  if (magic == "FORM" && (kind == "AIFF" || kind == "AIFC")) {
    auto data = find_chunk(bytes, {.is_big_endian = true, .data = "SSND", .before_samples = 8});
    if (data) data->open_from = 0x7f000000;
    return data;
  }
  if (magic == "caff") {
    auto data = find_chunk(
        bytes,
        {.first = 8, .size_bytes = 8, .is_big_endian = true, .alignment = 1, .before_samples = 4});
    if (data) data->open_from = uint64_t(1) << 62;
    return data;
  }
  if (magic == "riff" && text_at(bytes, 24, 4) == "wave") {
    auto data = find_chunk(
        bytes,
        {.first = 40, .name_bytes = 16, .size_bytes = 8, .counts_itself = true, .alignment = 8});
    if (data) data->open_from = uint64_t(1) << 62;
    return data;
  }
  if (magic == ".snd" || magic == "dns.") return find_au(bytes);
  if (magic == "NIST") return find_sphere(bytes);
  return std::nullopt;
}

/// Whether the size of the whole file agrees with the file.
bool has_right_riff_size(Bytes bytes, const SampleData& data) {
  const std::string_view magic = text_at(bytes, 0, 4);
  return (magic == "RIFF" || magic == "RIFX" || magic == "FORM") &&
         number(bytes, 4, 4, data.is_big_endian) + 8 == bytes.size();
}

/// Bytes of samples that the file has.
uint64_t actual_bytes(Bytes bytes, const SampleData& data, const fs::path& path) {
  const uint64_t available = data.begin < bytes.size() ? bytes.size() - data.begin : 0;
  const uint64_t stated = data.stated < data.more_than_data ? 0 : data.stated - data.more_than_data;
  if (data.stated >= data.open_from) return available;
  if (stated == 0)
    return data.layout && chunks_follow(bytes, data.begin, *data.layout) ? 0 : available;
  if (stated > available) {
    const bool counts_file = data.stated == bytes.size() || data.stated + 8 == bytes.size();
    if (counts_file) return available;
    fail_cut_short(path, fmt::format("{} bytes of samples of {}", available, stated));
  }
  const uint64_t rest = available - stated;
  if (rest <= most_foreign_bytes || !data.layout) return stated;
  const size_t alignment = data.layout->alignment;
  const uint64_t next = (data.begin + stated + alignment - 1) / alignment * alignment;
  if (chunks_follow(bytes, next, *data.layout)) return stated;
  if (has_right_riff_size(bytes, data)) return available;
  fail_damaged(path,
               fmt::format("its header says {} bytes of samples, and {} bytes follow that are "
                           "no chunk",
                           stated, rest));
}

}  // namespace

std::vector<Correction> check_data_size(Bytes bytes, const fs::path& path) {
  const std::optional<SampleData> data = find_samples(bytes);
  if (!data) return {};
  const uint64_t size = actual_bytes(bytes, *data, path) + data->more_than_data;
  const bool fits = data->size_bytes == 8 || size < 0xffffffff;
  if (size == data->stated || data->size_bytes == 0 || !fits) return {};
  std::string written;
  for (size_t i = 0; i < data->size_bytes; ++i) {
    const size_t shift = 8 * (data->is_big_endian ? data->size_bytes - 1 - i : i);
    written.push_back(static_cast<char>(size >> shift & 0xff));
  }
  return {{data->size_at, written}};
}

std::optional<Bytes> find_mpeg_in_wav(Bytes bytes, const fs::path& path) {
  constexpr uint64_t mpeg = 0x50, mpeg_layer_3 = 0x55;  // WAVE_FORMAT_…
  const std::string_view magic = text_at(bytes, 0, 4);
  if (magic != "RIFF" && magic != "RF64") return std::nullopt;
  const std::optional<SampleData> format = find_chunk(bytes, {.data = "fmt "});
  const std::optional<SampleData> data = find_samples(bytes);
  if (!format || !data || bytes.size() - format->begin < 2) return std::nullopt;
  const uint64_t tag = little_endian(bytes, format->begin, 2);
  if (tag != mpeg && tag != mpeg_layer_3) return std::nullopt;
  return bytes.subspan(data->begin, size_t(actual_bytes(bytes, *data, path)));
}

}  // namespace scion
