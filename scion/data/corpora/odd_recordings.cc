#include "scion/data/corpora/odd_recordings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace scion {
namespace {

constexpr double most_characters_per_second = 40, fewest_characters_per_second = 0.5;

/// Characters that are not ASCII white space, in UTF-8.
double character_count(const std::string& text) {
  return static_cast<double>(std::count_if(text.begin(), text.end(), [](char c) {
    const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    return !continues && static_cast<unsigned char>(c) > ' ';
  }));
}

}  // namespace

void OddRecordings::look_at(const Utterance& utterance, const AudioQuality& quality) {
  const double characters = character_count(utterance.text);
  const double rate = utterance.seconds > 0 ? characters / utterance.seconds : 0;
  const std::array<bool, sign_count> found = {
      quality.averaged_channels > 1,
      quality.is_cancelled(),
      quality.is_silent(),
      quality.is_clipped(),
      quality.is_beyond_full_scale(),
      rate > most_characters_per_second,
      characters > 0 && rate < fewest_characters_per_second};
  constexpr size_t most_examples = 3;
  for (size_t i = 0; i < sign_count; ++i) {
    if (!found[i]) continue;
    ++signs_[i].count;
    if (signs_[i].examples.size() < most_examples) signs_[i].examples.push_back(utterance.id);
  }
  if (quality.is_beyond_full_scale()) highest_peak_ = std::max(highest_peak_, quality.peak);
}

std::vector<std::string> OddRecordings::lines() const {
  const std::array<std::string, sign_count> what = {
      "with several channels, which were averaged; --channel chooses one",
      "with channels that cancel each other when they are averaged; choose one with --channel",
      "of silence: below -60 dB of full scale",
      "that clip: more than 0.1 % of the samples are at full scale",
      fmt::format("with samples beyond full scale: up to {:.1f}, where it is 1", highest_peak_),
      fmt::format("with more than {} characters of text per second; check times and texts",
                  most_characters_per_second),
      fmt::format("with fewer than {} characters of text per second; check times and texts",
                  fewest_characters_per_second)};
  std::vector<std::string> lines;
  for (size_t i = 0; i < sign_count; ++i)
    if (signs_[i].count > 0)
      lines.push_back(fmt::format("{} utterance{} {} ({}{})", signs_[i].count,
                                  signs_[i].count == 1 ? "" : "s", what[i],
                                  fmt::join(signs_[i].examples, ", "),
                                  signs_[i].count > signs_[i].examples.size() ? ", …" : ""));
  return lines;
}

}  // namespace scion
