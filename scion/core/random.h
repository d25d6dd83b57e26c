// Counter-based random numbers: a value depends on (seed, stream, a, b) and on its place in the
// sequence, never on threads or on other draws. Philox4x32-10 (Salmon et al., 2011).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace scion {

/// Purposes of random numbers. Streams never share numbers, so that a change to one (say, the
/// initialisation) leaves the others (data order, augmentation, dropout) unchanged.
enum class RandomStream : uint32_t {
  initialisation = 1,
  order = 2,
  speed = 3,
  spec_augment = 4,
  dropout = 5,
  selection = 6,
  bootstrap = 7,
  corruption = 8,  // noise, babble, reverberation of test conditions
  split = 9,
  reverberation = 10,
  rooms = 11,
  noise = 12,
  volume = 13,
  time_warp = 14,
  omega = 15,  // batches of a TDT that get the RNN-T loss
};

/// A 64-bit name for a string (FNV-1a), stable across machines: utterance ids, parameter names.
uint64_t stable_hash(std::string_view text);

/// One Philox4x32-10 block: four numbers that depend on the counter and the key only.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A sequence of random numbers. Cheap to construct.
class Random {
 public:
  /// `a` and `b` tell sequences of one stream apart, e.g. epoch and stable_hash(utterance id).
  Random(uint64_t seed, RandomStream stream, uint64_t a = 0, uint64_t b = 0);

  uint32_t bits();
  /// In [0, 1).
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box-Muller).
  double normal();
  /// In 0 … n-1, without bias; n > 0.
  int64_t below(int64_t n);

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[static_cast<size_t>(below(static_cast<int64_t>(i)))]);
  }

 private:
  void refill();

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
  bool has_spare_normal_ = false;
  double spare_normal_ = 0;
};

}  // namespace scion
