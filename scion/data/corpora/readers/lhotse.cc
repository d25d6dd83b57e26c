#include <zlib.h>

#include <unordered_set>

#include "scion/core/error.h"
#include "scion/data/corpora/readers/readers.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using LhotseJson = nlohmann::json;

constexpr auto lhotse_hint =
    "cuts, recordings and supervisions are as Lhotse writes them: one JSON object a line";

/// Lines of a file that may be gzipped.
class LineReader {
 public:
  explicit LineReader(const fs::path& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr) throw UserError("cannot read " + path.string(), "does it exist?");
  }
  ~LineReader() { gzclose(file_); }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  bool next(std::string& line) {
    line.clear();
    ++number_;
    std::array<char, 1 << 14> buffer{};
    while (gzgets(file_, buffer.data(), static_cast<int>(buffer.size())) != nullptr) {
      line += buffer.data();
      if (!line.empty() && line.back() == '\n') {
        line.pop_back();
        return true;
      }
    }
    int status = Z_OK;
    const char* message = gzerror(file_, &status);
    if (status != Z_OK && status != Z_STREAM_END)
      throw UserError(fmt::format("{} is cut short or broken: {}", path_.string(), message),
                      "copy the file again");
    return !line.empty();
  }
  std::string where() const { return fmt::format("{}:{}", path_.string(), number_); }

 private:
  fs::path path_;
  gzFile file_;
  size_t number_ = 0;
};

/// Calls use(object, where) for every line. Errors of the JSON library become UserErrors.
void for_each_object(const fs::path& path,
                     const std::function<void(const LhotseJson&, const std::string&)>& use) {
  LineReader lines(path);
  for (std::string line; lines.next(line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      const LhotseJson object = LhotseJson::parse(line);
      use(object, lines.where());
    } catch (const LhotseJson::exception& error) {
      throw UserError(fmt::format("{}: {}", lines.where(), error.what()), lhotse_hint);
    }
  }
}

struct Recording {
  fs::path audio;
  double seconds = 0;
  int64_t channels = 1;
};

Recording read_recording(const LhotseJson& object, const fs::path& folder,
                         const std::string& where) {
  const LhotseJson& sources = object.at("sources");
  if (sources.size() != 1)
    throw UserError(fmt::format("{}: recording '{}' has {} sources", where,
                                object.at("id").get<std::string>(), sources.size()),
                    "keep all channels of a recording in one file");
  const LhotseJson& source = sources.front();
  const auto type = source.at("type").get<std::string>();
  if (type != "file")
    throw UserError(fmt::format("{}: the audio of '{}' comes from a {}, not a file", where,
                                object.at("id").get<std::string>(), type),
                    "write it to files: lhotse's save_audios");
  return {find_beside(source.at("source").get<std::string>(), folder),
          object.at("duration").get<double>(), static_cast<int64_t>(source.at("channels").size())};
}

/// Lhotse gives one channel, or a list of them. −1: all.
int64_t lhotse_channel(const LhotseJson& object, const Recording& recording,
                       const std::string& where) {
  const auto found = object.find("channel");
  if (found == object.end() || recording.channels == 1) return -1;
  if (!found->is_array()) return found->get<int64_t>();
  if (static_cast<int64_t>(found->size()) == recording.channels) return -1;
  if (found->size() == 1) return found->front().get<int64_t>();
  throw UserError(fmt::format("{}: channels {} of {}", where, found->dump(), recording.channels),
                  "choose one channel, or all for their average");
}

/// A supervision whose times count from `start` seconds in the recording.
Utterance supervised(const LhotseJson& supervision, const Recording& recording, double start,
                     const std::string& where) {
  constexpr double rounding_seconds = 0.005;
  Utterance utterance{.id = supervision.at("id").get<std::string>(),
                      .audio = recording.audio,
                      .seconds = supervision.at("duration").get<double>(),
                      .text = supervision.value("text", "")};
  if (supervision.contains("speaker") && supervision["speaker"].is_string())
    utterance.speaker = supervision["speaker"].get<std::string>();
  const double begin = start + supervision.at("start").get<double>();
  if (begin < -rounding_seconds || utterance.seconds <= 0)
    throw UserError(fmt::format("{}: '{}' begins at {} s and lasts {} s", where, utterance.id,
                                begin, utterance.seconds),
                    "lhotse's trim_to_supervisions fixes that");
  const bool whole = begin < rounding_seconds &&
                     std::abs(utterance.seconds - recording.seconds) < rounding_seconds;
  if (!whole) {
    utterance.part.begin_seconds = std::max(0.0, begin);
    utterance.part.seconds = utterance.seconds;
  }
  utterance.part.channel = lhotse_channel(supervision, recording, where);
  return utterance;
}

Corpus read_cuts(const fs::path& path) {
  Corpus corpus;
  for_each_object(path, [&](const LhotseJson& cut, const std::string& where) {
    const std::string type = cut.value("type", "MonoCut");
    if (type != "MonoCut" && type != "MultiCut")
      throw UserError(fmt::format("{}: a {}", where, type),
                      "mixing and padding happen in training: give cuts of recordings");
    const Recording recording = read_recording(cut.at("recording"), path.parent_path(), where);
    const LhotseJson& supervisions = cut.at("supervisions");
    if (supervisions.empty())
      corpus.skipped.push_back({cut.at("id").get<std::string>(), "the cut has no supervision"});
    for (const LhotseJson& supervision : supervisions)
      corpus.utterances.push_back(
          supervised(supervision, recording, cut.at("start").get<double>(), where));
  });
  return corpus;
}

Corpus read_supervisions(const fs::path& supervisions, const fs::path& recordings) {
  std::unordered_map<std::string, Recording> by_id;
  for_each_object(recordings, [&](const LhotseJson& object, const std::string& where) {
    by_id.emplace(object.at("id").get<std::string>(),
                  read_recording(object, recordings.parent_path(), where));
  });
  Corpus corpus;
  for_each_object(supervisions, [&](const LhotseJson& object, const std::string& where) {
    const auto found = by_id.find(object.at("recording_id").get<std::string>());
    if (found == by_id.end())
      corpus.skipped.push_back(
          {object.at("id").get<std::string>(), "its recording is not among the recordings"});
    else
      corpus.utterances.push_back(supervised(object, found->second, 0, where));
  });
  return corpus;
}

/// The one file of a folder whose name holds `part`; empty when there is none.
fs::path only_file(const fs::path& folder, const std::string& part) {
  fs::path only;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.find(part) == std::string::npos) continue;
    if (!name.ends_with(".jsonl") && !name.ends_with(".jsonl.gz")) continue;
    if (!only.empty())
      throw UserError(
          fmt::format("{} holds {} and {}", folder.string(), only.filename().string(), name),
          "name the file of cuts, or keep one set in a folder");
    only = entry.path();
  }
  return only;
}

void check_ids(const Corpus& corpus, const fs::path& source) {
  std::unordered_set<std::string> ids;
  for (const Utterance& utterance : corpus.utterances)
    if (!ids.insert(utterance.id).second)
      throw UserError(
          fmt::format("duplicate supervision '{}' in {}", utterance.id, source.string()),
          "give every supervision its own id");
  if (corpus.utterances.empty())
    throw UserError("no supervisions in " + source.string(), lhotse_hint);
}

}  // namespace

Corpus read_lhotse(const fs::path& source) {
  const bool folder = fs::is_directory(source);
  const std::string name = source.filename().string();
  const bool pair = !folder && (name.find("supervisions") != std::string::npos ||
                                name.find("recordings") != std::string::npos);
  Corpus corpus;
  if (!folder && !pair) {
    corpus = read_cuts(source);
  } else {
    const fs::path place = folder ? source : source.parent_path();
    const fs::path cuts = folder ? only_file(place, "cuts") : fs::path();
    if (!cuts.empty()) {
      corpus = read_cuts(cuts);
    } else {
      const fs::path supervisions = only_file(place, "supervisions");
      const fs::path recordings = only_file(place, "recordings");
      if (supervisions.empty() || recordings.empty())
        throw UserError(fmt::format("{} lacks {}", place.string(),
                                    recordings.empty() ? "recordings" : "supervisions"),
                        "supervisions and recordings belong together; or name a file of cuts");
      corpus = read_supervisions(supervisions, recordings);
    }
  }
  check_ids(corpus, source);
  return corpus;
}

}  // namespace scion
