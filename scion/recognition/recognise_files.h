// Many recordings at once.
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <vector>

#include "scion/recognition/recogniser.h"

namespace scion {

/// What became of a file: its recognition, or why there is none.
struct FileOutcome {
  Recognition recognition;
  std::exception_ptr error;

  /// Of what `recognise()` returns or throws.
  static FileOutcome of(const std::function<Recognition()>& recognise);
};

/// recognise_file() of every file; `take(i, outcome)` is called in the calling thread, in order,
/// each as soon as those before it are done. A file that fails does not stop the rest. On a
/// processor files are recognised side by side, one on each of thread_count() threads: threads
/// within one utterance would wait for each other after every layer, the longer the busier the
/// processors are. Recordings of more than five minutes, whose memory counts, are recognised one at
/// a time by all threads when their turn comes, and so are those for which memory ran out.
void recognise_files(const Recogniser& recogniser, const std::vector<std::filesystem::path>& files,
                     const AudioPart& part,
                     const std::function<void(size_t, const FileOutcome&)>& take);

}  // namespace scion
