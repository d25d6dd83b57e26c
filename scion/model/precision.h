// Number format of matrix products (fp32 or bf16).
#pragma once

#include <cstdint>
#include <string>

#include "scion/core/option_words.h"

namespace scion {

/// Number format of matrix products. automatic: bf16 where it is faster.
enum class Precision { automatic, fp32, bf16 };
template <>
inline constexpr std::array option_words<Precision>{"auto", "fp32", "bf16"};

/// True if `precision` (`automatic` included) means bfloat16 products for a model of this size on
/// this machine.
bool use_bf16(Precision precision, const std::string& device, int64_t parameters);

}  // namespace scion
