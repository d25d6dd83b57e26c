#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/readers/lhotse_recording.h"
#include "scion/data/corpora/readers/readers.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using LhotseJson = nlohmann::json;

constexpr double rounding_seconds = 0.005;
constexpr size_t most_named = 10;
constexpr auto lhotse_hint =
    "cuts, recordings and supervisions are as Lhotse writes them: one JSON object a line";

/// Its kind of object, with the keys that are read or do not matter.
struct LhotseKind {
  const char* name;
  std::set<std::string> keys;
};
const LhotseKind cut_kind{"cut",
                          {"id", "start", "duration", "channel", "supervisions", "features",
                           "recording", "custom", "type"}};
const LhotseKind recording_kind{
    "recording",
    {"id", "sources", "sampling_rate", "num_samples", "duration", "channel_ids", "transforms"}};
const LhotseKind supervision_kind{"supervision",
                                  {"id", "recording_id", "start", "duration", "channel", "text",
                                   "language", "speaker", "gender", "custom", "alignment"}};

/// An item that cannot be used, for the reader of its line.
struct Unusable {
  Skipped skipped;
};

class LhotseReader {
 public:
  Corpus read_cuts(const fs::path& path) {
    for_each_object(path, [&](const LhotseJson& cut) { read_cut(cut, path.parent_path()); });
    return finished();
  }

  Corpus read_supervisions(const fs::path& supervisions, const fs::path& recordings) {
    std::unordered_map<std::string, LhotseRecording> by_id;
    for_each_object(recordings, [&](const LhotseJson& object) {
      note_keys(object, recording_kind);
      by_id.emplace(object.at("id").get<std::string>(),
                    read_lhotse_recording(object, recordings.parent_path()));
    });
    for_each_object(supervisions, [&](const LhotseJson& object) {
      const auto found = by_id.find(object.at("recording_id").get<std::string>());
      if (found == by_id.end())
        throw Unusable{{id_of(object), "its recording is not among the recordings"}};
      add_supervision(object, found->second, 0);
    });
    return finished();
  }

 private:
  /// Calls use(object) for every line; a line that cannot be used is skipped.
  void for_each_object(const fs::path& path, const std::function<void(const LhotseJson&)>& use) {
    TextLines lines(path);
    for (std::string line; lines.next(line);) {
      const size_t begin = line.find_first_not_of(" \t\r");
      if (begin == std::string::npos) continue;
      if (lines.number() == 1 && line[begin] == '[')
        throw UserError(path.string() + " is one JSON array",
                        "write one object a line: CutSet.to_file(\"cuts.jsonl.gz\")");
      read_object(line, lines.where(), use);
    }
  }

  void read_object(const std::string& line, const std::string& where,
                   const std::function<void(const LhotseJson&)>& use) {
    LhotseJson object;
    try {
      object = parse_json_object(line, where);
      use(object);
    } catch (const Unusable& unusable) {
      corpus_.skipped.push_back(unusable.skipped);
    } catch (const UserError& error) {
      corpus_.skipped.push_back(skipped_for(error, where));
      corpus_.skipped.back().hint = lhotse_hint;
    } catch (const LhotseJson::exception& error) {
      const std::string id = id_of(object);
      corpus_.skipped.push_back({id.empty() ? where : id, json_fault(error), lhotse_hint});
    }
  }

  static std::string id_of(const LhotseJson& object) {
    if (!object.is_object() || !object.contains("id")) return "";
    const LhotseJson& id = object["id"];
    return id.is_string() ? id.get<std::string>() : id.is_number() ? id.dump() : "";
  }

  void note_keys(const LhotseJson& object, const LhotseKind& kind) {
    if (!object.is_object()) return;
    for (const auto& [key, value] : object.items())
      if (!kind.keys.contains(key) && unread_keys_.size() < most_named)
        unread_keys_.insert(fmt::format("{} of a {}", key, kind.name));
  }

  void read_cut(const LhotseJson& cut, const fs::path& folder) {
    const std::string type = cut.value("type", "MonoCut");
    if (type != "MonoCut" && type != "MultiCut" && type != "Cut")
      throw Unusable{{id_of(cut), fmt::format("a {}", type),
                      "mixing and padding happen in training: give cuts of recordings"}};
    note_keys(cut, cut_kind);
    if (!cut.contains("recording") || cut["recording"].is_null())
      throw Unusable{{id_of(cut), "the cut has no recording",
                      "scion computes features from audio: keep the recordings in the cuts"}};
    note_keys(cut["recording"], recording_kind);
    const LhotseRecording recording = read_lhotse_recording(cut["recording"], folder);
    const LhotseJson& supervisions = cut.at("supervisions");
    if (supervisions.empty()) throw Unusable{{id_of(cut), "the cut has no supervision"}};
    for (const LhotseJson& supervision : supervisions) {
      LhotseJson whole = supervision;
      if (!whole.contains("channel") && cut.contains("channel")) whole["channel"] = cut["channel"];
      try {
        add_supervision(whole, recording, cut.at("start").get<double>());
      } catch (const Unusable& unusable) {  // the cut's other supervisions may be sound
        corpus_.skipped.push_back(unusable.skipped);
      }
    }
  }

  /// A supervision whose times count from `start` seconds in the recording.
  void add_supervision(const LhotseJson& supervision, const LhotseRecording& recording,
                       double start) {
    note_keys(supervision, supervision_kind);
    Utterance utterance;
    utterance.id = id_of(supervision);
    if (utterance.id.empty()) throw Unusable{{"(a supervision)", "it has no id"}};
    if (!recording.fault.empty()) throw Unusable{{utterance.id, recording.fault, recording.hint}};
    if (supervision.contains("text") && supervision["text"].is_string())
      utterance.text = supervision["text"].get<std::string>();
    utterance.speaker = speaker_of(supervision);
    place(utterance, start + supervision.at("start").get<double>(),
          supervision.at("duration").get<double>(), recording);
    choose_channel(utterance, supervision, recording);
    gains_ += recording.has_gain ? 1 : 0;
    (recording.time_scale == 1 ? corpus_.utterances : at_other_speeds_)
        .push_back(std::move(utterance));
  }

  static std::string speaker_of(const LhotseJson& supervision) {
    const auto speaker = supervision.find("speaker");
    if (speaker == supervision.end() || speaker->is_null()) return "";
    return speaker->is_string() ? speaker->get<std::string>() : speaker->dump();
  }

  /// Sets the part of the file that `begin` and `seconds` of the recording are.
  static void place(Utterance& utterance, double begin, double seconds,
                    const LhotseRecording& recording) {
    if (!(begin >= -rounding_seconds))
      throw Unusable{{utterance.id, fmt::format("it begins at {:.3f} s", begin),
                      "a supervision that begins before its recording: mend its start"}};
    if (!(seconds > 0))
      throw Unusable{{utterance.id, fmt::format("it lasts {:g} s", seconds),
                      "a supervision without length: mend its duration"}};
    begin = std::max(0.0, begin) * recording.time_scale;
    utterance.seconds = seconds * recording.time_scale;
    const bool whole = begin < rounding_seconds &&
                       std::abs(utterance.seconds - recording.seconds) < rounding_seconds;
    if (!whole) utterance.part = {begin, utterance.seconds};
  }

  /// Lhotse gives one channel, or a list of them.
  static void choose_channel(Utterance& utterance, const LhotseJson& supervision,
                             const LhotseRecording& recording) {
    std::vector<int64_t> wanted;
    const auto found = supervision.find("channel");
    if (found != supervision.end() && found->is_array())
      wanted = found->get<std::vector<int64_t>>();
    else if (found != supervision.end() && !found->is_null())
      wanted.push_back(found->get<int64_t>());
    for (const LhotseRecording::Source& source : recording.sources) {
      const std::vector<int64_t>& channels = source.channels;
      const bool all = wanted.empty() ? recording.sources.size() == 1
                                      : std::is_permutation(wanted.begin(), wanted.end(),
                                                            channels.begin(), channels.end());
      const auto one = wanted.size() == 1
                           ? std::find(channels.begin(), channels.end(), wanted.front())
                           : channels.end();
      // Recordings of one channel: whatever its number is, in the cut, too.
      const bool only = recording.sources.size() == 1 && channels.size() == 1;
      if (!all && !only && one == channels.end()) continue;
      utterance.audio = source.audio;
      if (!all && !only) utterance.part.channel = one - channels.begin();
      return;
    }
    throw Unusable{{utterance.id,
                    fmt::format("channels [{}] are not those of a file", fmt::join(wanted, ", ")),
                    "choose one channel, or all of a file for their average"}};
  }

  /// The file, and where in it the utterance lies, to a tenth of a second.
  static std::string place_text(const Utterance& utterance, int64_t begin_shift = 0) {
    const auto tenths = [](double seconds) { return std::llround(seconds * 10); };
    return fmt::format("{}\t{}\t{}\t{}", utterance.audio.string(),
                       tenths(utterance.part.begin_seconds) + begin_shift, utterance.part.channel,
                       utterance.text);
  }

  /// Copies at another speed whose original is there are left out: training perturbs speed itself.
  void add_copies() {
    if (at_other_speeds_.empty()) return;
    std::unordered_set<std::string> places;
    for (const Utterance& utterance : corpus_.utterances) places.insert(place_text(utterance));
    size_t left_out = 0;
    std::vector<Utterance> kept;
    for (Utterance& copy : at_other_speeds_) {
      const bool known = places.contains(place_text(copy)) ||
                         places.contains(place_text(copy, 1)) ||
                         places.contains(place_text(copy, -1));
      places.insert(place_text(copy));
      left_out += known ? 1 : 0;
      if (!known) kept.push_back(std::move(copy));
    }
    if (left_out > 0)
      corpus_.remarks.push_back(
          fmt::format("{} copies at another speed (the transforms Speed and Tempo) are left out: "
                      "training perturbs speed itself, augment.speeds",
                      left_out));
    if (!kept.empty())
      corpus_.remarks.push_back(
          fmt::format("{} utterances with the transforms Speed or Tempo are read at their own "
                      "speed: training perturbs speed itself, augment.speeds",
                      kept.size()));
    for (Utterance& copy : kept) corpus_.utterances.push_back(std::move(copy));
  }

  Corpus finished() {
    add_copies();
    if (gains_ > 0)
      corpus_.remarks.push_back(fmt::format(
          "{} utterances with the transform Volume are read as loud as their files are", gains_));
    if (!unread_keys_.empty())
      corpus_.remarks.push_back(fmt::format("not read: {}", fmt::join(unread_keys_, ", ")));
    return std::move(corpus_);
  }

  Corpus corpus_;
  std::vector<Utterance> at_other_speeds_;  // with the times of their files
  size_t gains_ = 0;
  std::set<std::string> unread_keys_;
};

/// The one file of a folder whose name holds `part`; empty when there is none.
fs::path only_file(const fs::path& folder, const std::string& part) {
  fs::path only;
  for (const fs::path& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    if (name.find(part) == std::string::npos) continue;
    if (!name.ends_with(".jsonl") && !name.ends_with(".jsonl.gz")) continue;
    if (!only.empty())
      throw UserError(
          fmt::format("{} holds {} and {}", folder.string(), only.filename().string(), name),
          "name the file of cuts, or keep one set in a folder");
    only = entry;
  }
  return only;
}

Corpus read_lhotse_pair(const fs::path& folder) {
  const fs::path supervisions = only_file(folder, "supervisions");
  const fs::path recordings = only_file(folder, "recordings");
  if (supervisions.empty() || recordings.empty())
    throw UserError(fmt::format("{} lacks {}", folder.string(),
                                recordings.empty() ? "recordings" : "supervisions"),
                    "supervisions and recordings belong together; or name a file of cuts");
  return LhotseReader().read_supervisions(supervisions, recordings);
}

Corpus read_lhotse_source(const fs::path& source) {
  const std::string name = source.filename().string();
  if (fs::is_directory(source)) {
    const fs::path cuts = only_file(source, "cuts");
    return cuts.empty() ? read_lhotse_pair(source) : LhotseReader().read_cuts(cuts);
  }
  const bool pair = name.find("supervisions") != std::string::npos ||
                    name.find("recordings") != std::string::npos;
  return pair ? read_lhotse_pair(source.parent_path()) : LhotseReader().read_cuts(source);
}

}  // namespace

Corpus read_lhotse(const fs::path& source) {
  Corpus corpus = read_lhotse_source(source);
  if (corpus.utterances.empty() && corpus.skipped.empty())
    throw UserError("no supervisions in " + source.string(), lhotse_hint);
  return corpus;
}

}  // namespace scion
