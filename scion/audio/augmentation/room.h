// Simulated rooms: impulse responses by the image method.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "scion/core/random.h"

namespace scion {

/// A box with a corner at the origin; a source and a microphone inside; metres.
struct Room {
  std::array<double, 3> size{}, source{}, microphone{};
  /// Time in which an echo falls by 60 dB; it determines the walls' reflection (Eyring, 1930).
  double reverberation_seconds = 0;

  /// Share of the amplitude that a wall reflects, from 0 to 1.
  double wall_reflection() const;
  /// From the source to the microphone, metres.
  double distance() const;
};

inline constexpr double speed_of_sound = 343;  ///< metres a second, at 20 °C

/// A living room, an office, a small hall: 3 to 10 m by 3 to 8 m by 2.4 to 4 m; source and
/// microphone at least 0.3 m from every wall and 0.3 to 3 m apart, where the room allows it.
Room draw_room(Random& random, double reverberation_seconds);

/// Impulse response from source to microphone (Allen and Berkley, 1979; delays between samples as
/// in Peterson, 1986; their high-pass filter at 100 Hz): from the direct sound on, which has
/// amplitude 1, for `reverberation_seconds`. At least one sample.
std::vector<float> room_response(const Room& room, int64_t sample_rate);

}  // namespace scion
