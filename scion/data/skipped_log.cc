#include "scion/data/skipped_log.h"

#include <sstream>

#include "scion/core/log.h"

namespace scion {

SkippedLog::SkippedLog(const std::filesystem::path& path, std::filesystem::path source,
                       size_t total)
    : log_(path), source_(std::move(source)), total_(total) {
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("id")) written_.insert(json["id"].get<std::string>());
  }
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
