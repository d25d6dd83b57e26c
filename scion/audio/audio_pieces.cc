#include "scion/audio/audio_pieces.h"

#include <algorithm>

#include "scion/audio/audio_source.h"

namespace scion {
namespace {

// Read beside a piece for the resampling filter. Whole seconds: a resampled piece has its samples
// where the whole has them.
constexpr int64_t margin_seconds = 1;

}  // namespace

int64_t read_audio_in_pieces(const std::filesystem::path& path, int64_t sample_rate,
                             const AudioPart& part, int64_t piece_seconds,
                             const std::function<void(std::span<const float>)>& take) {
  const AudioSource source = open_audio(path);
  const double all = part.seconds > 0 ? part.seconds : source.seconds() - part.begin_seconds;
  int64_t taken = 0;
  for (int64_t begin = 0;; begin += piece_seconds) {
    const int64_t before = std::min(begin, margin_seconds);
    const bool last = all <= static_cast<double>(begin + piece_seconds + margin_seconds);
    AudioPart piece = part;
    piece.begin_seconds += static_cast<double>(begin - before);
    if (!last)
      piece.seconds = static_cast<double>(before + piece_seconds + margin_seconds);
    else if (part.seconds > 0)
      piece.seconds -= static_cast<double>(begin - before);
    // Pieces overlap, and not every format can go back: later ones open the file anew.
    const Audio audio = begin == 0 ? read_audio(source, path, sample_rate, piece)
                                   : read_audio(path, sample_rate, piece);
    const std::span<const float> samples(audio.samples);
    const auto first = static_cast<size_t>(before * sample_rate);
    const size_t rest = samples.size() - std::min(first, samples.size());
    const size_t count =
        last ? rest : std::min(rest, static_cast<size_t>(piece_seconds * sample_rate));
    take(samples.subspan(samples.size() - rest, count));
    taken += static_cast<int64_t>(count);
    if (last) return taken;
  }
}

}  // namespace scion
