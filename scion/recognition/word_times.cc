#include "scion/recognition/word_times.h"

#include <algorithm>
#include <optional>
#include <span>

#include "scion/text/utf8.h"

namespace scion {

double encoder_frame_seconds(const ModelConfig& config) {
  return static_cast<double>(config.frame_factor()) * config.features.frame_shift_ms / 1000;
}

namespace {

struct TimedToken {
  int64_t id;
  double start, end;  // seconds
};

class WordTimes {
 public:
  explicit WordTimes(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
    // SentencePiece's usual text of the unknown piece has spaces around it; others need not.
    const std::optional<int64_t> unknown = tokenizer.unknown();
    if (unknown && split_words(tokenizer.decode({*unknown, *unknown})).size() == 2)
      separate_ = unknown;
  }

  // Words never cross a token that begins with a space, nor one that is a word by itself: each run
  // between them is decoded by itself, so that the work grows with the number of tokens and not
  // with its square. (Pieces that end with spaces make one run of several words.)
  std::vector<TimedWord> find(std::span<const TimedToken> tokens) {
    for (size_t begin = 0, end = 1; begin < tokens.size(); ++end)
      if (end == tokens.size() || begins_run(tokens[end].id) || is_separate(tokens[end - 1].id)) {
        add_run(tokens.subspan(begin, end - begin));
        begin = end;
      }
    return std::move(words_);
  }

 private:
  bool is_separate(int64_t id) const { return separate_ == id; }
  bool begins_run(int64_t id) const {
    return tokenizer_.piece(id).starts_with("\u2581") || is_separate(id);
  }

  std::vector<std::string> decode(std::span<const TimedToken> tokens) const {
    std::vector<int64_t> ids;
    for (const TimedToken& token : tokens) ids.push_back(token.id);
    return split_words(tokenizer_.decode(ids));
  }

  void add_run(std::span<const TimedToken> run) {
    const std::vector<std::string> text = decode(run);
    if (text.size() > 1) return add_word_by_word(run);
    if (text.empty()) return;
    size_t first = 0, last = run.size() - 1;
    while (decode(run.first(first + 1)).empty()) ++first;
    while (last > first && decode(run.subspan(last, 1)).empty()) --last;
    words_.push_back({text[0], run[first].start, run[last].end - run[first].start});
  }

  // Decoding the tokens so far shows which words each one has changed: spaces inside a piece, or
  // bytes that make up one.
  void add_word_by_word(std::span<const TimedToken> run) {
    std::vector<TimedWord> words;
    for (size_t i = 0; i < run.size(); ++i) {
      const std::vector<std::string> text = decode(run.first(i + 1));
      words.resize(std::min(words.size(), text.size()));
      for (size_t w = 0; w < text.size(); ++w) {
        if (w == words.size())
          words.push_back({text[w], run[i].start, run[i].end - run[i].start});
        else if (words[w].word != text[w])
          words[w] = {text[w], words[w].start, run[i].end - words[w].start};
      }
    }
    words_.insert(words_.end(), words.begin(), words.end());
  }

  const Tokenizer& tokenizer_;
  std::optional<int64_t> separate_;
  std::vector<TimedWord> words_;
};

}  // namespace

std::vector<TimedWord> word_times(const Hypothesis& hypothesis, const Tokenizer& tokenizer,
                                  double frame_seconds) {
  std::vector<TimedToken> tokens;
  for (size_t i = 0; i < hypothesis.tokens.size(); ++i) {
    const double start = static_cast<double>(hypothesis.frames[i]) * frame_seconds;
    const int64_t frames = i < hypothesis.durations.size() ? hypothesis.durations[i] : 1;
    tokens.push_back({hypothesis.tokens[i], start,
                      start + static_cast<double>(std::max<int64_t>(1, frames)) * frame_seconds});
  }
  return WordTimes(tokenizer).find(tokens);
}

}  // namespace scion
