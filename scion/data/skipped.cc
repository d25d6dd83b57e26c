#include "scion/data/skipped.h"

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/log.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr double largest_skipped_share = 0.05;

std::string skipped_line(const Skipped& skipped) {
  const nlohmann::ordered_json line = {{"id", skipped.id}, {"reason", skipped.reason}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void check_skipped_share(const fs::path& source, const std::vector<Skipped>& skipped,
                         size_t total) {
  if (static_cast<double>(skipped.size()) <= largest_skipped_share * static_cast<double>(total))
    return;
  std::string examples;
  for (size_t i = 0; i < std::min<size_t>(3, skipped.size()); ++i)
    examples += fmt::format("{}{} ({})", i ? "; " : "", skipped[i].id, skipped[i].reason);
  throw UserError(fmt::format("{} of {} utterances of {} cannot be used: {}{}", skipped.size(),
                              total, source.string(), examples, skipped.size() > 3 ? "; …" : ""),
                  "fix or remove these utterances; at most 5 % may be skipped");
}

void write_skipped(const fs::path& path, const std::vector<Skipped>& skipped) {
  std::string text;
  for (const Skipped& one : skipped) text += skipped_line(one) + "\n";
  write_file(path, text);
}

SkippedLog::SkippedLog(const fs::path& path, fs::path source, size_t total)
    : log_(path), source_(std::move(source)), total_(total) {
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
  check_skipped_share(source_, found_, total_);
}

}  // namespace scion
