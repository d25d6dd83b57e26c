#include "scion/audio/augmentation/room.h"

#include <gtest/gtest.h>

#include <complex>
#include <numbers>

namespace scion {
namespace {

constexpr int64_t rate = 16000;

Room small_room(double reverberation_seconds) {
  Room room;
  room.size = {4.1, 3.3, 2.6};
  room.source = {1.2, 1.7, 1.1};
  room.microphone = {2.9, 0.8, 1.5};
  room.reverberation_seconds = reverberation_seconds;
  return room;
}

/// The response at a frequency, from mirrored rooms: room n along an axis begins at n times the
/// size, every other one is mirrored, and n walls are on the way.
std::complex<double> mirrored_rooms(const Room& room, double hertz, double farthest) {
  std::complex<double> sum = 0;
  const auto offset = [&](size_t axis, int n) {
    const double size = room.size[axis], source = room.source[axis];
    return (n % 2 == 0 ? n * size + source : (n + 1) * size - source) - room.microphone[axis];
  };
  const int most = 60;
  for (int i = -most; i <= most; ++i)
    for (int j = -most; j <= most; ++j)
      for (int k = -most; k <= most; ++k) {
        const double distance = std::hypot(offset(0, i), offset(1, j), offset(2, k));
        if (distance > farthest) continue;
        const double amplitude =
            std::pow(room.wall_reflection(), std::abs(i) + std::abs(j) + std::abs(k)) *
            room.distance() / distance;
        const double seconds = (distance - room.distance()) / speed_of_sound;
        sum += std::polar(amplitude, -2 * std::numbers::pi * hertz * seconds);
      }
  return sum;
}

/// Allen and Berkley's high-pass filter: (1 - (1 + r) z⁻¹ + r z⁻²) / (1 - 2 r cos w z⁻¹ + r² z⁻²).
std::complex<double> high_pass(double hertz) {
  const double w = 2 * std::numbers::pi * 100 / double(rate), r = std::exp(-w);
  const auto z = std::polar(1.0, -2 * std::numbers::pi * hertz / double(rate));
  return (1.0 - (1 + r) * z + r * z * z) / (1.0 - 2 * r * std::cos(w) * z + r * r * z * z);
}

std::complex<double> transform(const std::vector<float>& response, double hertz) {
  std::complex<double> sum = 0;
  for (size_t n = 0; n < response.size(); ++n)
    sum += double(response[n]) * std::polar(1.0, -2 * std::numbers::pi * hertz * double(n) / rate);
  return sum;
}

TEST(Room, ResponseIsTheSumOfMirroredRooms) {
  const Room room = small_room(0.25);
  const std::vector<float> response = room_response(room, rate);
  double error = 0, power = 0;
  for (double hertz = 300; hertz <= 6000; hertz += 190) {
    const auto expected =
        high_pass(hertz) *
        mirrored_rooms(room, hertz, room.distance() + room.reverberation_seconds * speed_of_sound);
    error += std::norm(transform(response, hertz) - expected);
    power += std::norm(expected);
  }
  EXPECT_LT(std::sqrt(error / power), 0.01);
}

TEST(Room, WithoutReverberationOnlyTheDirectSoundIsLeft) {
  EXPECT_EQ(room_response(small_room(0), rate), std::vector<float>{1});
  EXPECT_EQ(room_response(small_room(0.3), rate)[0], 1);
}

/// Seconds in which what is still to come (Schroeder's backward sum) falls from -5 to -25 dB, times
/// three.
double measured_reverberation(const std::vector<float>& response) {
  std::vector<double> left(response.size());
  double sum = 0;
  for (size_t n = response.size(); n-- > 0;) left[n] = sum += double(response[n]) * response[n];
  const auto falls_to = [&](double decibel) {
    size_t n = 0;
    while (left[n] > left[0] * std::pow(10, decibel / 10)) ++n;
    return double(n) / rate;
  };
  return 3 * (falls_to(-25) - falls_to(-5));
}

TEST(Room, EchoesFallAsFastAsAsked) {
  for (const double seconds : {0.2, 0.4}) {
    double sum = 0;
    for (uint64_t i = 0; i < 8; ++i) {
      Random random(3, RandomStream::rooms, i);
      sum += measured_reverberation(room_response(draw_room(random, seconds), rate)) / seconds / 8;
    }
    EXPECT_NEAR(sum, 1, 0.25) << seconds;
  }
}

TEST(Room, DrawnPlacesAreInside) {
  for (uint64_t i = 0; i < 500; ++i) {
    Random random(1, RandomStream::rooms, i);
    const Room room = draw_room(random, 0.3);
    for (size_t axis = 0; axis < 3; ++axis)
      for (const double place : {room.source[axis], room.microphone[axis]}) {
        EXPECT_GE(place, 0.3);
        EXPECT_LE(place, room.size[axis] - 0.3);
      }
    EXPECT_GE(room.distance(), 0.3);
    EXPECT_LE(room.distance(), 3);
  }
}

TEST(Room, AMicrophoneInTheMouthIsSafe) {
  Room room = small_room(0.1);
  room.microphone = room.source;
  for (const float value : room_response(room, rate)) EXPECT_TRUE(std::isfinite(value));
}

}  // namespace
}  // namespace scion
