#include <fmt/ranges.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "scion/core/error.h"
#include "scion/data/corpora/layouts/layouts.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using GigaJson = nlohmann::json;

bool is_tag(const std::string& word, std::initializer_list<const char*> tags) {
  return std::any_of(tags.begin(), tags.end(), [&](const char* tag) { return word == tag; });
}

/// The text without punctuation tags; "" for a segment without speech.
std::string spoken_text(const std::string& tagged) {
  std::istringstream words(tagged);
  std::string text;
  for (std::string word; words >> word;) {
    if (is_tag(word, {"<SIL>", "<MUSIC>", "<NOISE>", "<OTHER>"})) return "";
    if (is_tag(word, {"<COMMA>", "<PERIOD>", "<QUESTIONMARK>", "<EXCLAMATIONPOINT>"})) continue;
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

/// Collects the segments of one subset, recording by recording.
class GigaSpeechReader {
 public:
  GigaSpeechReader(const fs::path& file, const std::string& subset)
      : file_(file), subset_("{" + subset + "}") {}

  void add(const GigaJson& recording) {
    const fs::path audio = file_.parent_path() / recording.at("path").get<std::string>();
    for (const GigaJson& segment : recording.at("segments")) {
      bool chosen = false;
      for (const GigaJson& subset : segment.at("subsets")) {
        subsets_.insert(subset.get<std::string>());
        chosen |= subset == subset_;
      }
      if (chosen) add_segment(segment, audio);
    }
  }

  Corpus finished() && {
    if (corpus_.utterances.empty())
      throw UserError(
          fmt::format("{} {}; its subsets are {}", file_.string(),
                      subset_ == "{}" ? "has several subsets" : "has no segments of " + subset_,
                      fmt::join(subsets_, ", ")),
          "choose one: --subset XS");
    if (without_speech_ > 0)
      corpus_.remarks.push_back(
          fmt::format("{} segments without speech (<SIL>, <MUSIC>, <NOISE>, <OTHER>) are left out",
                      without_speech_));
    return std::move(corpus_);
  }

 private:
  void add_segment(const GigaJson& segment, const fs::path& audio) {
    std::string text = spoken_text(segment.at("text_tn").get<std::string>());
    if (text.empty()) {
      ++without_speech_;
      return;
    }
    Utterance utterance{.id = segment.at("sid").get<std::string>(),
                        .audio = audio,
                        .text = std::move(text),
                        .speaker = segment.value("speaker", "")};
    if (utterance.speaker == "N/A") utterance.speaker.clear();
    const auto begin = segment.at("begin_time").get<double>();
    const auto end = segment.at("end_time").get<double>();
    if (!(begin >= 0 && end > begin))
      throw UserError(fmt::format("{}: segment '{}' from {} s to {} s", file_.string(),
                                  utterance.id, begin, end),
                      "its end must come after its beginning");
    utterance.part.begin_seconds = begin;
    utterance.part.seconds = utterance.seconds = end - begin;
    corpus_.utterances.push_back(std::move(utterance));
  }

  const fs::path& file_;
  std::string subset_;
  std::set<std::string> subsets_;
  size_t without_speech_ = 0;
  Corpus corpus_;
};

}  // namespace

Corpus read_gigaspeech(const fs::path& file, const std::string& subset) {
  constexpr int recording_depth = 2;  // the file, its list, a recording
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw UserError("cannot read " + file.string(), "does it exist?");
  GigaSpeechReader reader(file, subset);
  // The file takes gigabytes: every recording is dropped when it was read.
  const auto take = [&](int depth, GigaJson::parse_event_t event, GigaJson& parsed) {
    if (event != GigaJson::parse_event_t::object_end || depth != recording_depth) return true;
    if (parsed.contains("segments")) reader.add(parsed);
    return false;
  };
  try {
    const GigaJson rest = GigaJson::parse(stream, take);
  } catch (const GigaJson::exception& error) {
    throw UserError(fmt::format("{}: {}", file.string(), error.what()),
                    "a recording of GigaSpeech.json has path and segments (sid, begin_time, "
                    "end_time, text_tn, subsets)");
  }
  return std::move(reader).finished();
}

}  // namespace scion
