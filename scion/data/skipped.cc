#include "scion/data/skipped.h"

#include <nlohmann/json.hpp>

#include "scion/core/files/json_lines.h"
#include "scion/core/log.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::string skipped_line(const Skipped& skipped) {
  const nlohmann::ordered_json line = {{"id", skipped.id}, {"reason", skipped.reason}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The reason without what differs from one utterance to the next: quoted names, numbers, and what
/// follows a colon.
std::string kind_of(const std::string& reason) {
  std::string kind;
  char quote = '\0';
  for (size_t i = 0; i < reason.size(); ++i) {
    const char c = reason[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      continue;
    }
    if (c == '\'' || c == '"') quote = c;
    if (c == ':') break;
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) kind += c;
  }
  return kind;
}

std::string group_text(const SkippedGroup& group) {
  return fmt::format("{} × {} ({})", group.count, group.first.reason, group.first.id);
}

}  // namespace

std::vector<SkippedGroup> group_by_reason(const std::vector<Skipped>& skipped) {
  std::vector<SkippedGroup> groups;
  std::unordered_map<std::string, size_t> places;
  for (const Skipped& one : skipped) {
    const std::string kind = kind_of(one.reason) + one.hint;
    const auto [place, is_new] = places.emplace(kind, groups.size());
    if (is_new) groups.push_back({0, one});
    ++groups[place->second].count;
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const SkippedGroup& a, const SkippedGroup& b) { return a.count > b.count; });
  return groups;
}

void check_skipped_share(const fs::path& source, const std::vector<Skipped>& skipped, size_t total,
                         double share) {
  constexpr size_t most_named = 5;
  if (static_cast<double>(skipped.size()) <= share * static_cast<double>(total)) return;
  const std::vector<SkippedGroup> groups = group_by_reason(skipped);
  std::string reasons;
  std::vector<std::string> hints;
  for (size_t i = 0; i < std::min(most_named, groups.size()); ++i) {
    reasons += (i ? "; " : "") + group_text(groups[i]);
    const std::string& hint = groups[i].first.hint;
    if (!hint.empty() && std::find(hints.begin(), hints.end(), hint) == hints.end())
      hints.push_back(hint);
  }
  hints.push_back(fmt::format("at most {:g} % may be skipped: skip_share", 100 * share));
  throw TooManySkipped(
      fmt::format("{} of {} utterances of {} cannot be used: {}{}", skipped.size(), total,
                  source.string(), reasons, groups.size() > most_named ? "; …" : ""),
      fmt::format("{}", fmt::join(hints, "; ")), skipped);
}

void write_skipped(const fs::path& path, const std::vector<Skipped>& skipped) {
  std::string text;
  for (const Skipped& one : skipped) text += skipped_line(one) + "\n";
  write_file(path, text);
}

UserError naming_skipped(const UserError& refusal, const fs::path& path,
                         const std::vector<Skipped>& skipped) {
  write_skipped(path, skipped);
  return UserError(refusal.what(), fmt::format("{}{}{} lists all that are skipped", refusal.hint(),
                                               refusal.hint().empty() ? "" : "; ", path.string()));
}

SkippedLog::SkippedLog(const fs::path& path, fs::path source, size_t total, double share)
    : log_(path), source_(std::move(source)), total_(total), share_(share) {
  for (const nlohmann::json& line : read_json_lines(path))
    if (line.contains("id")) written_.insert(line.at("id").get<std::string>());
}

void SkippedLog::add(const std::vector<Skipped>& skipped) {
  for (const Skipped& one : skipped) {
    if (!found_ids_.insert(one.id).second) continue;
    if (found_.empty())
      log_warning("{} is skipped: {}; skipped.jsonl names it, and others if there are any", one.id,
                  one.reason);
    found_.push_back(one);
    if (written_.insert(one.id).second) log_.append(skipped_line(one));
  }
  check_skipped_share(source_, found_, total_, share_);
}

}  // namespace scion
