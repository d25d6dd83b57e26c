#include "scion/audio/fbank_stream.h"

namespace scion {

void StreamingFbank::accept(const float* samples, int64_t count) {
  TORCH_CHECK(!finished_, "samples after the end of the signal");
  held_.insert(held_.end(), samples, samples + count);
}

int64_t StreamingFbank::ready() const {
  const int64_t received = forgotten_ + int64_t(held_.size());
  if (finished_) return fbank_.frame_count(received) - taken_;
  // A frame is ready once it lies before the end, whatever follows: start + window <= received.
  const int64_t shift = fbank_.frame_start(1) - fbank_.frame_start(0);
  const int64_t room = received - fbank_.window_samples() - fbank_.frame_start(0);
  const int64_t whole = room < 0 ? 0 : room / shift + 1;
  return std::max<int64_t>(0, std::min(whole, fbank_.frame_count(received)) - taken_);
}

at::Tensor StreamingFbank::take(int64_t count) {
  const int64_t frames = std::min(count, ready());
  at::Tensor features = at::empty({frames, fbank_.config().columns()});
  const auto held = static_cast<int64_t>(held_.size());
  fbank_.frames({held_.data(), forgotten_, held, forgotten_ + held}, taken_, frames,
                features.data_ptr<float>());
  taken_ += frames;
  forget();
  return features;
}

/// Drops what no later frame needs: the end mirrors less than a window of samples, and a frame may
/// look one sample back.
void StreamingFbank::forget() {
  const auto held = static_cast<int64_t>(held_.size());
  const int64_t needed =
      std::min(fbank_.frame_start(taken_) - 1, forgotten_ + held - 2 * fbank_.window_samples());
  const int64_t unneeded = needed - forgotten_;
  if (unneeded < held / 2) return;  // moving the rest costs as much as it is long
  if (unneeded <= 0) return;
  held_.erase(held_.begin(), held_.begin() + unneeded);
  forgotten_ += unneeded;
}

}  // namespace scion
