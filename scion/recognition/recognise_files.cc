#include "scion/recognition/recognise_files.h"

#include <optional>

#include "scion/core/error.h"
#include "scion/core/parallel_in_order.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

bool is_long(const fs::path& file, const AudioPart& part) {
  constexpr double long_seconds = 300;
  // 40 bytes a second are fewer than any format takes for speech: such files need not be opened.
  constexpr uintmax_t fewest_bytes = 40 * uintmax_t(long_seconds);
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

// Recogniser::recognise_file says in words that memory ran out.
bool is_failure(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const Failure&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

FileOutcome FileOutcome::of(const std::function<Recognition()>& recognise) {
  try {
    return {recognise(), nullptr};
  } catch (...) {
    return {{}, std::current_exception()};
  }
}

void recognise_files(const Recogniser& recogniser, const std::vector<fs::path>& files,
                     const AudioPart& part,
                     const std::function<void(size_t, const FileOutcome&)>& take) {
  const auto outcome_of = [&](size_t i) {
    return FileOutcome::of([&] { return recogniser.recognise_file(files[i], part); });
  };
  const auto workers = static_cast<size_t>(thread_count());
  if (workers == 1 || files.size() == 1 || !recogniser.model().device().is_cpu()) {
    for (size_t i = 0; i < files.size(); ++i) take(i, outcome_of(i));
    return;
  }
  // Nothing: the file waits for its turn, for all threads and for the memory.
  using Early = std::optional<FileOutcome>;
  work_in_order<Early>(
      files.size(),
      [&](size_t i) -> Early {
        if (is_long(files[i], part)) return std::nullopt;
        FileOutcome outcome = outcome_of(i);
        return is_failure(outcome.error) ? std::nullopt : Early(std::move(outcome));
      },
      [&](size_t i, const Early& early) { take(i, early ? *early : outcome_of(i)); }, workers);
}

}  // namespace scion
