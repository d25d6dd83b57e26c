#include "scion/recognition/recognise_files.h"

#include "scion/core/parallel_in_order.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

FileOutcome outcome_of(const Recogniser& recogniser, const fs::path& file, const AudioPart& part) {
  try {
    return {recogniser.recognise_file(file, part), nullptr};
  } catch (...) {
    return {{}, std::current_exception()};
  }
}

bool is_long(const fs::path& file, const AudioPart& part) {
  constexpr double long_seconds = 300;
  // No format that is read has fewer bytes: small files need not be opened for it.
  constexpr uintmax_t fewest_bytes = 500 * uintmax_t(long_seconds);
  if (part.seconds > 0) return part.seconds > long_seconds;
  std::error_code error;
  if (const uintmax_t bytes = fs::file_size(file, error); error || bytes < fewest_bytes)
    return false;
  try {
    return audio_seconds(file) > long_seconds;
  } catch (const std::exception&) {
    return false;  // recognising it says what is wrong
  }
}

}  // namespace

void recognise_files(const Recogniser& recogniser, const std::vector<fs::path>& files,
                     const AudioPart& part,
                     const std::function<void(size_t, const FileOutcome&)>& take) {
  const auto workers = static_cast<size_t>(thread_count());
  const bool side_by_side = recogniser.model().device().is_cpu() && workers > 1;
  for (size_t begin = 0; begin < files.size();) {
    size_t end = begin;
    while (side_by_side && end < files.size() && !is_long(files[end], part)) ++end;
    if (end > begin + 1) {
      work_in_order<FileOutcome>(
          end - begin, [&](size_t i) { return outcome_of(recogniser, files[begin + i], part); },
          [&](size_t i, const FileOutcome& outcome) { take(begin + i, outcome); }, workers);
    } else {
      end = begin + 1;
      take(begin, outcome_of(recogniser, files[begin], part));
    }
    begin = end;
  }
}

}  // namespace scion
