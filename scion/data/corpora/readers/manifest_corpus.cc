#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/readers/readers.h"
#include "scion/data/manifest/default_ids.h"
#include "scion/data/manifest/manifest_line.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// NeMo's tools write offset 0 with a duration that is too long for a whole file.
void mend_whole_file(Utterance& utterance) {
  AudioPart& part = utterance.part;
  if (part.begin_seconds > 0 || part.seconds == 0) return;
  try {
    if (audio_seconds(utterance.audio) <= part.seconds) part.seconds = 0;
  } catch (const Error&) {  // said when it is decoded
  }
}

}  // namespace

Corpus read_manifest_corpus(const fs::path& path) {
  Corpus corpus;
  TextLines lines(path);
  for (std::string line; lines.next(line);) {
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos) continue;
    if (line[begin] == '[' && corpus.utterances.empty() && corpus.skipped.empty())
      throw UserError(path.string() + " is one JSON array", "write one object a line: jq -c '.[]'");
    const std::string where = lines.where();
    try {
      corpus.utterances.push_back(
          parse_manifest_line(line, path.parent_path(), where, Durations::measured));
      mend_whole_file(corpus.utterances.back());
    } catch (const UserError& error) {
      corpus.skipped.push_back(skipped_for(error, where));
    }
  }
  fill_default_ids(corpus.utterances);
  if (corpus.utterances.empty() && corpus.skipped.empty())
    throw UserError("manifest has no utterances: " + path.string(), manifest_hint);
  return corpus;
}

}  // namespace scion
