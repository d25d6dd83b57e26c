#include "scion/audio/augmentation/room.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace scion {
namespace {

constexpr int64_t half_width = 16;       // samples of the kernel on each side of a delay
constexpr int64_t fractions = 64;        // places between two samples that kernels are kept for
constexpr double high_pass_hertz = 100;  // images all have one sign: their sum drifts

using Kernels = std::vector<std::array<double, 2 * half_width + 1>>;

/// Impulses between samples: sinc under a Hann window, for delays of 0, 1/64, …, 1 samples.
const Kernels& delay_kernels() {
  static const Kernels kernels = [] {
    Kernels made(fractions + 1);
    for (int64_t f = 0; f <= fractions; ++f)
      for (int64_t tap = -half_width; tap <= half_width; ++tap) {
        const double x = double(tap) - double(f) / fractions;
        const double angle = std::numbers::pi * x;
        const double window =
            std::abs(x) < half_width + 1 ? 0.5 * (1 + std::cos(angle / (half_width + 1))) : 0;
        made[size_t(f)][size_t(tap + half_width)] =
            window * (std::abs(x) < 1e-12 ? 1 : std::sin(angle) / angle);
      }
    return made;
  }();
  return kernels;
}

void add_impulse(std::vector<double>& response, double place, double amplitude) {
  const auto whole = static_cast<int64_t>(std::floor(place));
  const auto fraction = static_cast<int64_t>(std::lround((place - double(whole)) * fractions));
  const auto& kernel = delay_kernels()[size_t(fraction)];
  const int64_t first = std::max<int64_t>(0, whole - half_width);
  const int64_t last = std::min<int64_t>(int64_t(response.size()) - 1, whole + half_width);
  for (int64_t n = first; n <= last; ++n)
    response[size_t(n)] += amplitude * kernel[size_t(n - whole + half_width)];
}

/// Where a coordinate's images lie, seen from the microphone, and how many walls are on the way.
struct Image {
  double distance;
  int64_t reflections;
};

std::vector<Image> images_along(double size, double source, double microphone, double farthest) {
  std::vector<Image> images;
  const auto most = static_cast<int64_t>(std::ceil(farthest / (2 * size))) + 1;
  for (int64_t period = -most; period <= most; ++period)
    for (const bool mirrored : {false, true}) {
      const double place = (mirrored ? -source : source) + 2 * double(period) * size;
      const double distance = place - microphone;
      if (std::abs(distance) <= farthest)
        images.push_back({distance, std::abs(period - int64_t{mirrored}) + std::abs(period)});
    }
  return images;
}

/// Allen and Berkley's filter, in place.
void high_pass(std::vector<double>& response, int64_t sample_rate) {
  const double angle = 2 * std::numbers::pi * high_pass_hertz / double(sample_rate);
  const double radius = std::exp(-angle);
  double before = 0, twice_before = 0;
  for (double& value : response) {
    const double state =
        2 * radius * std::cos(angle) * before - radius * radius * twice_before + value;
    value = state - (1 + radius) * before + radius * twice_before;
    twice_before = before;
    before = state;
  }
}

}  // namespace

double Room::wall_reflection() const {
  if (reverberation_seconds <= 0) return 0;
  const double volume = size[0] * size[1] * size[2];
  const double walls = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2]);
  // Eyring: seconds = 24 ln(10) V / (-c S ln(1 - absorption)), with 1 - absorption = reflection².
  const double exponent = 24 * std::log(10.0) * volume / (speed_of_sound * walls);
  return std::exp(-exponent / (2 * reverberation_seconds));
}

double Room::distance() const {
  double square = 0;
  for (size_t i = 0; i < 3; ++i) square += std::pow(source[i] - microphone[i], 2);
  return std::sqrt(square);
}

Room draw_room(Random& random, double reverberation_seconds) {
  Room room;
  room.reverberation_seconds = reverberation_seconds;
  room.size = {random.uniform(3, 10), random.uniform(3, 8), random.uniform(2.4, 4)};
  const auto draw_place = [&] {
    std::array<double, 3> place{};
    for (size_t i = 0; i < 3; ++i) place[i] = random.uniform(0.3, room.size[i] - 0.3);
    return place;
  };
  room.microphone = draw_place();
  // A few tries are enough: the last one is taken whatever its distance.
  for (int tries = 0; tries < 50; ++tries) {
    room.source = draw_place();
    if (room.distance() >= 0.3 && room.distance() <= 3) break;
  }
  return room;
}

std::vector<float> room_response(const Room& room, int64_t sample_rate) {
  // Closer than this, a point is no model of a mouth or of a microphone.
  const auto apart = [](double metres) { return std::max(metres, 0.01); };
  const double direct = apart(room.distance());
  // A little more, so that rounding does not lose the direct sound.
  const double farthest = direct + room.reverberation_seconds * speed_of_sound + 1e-9;
  const double samples_per_metre = double(sample_rate) / speed_of_sound;
  const double reflection = room.wall_reflection();
  std::vector<double> powers = {1};  // of the reflection
  std::array<std::vector<Image>, 3> images;
  for (size_t i = 0; i < 3; ++i)
    images[i] = images_along(room.size[i], room.source[i], room.microphone[i], farthest);
  // The direct sound comes at half_width, so that its kernel is whole while it is filtered.
  const auto length = static_cast<int64_t>(room.reverberation_seconds * double(sample_rate)) + 1;
  std::vector<double> response(size_t(length + 2 * half_width));
  for (const Image& x : images[0])
    for (const Image& y : images[1])
      for (const Image& z : images[2]) {
        const double distance = apart(std::hypot(x.distance, y.distance, z.distance));
        if (distance > farthest) continue;
        const auto walls = static_cast<size_t>(x.reflections + y.reflections + z.reflections);
        while (powers.size() <= walls) powers.push_back(powers.back() * reflection);
        // Relative to the direct sound, whose 1 / (4 π d) is divided out.
        add_impulse(response, half_width + (distance - direct) * samples_per_metre,
                    powers[walls] * direct / distance);
      }
  high_pass(response, sample_rate);
  return {response.begin() + half_width, response.begin() + half_width + length};
}

}  // namespace scion
