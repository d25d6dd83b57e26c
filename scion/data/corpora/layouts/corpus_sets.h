// Sets of a corpus, and the texts of its utterances.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace scion {

using SetTest = std::function<bool(const std::filesystem::path& folder)>;

/// Whether a subfolder of `folder` is a set.
bool has_set(const std::filesystem::path& folder, const SetTest& is_set);

/// UserError when several subfolders of `folder` are sets.
void refuse_several_sets(const std::filesystem::path& folder, const SetTest& is_set);

/// The one subfolder that is a set. UserError when there is none, or several.
std::filesystem::path only_set(const std::filesystem::path& folder, const SetTest& is_set);

/// A text file as one line: white space as single spaces, none around it.
std::string read_one_text(const std::filesystem::path& path);

}  // namespace scion
