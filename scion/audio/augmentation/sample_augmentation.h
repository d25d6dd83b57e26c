// Augmentation of samples: rooms, noise, volume.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "scion/audio/augmentation/augment.h"

namespace scion {

/// The changes of an utterance depend on (seed, epoch, utterance) and on the names and contents of
/// the files in the folders, not on threads or on earlier draws.
/// Thread-safe.
class SampleAugmentation {
 public:
  /// Lists the folders. UserError when one of them holds no audio.
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
  /// UserError on a recording that cannot be read.
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
  at::Tensor response(Random& random) const;
  at::Tensor noise(Random& random, int64_t count) const;

  AugmentConfig config_;
  int64_t sample_rate_;
  uint64_t seed_;
  std::vector<Recording> responses_, noises_;
  double noise_share_;                      // 0 without recordings
  std::unique_ptr<SimulatedRoom[]> rooms_;  // made when they are first drawn
};

}  // namespace scion
