#include "scion/data/corpora/readers/readers.h"

#include "scion/core/foreign_text.h"

namespace scion {

namespace fs = std::filesystem;

Skipped skipped_for(const UserError& error, const std::string& where) {
  std::string message = error.what();
  const std::string prefix = printable(where) + ": ";  // as errors have it
  if (message.starts_with(prefix)) message.erase(0, prefix.size());
  return {where, std::move(message), error.hint()};
}

void check_not_empty(const Corpus& corpus, const fs::path& source, const std::string& hint) {
  if (corpus.utterances.empty() && corpus.skipped.empty())
    throw UserError("no utterances in " + source.string(), hint);
}

fs::path find_beside(const fs::path& path, const fs::path& folder) {
  std::error_code not_there;  // also for a name that no file can have
  if (path.is_absolute() || fs::exists(folder / path, not_there)) return folder / path;
  fs::path above = fs::absolute(folder / ".", not_there).lexically_normal().parent_path();
  while (above != above.parent_path()) {
    above = above.parent_path();
    if (fs::exists(above / path, not_there)) return above / path;
  }
  return fs::exists(path, not_there) ? path : folder / path;
}

}  // namespace scion
