// TensorBoard's event files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace scion {

struct ScalarPoint {
  std::string tag;  ///< e.g. "train/loss"; the part before the '/' groups the charts
  double value = 0;
};

/// CRC-32C (Castagnoli, as in RFC 3720) of the bytes, masked as in TFRecord files: rotated right by
/// 15 bits, plus 0xA282EAD8.
uint32_t masked_crc32c(std::string_view bytes);

/// Writes `events.out.tfevents.SECONDS.HOST.STEP` into a run's folder: TFRecords that hold
/// tensorflow.Event messages.
///
/// A run that continues after step `last_step` opens another file, as TensorBoard expects, and
/// first cuts the existing files back to that step, so that no point occurs twice. The new
/// file begins with a "session start", by which a TensorBoard that is watching drops the later
/// points that it has already read.
class EventFile {
 public:
  EventFile(const std::filesystem::path& directory, int64_t last_step);

  /// The points of one step with the time of day, in one event. Failure when it cannot be written.
  void add_scalars(int64_t step, const std::vector<ScalarPoint>& points);
  /// Markdown on TensorBoard's page of texts.
  void add_text(int64_t step, const std::string& tag, const std::string& text);

 private:
  void append(const std::string& event);
  std::filesystem::path path_;
  std::ofstream file_;
};

/// The event files in a folder, by name.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& directory);

/// The records of a file of TFRecords: whole ones with right checksums, up to the first that is
/// not.
std::vector<std::string_view> split_records(std::string_view bytes);

}  // namespace scion
