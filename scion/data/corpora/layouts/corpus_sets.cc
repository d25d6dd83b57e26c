#include "scion/data/corpora/layouts/corpus_sets.h"

#include <sstream>

#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"
#include "scion/core/files/text_lines.h"

namespace scion {

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> sets_of(const fs::path& folder, const SetTest& is_set) {
  std::vector<fs::path> sets;
  for (const fs::path& entry : entries_of(folder))
    if (fs::is_directory(entry) && is_set(entry)) sets.push_back(entry);
  return sets;
}

}  // namespace

bool has_set(const fs::path& folder, const SetTest& is_set) {
  return !sets_of(folder, is_set).empty();
}

void refuse_several_sets(const fs::path& folder, const SetTest& is_set) {
  const std::vector<fs::path> sets = sets_of(folder, is_set);
  if (sets.size() < 2) return;
  std::string names;
  for (const fs::path& set : sets) names += (names.empty() ? "" : ", ") + set.filename().string();
  throw UserError(fmt::format("{} holds several sets: {}", folder.string(), names),
                  "name one of them: " + sets.back().string());
}

fs::path only_set(const fs::path& folder, const SetTest& is_set) {
  refuse_several_sets(folder, is_set);
  const std::vector<fs::path> sets = sets_of(folder, is_set);
  if (sets.empty())
    throw UserError("no set of the corpus in " + folder.string(), "name the folder of the set");
  return sets.front();
}

std::string read_one_text(const fs::path& path) {
  std::istringstream words(read_text(path));
  std::string text;
  for (std::string word; words >> word;) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace scion
