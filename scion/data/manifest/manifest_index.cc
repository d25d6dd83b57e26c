#include "scion/data/manifest/manifest_index.h"

#include <simdjson.h>

#include <numeric>

#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/core/random.h"
#include "scion/data/manifest/default_ids.h"
#include "scion/data/manifest/manifest_line.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

uint64_t content_hash_of(std::string_view text, double seconds, const AudioPart& part) {
  const std::string numbers = fmt::format("\n{} {} {}", seconds, part.begin_seconds, part.channel);
  // FNV-1a is slow for long texts.
  return stable_hash(checksum(text) + numbers);
}

/// The parts of a line that the index keeps.
struct LineSummary {
  std::string_view id, audio, text, speaker;
  double seconds = -1, offset = -1;

  bool is_in_order() const {
    return !audio.empty() && text.data() != nullptr && seconds >= 0 && (offset < 0 || seconds > 0);
  }
  uint64_t id_hash() const {
    if (!id.empty()) return stable_hash(id);
    return stable_hash(default_id(audio, part()));
  }
  uint64_t content_hash() const { return content_hash_of(text, seconds, part()); }
  AudioPart part() const { return offset < 0 ? AudioPart{} : AudioPart{offset, seconds}; }
};

/// simdjson reads a few bytes past a line: the lines at the file's end are read from a copy.
class LineParser {
 public:
  explicit LineParser(std::string_view file) : file_end_(file.data() + file.size()) {}

  /// False for every line that is not plainly valid: the careful reader then reports the fault.
  bool read(std::string_view line, LineSummary& summary) {
    simdjson::dom::object object;
    if (parse(line).get(object) != simdjson::SUCCESS) return false;
    for (const auto [key, value] : object)
      if (!take(key, value, summary)) return false;
    return summary.is_in_order();
  }

 private:
  static bool take(std::string_view key, simdjson::dom::element value, LineSummary& summary) {
    const auto is_string = [&](std::string_view& string) {
      return value.get(string) == simdjson::SUCCESS;
    };
    const auto is_positive = [&](double& number) {
      return value.get(number) == simdjson::SUCCESS && number >= 0;
    };
    if (key == "audio_filepath") return is_string(summary.audio);
    if (key == "text") return is_string(summary.text);
    if (key == "id") return is_string(summary.id);
    if (key == "speaker") return is_string(summary.speaker);
    if (key == "duration") return is_positive(summary.seconds);
    if (key == "offset") return is_positive(summary.offset);
    return key != "channel" && key != "channel_selector" && !is_unread_part_key(key);
  }

  simdjson::simdjson_result<simdjson::dom::element> parse(std::string_view line) {
    if (file_end_ - (line.data() + line.size()) >= ptrdiff_t(simdjson::SIMDJSON_PADDING))
      return parser_.parse(line.data(), line.size(), false);
    copy_ = simdjson::padded_string(line);
    return parser_.parse(copy_);
  }

  const char* file_end_;
  simdjson::dom::parser parser_;
  simdjson::padded_string copy_;
};

std::string line_place(const fs::path& path, size_t number) {
  return fmt::format("{}:{}", path.string(), number);
}

}  // namespace

ManifestIndex::ManifestIndex(const fs::path& path) : path_(path), file_(path) {
  index();
  tell_default_ids_apart();
  check_ids();
}

std::string_view ManifestIndex::text() const {
  return {reinterpret_cast<const char*>(file_.bytes().data()), file_.bytes().size()};
}

std::string_view ManifestIndex::line(const Entry& entry) const {
  const size_t end = text().find('\n', entry.offset);
  return text().substr(entry.offset, end - entry.offset);
}

size_t ManifestIndex::line_number(const Entry& entry) const {
  return static_cast<size_t>(
             std::count(text().begin(), text().begin() + ptrdiff_t(entry.offset), '\n')) +
         1;
}

void ManifestIndex::index() {
  const std::string_view whole = text();
  LineParser parser(whole);
  size_t number = 1;
  const size_t byte_order_mark = whole.size() - text_of_bytes(whole, path_).size();
  for (size_t begin = byte_order_mark; begin < whole.size(); ++number) {
    const size_t end = std::min(whole.find('\n', begin), whole.size());
    const std::string_view line = whole.substr(begin, end - begin);
    const size_t offset = std::exchange(begin, end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (LineSummary summary; parser.read(line, summary)) {
      entries_.push_back({offset, summary.seconds, summary.id_hash(), summary.content_hash()});
      continue;
    }
    const Utterance utterance =
        parse_manifest_line(line, path_.parent_path(), line_place(path_, number));
    const std::string id =
        utterance.id.empty() ? default_id(utterance.audio, utterance.part) : utterance.id;
    entries_.push_back({offset, utterance.seconds, stable_hash(id),
                        content_hash_of(utterance.text, utterance.seconds, utterance.part)});
  }
  if (entries_.empty())
    throw UserError("manifest has no utterances: " + path_.string(), manifest_hint);
  entries_.shrink_to_fit();
}

Utterance ManifestIndex::utterance(size_t i) const {
  Utterance utterance = parse_manifest_line(line(entries_[i]), path_.parent_path(), path_.string());
  if (utterance.id.empty())
    utterance.id =
        default_ids_.empty() ? default_id(utterance.audio, utterance.part) : default_ids_[i];
  return utterance;
}

std::vector<uint64_t> ManifestIndex::id_hashes() const {
  std::vector<uint64_t> hashes;
  hashes.reserve(size());
  for (const Entry& entry : entries_) hashes.push_back(entry.id_hash);
  return hashes;
}

void ManifestIndex::tell_default_ids_apart() {
  if (equal_hashes(id_hashes()).empty()) return;
  std::vector<Utterance> utterances;
  for (const Entry& entry : entries_)
    utterances.push_back(parse_manifest_line(line(entry), path_.parent_path(), path_.string()));
  fill_default_ids(utterances);
  for (size_t i = 0; i < size(); ++i) {
    default_ids_.push_back(std::move(utterances[i].id));
    entries_[i].id_hash = stable_hash(default_ids_[i]);
  }
}

void ManifestIndex::check_ids() const {
  for (const auto& [first, later] : equal_hashes(id_hashes())) {
    const std::string id = utterance(later).id;
    if (utterance(first).id != id) continue;
    throw UserError(fmt::format("{}: duplicate id '{}' (first used in line {})",
                                line_place(path_, line_number(entries_[later])), id,
                                line_number(entries_[first])),
                    "give every utterance its own \"id\"");
  }
}

std::vector<std::pair<size_t, size_t>> equal_hashes(const std::vector<uint64_t>& hashes) {
  std::vector<size_t> order(hashes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return hashes[a] != hashes[b] ? hashes[a] < hashes[b] : a < b;
  });
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t i = 0, first = 0; i < order.size(); ++i) {
    if (hashes[order[i]] != hashes[order[first]]) first = i;
    if (i > first) pairs.emplace_back(order[first], order[i]);
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  return pairs;
}

}  // namespace scion
