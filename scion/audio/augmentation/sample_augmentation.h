// Augmentation of samples: rooms, noise, volume.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "scion/audio/audio_file.h"
#include "scion/audio/augmentation/augment.h"

namespace scion {

/// The changes of an utterance depend on (seed, epoch, utterance) and on the names and contents of
/// the files in the folders, not on threads or on earlier draws.
/// Thread-safe.
class SampleAugmentation {
 public:
  /// Lists the folders, without hidden files. A file that cannot be read is left out with a warning
  /// that names it. UserError when a folder holds no audio that can be read.
  SampleAugmentation(const AugmentConfig& config, int64_t sample_rate, uint64_t seed);
  ~SampleAugmentation();

  /// Whether apply() would do anything.
  bool changes(int64_t epoch, uint64_t utterance) const;

  /// In place, as many samples as before:
  /// - reverberation: convolved with a simulated room (room.h), or with the first channel of a
  ///   measured response from its loudest sample on, so that nothing moves in time; scaled to the
  ///   loudness before;
  /// - noise: a recording from a drawn position on, repeated where it is too short, at a drawn
  ///   number of dB below the mean power of the speech;
  /// - volume: multiplication by a factor.
  /// The next recording takes the place of one that turns out to be broken, with a warning.
  /// UserError when all of them are.
  void apply(std::vector<float>& samples, int64_t epoch, uint64_t utterance) const;

 private:
  struct Recording {
    std::filesystem::path path;
    double seconds;
  };
  struct SimulatedRoom;
  static std::vector<Recording> list(const std::string& option, const std::string& folder);
  /// The random sequence of an utterance that is drawn for the change.
  std::optional<Random> draw(RandomStream stream, double share, int64_t epoch,
                             uint64_t utterance) const;
  /// Samples of a recording that is drawn and read.
  at::Tensor read_drawn(const std::vector<Recording>& recordings, Random& random,
                        const std::function<Audio(const Recording&)>& read) const;
  at::Tensor response(Random& random) const;
  at::Tensor noise(Random& random, int64_t count) const;

  AugmentConfig config_;
  int64_t sample_rate_;
  uint64_t seed_;
  std::vector<Recording> responses_, noises_;
  double noise_share_;                      // 0 without recordings
  std::unique_ptr<SimulatedRoom[]> rooms_;  // made when they are first drawn
  mutable std::mutex unreadable_mutex_;
  mutable std::set<std::filesystem::path> unreadable_;  // warned about
};

}  // namespace scion
