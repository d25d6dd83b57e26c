#include "scion/core/random.h"

#include <cmath>
#include <numbers>

namespace scion {
namespace {

uint64_t mix(uint64_t x) {  // splitmix64's finaliser
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr uint32_t multiplier0 = 0xD2511F53, multiplier1 = 0xCD9E8D57;
  constexpr uint32_t weyl0 = 0x9E3779B9, weyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(multiplier0) * counter[0];
    const uint64_t p1 = static_cast<uint64_t>(multiplier1) * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += weyl0;
    key[1] += weyl1;
  }
  return counter;
}

uint64_t stable_hash(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3ULL;
  }
  return hash;
}

Random::Random(uint64_t seed, RandomStream stream, uint64_t a, uint64_t b) {
  const uint64_t key = mix(seed ^ mix(static_cast<uint64_t>(stream)));
  const uint64_t place = mix(a ^ mix(b + 0x5851F42D4C957F2DULL));
  key_ = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
  counter_ = {0, 0, static_cast<uint32_t>(place), static_cast<uint32_t>(place >> 32)};
}

void Random::refill() {
  block_ = philox4x32(counter_, key_);
  used_ = 0;
  if (++counter_[0] == 0) ++counter_[1];
}

uint32_t Random::bits() {
  if (used_ == 4) refill();
  return block_[static_cast<size_t>(used_++)];
}

double Random::uniform() {
  const uint64_t high = bits() >> 5, low = bits() >> 6;
  return static_cast<double>((high << 26) | low) * 0x1.0p-53;
}

double Random::normal() {
  if (has_spare_normal_) {
    has_spare_normal_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  const double angle = 2 * std::numbers::pi * uniform();
  has_spare_normal_ = true;
  spare_normal_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

int64_t Random::below(int64_t n) {
  const uint64_t range = static_cast<uint64_t>(n);
  const uint64_t limit = UINT64_MAX - UINT64_MAX % range;
  uint64_t value;
  do {
    value = (static_cast<uint64_t>(bits()) << 32) | bits();
  } while (value >= limit);
  return static_cast<int64_t>(value % range);
}

}  // namespace scion
