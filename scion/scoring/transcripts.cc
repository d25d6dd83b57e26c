#include "scion/scoring/transcripts.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "scion/core/error.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/files/text_lines.h"
#include "scion/core/log.h"
#include "scion/scoring/content_lines.h"
#include "scion/scoring/glm.h"
#include "scion/scoring/nist.h"
#include "scion/scoring/stm.h"
#include "scion/text/normalisation.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

using nlohmann::json;

json parse_json(std::string_view text, const std::string& place) {
  try {
    return json::parse(without_python_numbers(text));
  } catch (const json::exception&) {  // numbers beyond a double's range, too
    throw UserError(fmt::format("{} is not JSON", place),
                    "write one JSON object a line, or an array of objects");
  }
}

bool is_present(const json& object, const std::string& key) {
  return object.contains(key) && !object.at(key).is_null();
}

std::string json_text(const json& object, const std::string& key, const std::string& place) {
  const json& value = object.at(key);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  throw UserError(fmt::format("'{}' is {} in {}, not text", key, value.type_name(), place));
}

std::string text_key(const json& object, Role role) {
  return role == Role::hypothesis && object.contains("pred_text") ? "pred_text" : "text";
}

Transcript read_object(const json& object, Role role, const std::string& place) {
  const auto first_of = [&](const std::vector<std::string>& keys) {
    if (object.is_object())
      for (const std::string& key : keys)
        if (is_present(object, key)) return key;
    throw UserError(fmt::format("'{}' is missing in {}", fmt::join(keys, "' or '"), place),
                    "give every line an id and a text");
  };
  Transcript transcript;
  const std::string id = first_of({"id", "audio_filepath"});
  transcript.id = json_text(object, id, place);
  // Segments of one file.
  if (id != "id" && object.contains("offset") && object.at("offset").is_number() &&
      object.at("offset").get<double>() > 0)
    transcript.id += fmt::format("@{}", object.at("offset").get<double>());
  transcript.text = json_text(object, first_of({text_key(object, role)}), place);
  if (is_present(object, "speaker")) transcript.speaker = json_text(object, "speaker", place);
  return transcript;
}

struct PlacedObject {
  json object;
  std::string where;
};

std::vector<PlacedObject> json_objects(std::string_view content, const std::string& place) {
  std::vector<PlacedObject> objects;
  if (strip(content).starts_with('[')) {
    for (json& object : parse_json(content, place))
      objects.push_back(
          {std::move(object), fmt::format("object {} of {}", objects.size() + 1, place)});
  } else {
    for (const ContentLine& line : content_lines(content, place))
      objects.push_back({parse_json(line.text, line.where), line.where});
  }
  return objects;
}

// Where `pred_text` is in some objects only, `text` of the others would be taken for recognised.
void check_recognised_texts(const std::vector<PlacedObject>& objects) {
  const auto is_recognised = [](const PlacedObject& placed) {
    return placed.object.is_object() && placed.object.contains("pred_text");
  };
  if (std::none_of(objects.begin(), objects.end(), is_recognised)) return;
  for (const PlacedObject& placed : objects)
    if (!is_recognised(placed))
      throw UserError(
          fmt::format("'pred_text' is missing in {}, though others have it", placed.where),
          "write pred_text of every utterance, \"\" where nothing was recognised");
}

struct PlacedTranscript {
  Transcript transcript;
  std::string where;
};

std::vector<PlacedTranscript> read_json(std::string_view content, Role role,
                                        const std::string& place) {
  const std::vector<PlacedObject> objects = json_objects(content, place);
  if (role == Role::hypothesis) check_recognised_texts(objects);
  std::vector<PlacedTranscript> transcripts;
  for (const PlacedObject& placed : objects)
    transcripts.push_back({read_object(placed.object, role, placed.where), placed.where});
  return transcripts;
}

// A first line such as "id,text": a table would be scored with its header as an utterance.
bool is_table_header(std::string_view line) {
  for (const char separator : {',', '\t'}) {
    std::vector<std::string> fields(1);
    for (const char c : line) {
      if (c == separator)
        fields.emplace_back();
      else if (c != '"')
        fields.back() += c;
    }
    const auto is_text = [](const std::string& field) {
      constexpr std::string_view names[] = {"text",          "sentence",  "transcript",
                                            "transcription", "pred_text", "hypothesis",
                                            "reference"};
      return std::find(std::begin(names), std::end(names),
                       normalise_text(field, {.letter_case = LetterCase::lower})) !=
             std::end(names);
    };
    if (fields.size() > 1 && std::any_of(fields.begin(), fields.end(), is_text)) return true;
  }
  return false;
}

std::vector<PlacedTranscript> read_kaldi(std::string_view content, const std::string& place) {
  std::vector<PlacedTranscript> transcripts;
  for (const ContentLine& line : content_lines(content, place)) {
    if (transcripts.empty() && is_table_header(line.text))
      throw UserError(fmt::format("{} is the header of a table: {}", line.where, line.text),
                      "write 'id word word …' a line, without header and commas, or JSON lines");
    const FirstWord split = split_first_word(line.text);
    const std::string words = fmt::format("{}", fmt::join(split_words(split.rest), " "));
    transcripts.push_back({{std::string(split.word), words}, line.where});
  }
  return transcripts;
}

// Whether every line is of a form; false if there are none.
template <class IsOfForm>
bool all_lines(const std::vector<ContentLine>& lines, const IsOfForm& is_of_form) {
  return !lines.empty() && std::all_of(lines.begin(), lines.end(), is_of_form);
}

// An id in parentheses at the end of every line, another one each time.
bool looks_like_trn(const std::vector<ContentLine>& lines) {
  std::unordered_set<std::string_view> ids;
  return all_lines(lines, [&](const ContentLine& line) {
    const size_t open = line.text.rfind('(');
    return line.text.ends_with(')') && open != std::string_view::npos &&
           ids.insert(line.text.substr(open)).second;
  });
}

// Two times from this column on, one of them with a decimal point.
bool has_times(const ContentLine& line, size_t column) {
  const std::vector<std::string> fields = split_words(line.text);
  if (fields.size() < column + 2) return false;
  const std::string &first = fields[column], &second = fields[column + 1];
  return parse_seconds(first) && parse_seconds(second) &&
         (first + second).find('.') != std::string::npos;
}

void refuse_other_forms(const std::filesystem::path& path) {
  static const std::unordered_map<std::string, std::string> forms = {
      {".csv", "a table"},
      {".rttm", "speakers' turns"},
      {".glm", "mapping rules (--glm)"},
      {".uem", "scored times"},
      {".mlf", "HTK labels"},
      {".textgrid", "a Praat grid"},
      {".srt", "subtitles"},
      {".vtt", "subtitles"},
      {".xml", "XML"},
      {".sgml", "sclite's output"},
      {".pra", "sclite's output"},
      {".wav", "audio"},
      {".flac", "audio"},
      {".mp3", "audio"}};
  const auto form =
      forms.find(normalise_text(path.extension().string(), {.letter_case = LetterCase::lower}));
  if (form != forms.end())
    throw UserError(fmt::format("{} is {}, not transcripts", path.string(), form->second),
                    "give Kaldi text (id word word …), JSON lines or an array (id, text), .trn, "
                    ".ctm or .stm; --ref-format and --hyp-format name the form of other files");
}

struct FormedText {
  std::string content, form;
};

FormedText read_formed(const std::filesystem::path& path, const std::string& format) {
  if (format == "auto") refuse_other_forms(path);
  FormedText text{read_text(path), format};
  if (format == "auto") {
    text.form = find_format(path, text.content);
    if (text.form != "text" && path.extension() != "." + text.form)
      log_info("{} is read as .{}: every line looks like it", path.string(), text.form);
  }
  return text;
}

std::vector<Transcript> parse_utterances(const FormedText& text, Role role,
                                         const std::string& place) {
  if (text.form == "trn") return parse_trn(text.content, place, role);
  if (text.form == "text") return parse_transcripts(text.content, role, place);
  const std::vector<CtmChannel> channels = parse_ctm(text.content, place, role);
  return transcripts_of(channels, files_of_several_channels(channels));
}

void refuse_stm(const FormedText& text, const std::filesystem::path& path, const char* reason) {
  if (text.form == "stm")
    throw UserError(fmt::format("{} is an .stm: {}", path.string(), reason),
                    "score references in an .stm with hypotheses in a .ctm, or write .trn");
}

TranscriptPair pair_of_channels(const std::vector<CtmChannel>& references,
                                const std::vector<CtmChannel>& hypotheses) {
  std::set<std::string> several = files_of_several_channels(references);
  several.merge(files_of_several_channels(hypotheses));
  return {transcripts_of(references, several), transcripts_of(hypotheses, several)};
}

TranscriptPair pair_of(const FormedText& references, const FormedText& hypotheses,
                       const ScoredFiles& files) {
  const std::string reference_place = files.references.string();
  const std::string hypothesis_place = files.hypotheses.string();
  if (references.form == "stm" && hypotheses.form != "ctm")
    refuse_stm(references, files.references,
               "its segments have times and no ids, so they need hypotheses with times");
  const auto channels = [&] {
    return parse_ctm(hypotheses.content, hypothesis_place, Role::hypothesis);
  };
  if (references.form == "stm")
    return match_by_time(parse_stm(references.content, reference_place), channels());
  if (references.form == "ctm" && hypotheses.form == "ctm") {
    const auto first = parse_ctm(references.content, reference_place, Role::reference);
    return pair_of_channels(first, channels());
  }
  std::vector<Transcript> first = parse_utterances(references, Role::reference, reference_place);
  return {std::move(first), parse_utterances(hypotheses, Role::hypothesis, hypothesis_place)};
}

}  // namespace

std::vector<Transcript> parse_transcripts(std::string_view content, Role role,
                                          const std::string& place) {
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // a byte order mark
  const std::string_view body = strip(content);
  std::vector<Transcript> transcripts;
  std::unordered_set<std::string> ids;
  for (PlacedTranscript& placed : body.starts_with('{') || body.starts_with('[')
                                      ? read_json(content, role, place)
                                      : read_kaldi(content, place)) {
    if (!ids.insert(placed.transcript.id).second)
      throw UserError(fmt::format("id '{}' occurs again in {}", placed.transcript.id, placed.where),
                      "give every utterance its own id");
    transcripts.push_back(std::move(placed.transcript));
  }
  if (transcripts.empty())
    throw UserError(fmt::format("no transcripts in {}", place),
                    "one utterance a line: 'id word word …' or a JSON object");
  return transcripts;
}

std::vector<std::string> transcript_formats() { return {"auto", "text", "trn", "ctm", "stm"}; }

std::string find_format(const std::filesystem::path& path, std::string_view content) {
  const std::string extension = path.extension().string();
  for (const char* form : {"trn", "ctm", "stm"})
    if (extension == std::string(".") + form) return form;
  const std::vector<ContentLine> lines = uncommented_lines(content, "");
  if (looks_like_trn(lines)) return "trn";
  const std::string_view body = strip(content);
  if (body.starts_with('{') || body.starts_with('[')) return "text";
  if (all_lines(lines, [](const ContentLine& line) { return has_times(line, 3); })) return "stm";
  if (all_lines(lines, [](const ContentLine& line) {
        const size_t fields = split_words(line.text).size();
        return fields >= 5 && fields <= 7 && has_times(line, 2);
      }))
    return "ctm";
  return "text";
}

std::vector<Transcript> read_transcripts(const std::filesystem::path& path, Role role,
                                         const std::string& format) {
  const FormedText text = read_formed(path, format);
  refuse_stm(text, path, "its segments take the words of a .ctm");
  return parse_utterances(text, role, path.string());
}

TranscriptPair read_transcript_pair(const ScoredFiles& files) {
  const FormedText references = read_formed(files.references, files.reference_format);
  const FormedText hypotheses = read_formed(files.hypotheses, files.hypothesis_format);
  refuse_stm(hypotheses, files.hypotheses, "it holds references");
  TranscriptPair pair = pair_of(references, hypotheses, files);
  if (files.rules.empty()) return pair;
  const GlmRules rules = parse_glm(read_text(files.rules), files.rules.string());
  const auto form = [](const FormedText& text) { return text.form == "text" ? "txt" : text.form; };
  apply(rules, form(references), Role::reference, pair.references);
  apply(rules, form(hypotheses), Role::hypothesis, pair.hypotheses);
  return pair;
}

std::unordered_map<std::string, std::string> read_utt2spk(const std::filesystem::path& path) {
  std::unordered_map<std::string, std::string> speakers;
  const std::string content = read_text(path);
  for (const ContentLine& line : content_lines(content, path.string())) {
    const std::vector<std::string> fields = split_words(line.text);
    if (fields.size() != 2)
      throw UserError(fmt::format("{} fields in {}", fields.size(), line.where),
                      "write: id speaker");
    if (!speakers.emplace(fields[0], fields[1]).second)
      throw UserError(fmt::format("id '{}' occurs again in {}", fields[0], line.where),
                      "give every utterance one speaker");
  }
  return speakers;
}

}  // namespace scion
